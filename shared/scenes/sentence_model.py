"""A sentence model of `transformers` that compares a text with actions by meaning, instead of by common words."""

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.core.errors import Unavailable

if TYPE_CHECKING:
    from shared.scenes.store import Action  # its module needs SQLAlchemy, which the environment with torch lacks

MAX_TOKENS = 128
_FAILURES = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError, ImportError)
"""What transformers raises for folders that do not hold what it expects."""


class SentenceModel:
    """Compares the mean of the last layer over a text's tokens, as models for sentence similarity are trained.

    Threads may share it.
    """

    def __init__(self, folder: str) -> None:
        """Load a model from a folder as transformers saves it: weights without code, nothing from the network.

        Raises:
            Unavailable: It cannot be loaded, or torch and transformers are not installed.
        """
        try:
            import torch
            import transformers

            safe = {"local_files_only": True, "trust_remote_code": False}
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(Path(folder), **safe)
            network = transformers.AutoModel.from_pretrained(Path(folder), use_safetensors=True, **safe)
        except _FAILURES as error:
            raise Unavailable("The model of EASEL_ACTION_MODEL cannot be loaded.", retry_after_s=600) from error
        self._torch = torch
        self._network = network.eval()
        self._lock = threading.Lock()

    def nearest(self, wanted: str, actions: "Sequence[Action]") -> "Action | None":
        """Return the action that is most like the text, the first of equal ones; None only without actions.

        An action is compared in each language, and the better one counts.
        """
        if not actions:
            return None
        described = [text for one in actions for text in (one.descriptions.en, one.descriptions.ru)]
        with self._lock:
            likeness = (self._known(tuple(described)) @ self._meanings([wanted]).T).reshape(len(actions), 2).amax(1)
        return actions[int(likeness.argmax())]

    @lru_cache(maxsize=4)  # noqa: B019 # a process has one model, for as long as it runs
    def _known(self, texts: tuple[str, ...]) -> Any:  # noqa: ANN401 - a tensor of an optional library
        return self._meanings(list(texts))

    def _meanings(self, texts: list[str]) -> Any:  # noqa: ANN401 - a tensor of an optional library
        """Return a vector of length 1 for each text."""
        given = self._tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        with self._torch.inference_mode():
            states = self._network(**given).last_hidden_state
        counted = given["attention_mask"].unsqueeze(-1).to(states.dtype)
        mean = (states * counted).sum(1) / counted.sum(1).clamp(min=1)
        return self._torch.nn.functional.normalize(mean, dim=1)
