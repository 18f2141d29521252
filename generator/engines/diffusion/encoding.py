"""Prompts as the U-Net reads them: encoded in chunks of the text encoder's length, weighted, and joined.

Each prompt is encoded by itself, whatever is in the batch, so that its numbers do not depend on others.
"""

import threading
from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain

import torch

from generator.engines.diffusion.adapters import Adapters, Chosen
from generator.engines.diffusion.loading import Model, TextEncoder
from generator.engines.diffusion.prompts import Words, parse

MAX_CHUNKS = 16
_KEPT = 256


@dataclass(frozen=True)
class Encoded:
    """A prompt as numbers: chunks x 77 rows, and the vector for the whole prompt that SDXL takes too."""

    rows: torch.Tensor
    whole: torch.Tensor | None

    @property
    def length(self) -> int:
        """Return the number of rows."""
        return int(self.rows.shape[0])

    def zeroed(self) -> "Encoded":
        """Return zeros of the same shapes."""
        return Encoded(torch.zeros_like(self.rows), None if self.whole is None else torch.zeros_like(self.whole))


class Encoder:
    """Encodes prompts and keeps those encoded last. For any thread."""

    def __init__(self, model: Model, adapters: Adapters) -> None:
        self._model = model
        self._adapters = adapters
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, Chosen], Encoded] = OrderedDict()

    def encode(self, prompt: str, negative_prompt: str, adapters: Chosen = ()) -> tuple[Encoded, Encoded]:
        """Return prompt and negative prompt, of equal length."""
        prompts = [parse(prompt), parse(negative_prompt)]
        chunks = max(self._chunks(words) for words in chain(*prompts))
        return self._find(prompt, chunks, adapters), self._find(negative_prompt, chunks, adapters)

    def _chunks(self, words: list[Words]) -> int:
        counts = [-(-len(_tokens(encoder, words)) // _room(encoder)) for encoder in self._model.text_encoders]
        return min(MAX_CHUNKS, max(1, *counts))

    def _find(self, prompt: str, chunks: int, adapters: Chosen) -> Encoded:
        # One prompt at a time: the adapters of an encoder are those of the prompt that it reads.
        with self._lock:
            key = (prompt, chunks, adapters)
            if key not in self._kept:
                with ExitStack() as stack:
                    for network in range(1, len(self._model.text_encoders) + 1):
                        stack.enter_context(self._adapters.chosen([adapters], network))
                    self._kept[key] = self._encode(prompt, chunks)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]

    def _encode(self, prompt: str, chunks: int) -> Encoded:
        """Encode each of the prompts joined by `|` and return their mean."""
        with torch.inference_mode():
            each = [self._encode_words(words, chunks) for words in parse(prompt)]
            if len(each) == 1:
                return each[0]
            rows = torch.stack([one.rows for one in each]).mean(0)
            wholes = [one.whole for one in each if one.whole is not None]
            return Encoded(rows, torch.stack(wholes).mean(0) if wholes else None)

    def _encode_words(self, words: list[Words], chunks: int) -> Encoded:
        halves: list[torch.Tensor] = []
        whole = None
        for encoder in self._model.text_encoders:
            rows, whole = _run(encoder, words, chunks, large=self._model.large)
            halves.append(rows)
        return Encoded(torch.cat(halves, dim=-1), whole)


def _room(encoder: TextEncoder) -> int:
    """Return how many words' tokens a chunk has between its first and last."""
    return int(encoder.network.config.max_position_embeddings) - 2


def _tokens(encoder: TextEncoder, words: list[Words]) -> list[tuple[int, float]]:
    """Return the tokens of weighted words with their weights."""
    return [
        (token, one.weight)
        for one in words
        if one.text.strip()
        for token in encoder.tokenizer(one.text, add_special_tokens=False, verbose=False).input_ids
    ]


def _run(
    encoder: TextEncoder, words: list[Words], chunks: int, *, large: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the rows of all chunks, and the first chunk's vector for the whole."""
    room, tokens = _room(encoder), _tokens(encoder, words)
    rows: list[torch.Tensor] = []
    whole = None
    for k in range(chunks):
        part = tokens[k * room : (k + 1) * room]
        found, vector = _run_chunk(encoder, [token for token, _ in part], large=large)
        whole = vector if k == 0 else whole
        if any(weight != 1 for _, weight in part):
            empty, _ = _run_chunk(encoder, [], large=large)
            weights = torch.ones(room + 2, 1, dtype=found.dtype, device=found.device)
            weights[1 : len(part) + 1, 0] = torch.tensor([weight for _, weight in part], dtype=found.dtype)
            # A weight says how far from the empty prompt a word is; 1 changes nothing.
            found = torch.where(weights == 1, found, empty + (found - empty) * weights)
        rows.append(found)
    return torch.cat(rows), whole


def _run_chunk(encoder: TextEncoder, tokens: list[int], *, large: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    tokenizer, device = encoder.tokenizer, encoder.network.device
    first, last = tokenizer.bos_token_id, tokenizer.eos_token_id
    fill = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else last
    ids = [first, *tokens, last]
    ids += [fill] * (_room(encoder) + 2 - len(ids))
    answer = encoder.network(torch.tensor([ids], device=device), output_hidden_states=large)
    if not large:
        return answer.last_hidden_state[0], None
    # SDXL was trained on the last layer but one of both.
    vector = getattr(answer, "text_embeds", None)
    return answer.hidden_states[-2][0], None if vector is None else vector[0]
