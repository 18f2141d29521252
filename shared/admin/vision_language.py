"""A vision-language model of `transformers` as judge of the style metric."""

import re
import shutil
from pathlib import Path
from typing import Any

from PIL import Image

from shared.admin.style_judges import JudgeFailed

QUESTION = "Is this picture in the style of {style}? Answer yes or no."
WORDS = ("yes", "no")
MAX_BYTES = 64 * 1024**3
MAX_FILES = 200
MAX_SIDE_PX = 1024
"""Larger pictures are made smaller: models that look at tiles would take minutes for one."""

_READ = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
_UNREAD = ("*/*", "consolidated*")
"""What hubs keep beside the weights that transformers reads: other formats and precisions."""
_FAILURES = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError, ImportError)
"""What transformers raises for folders that do not hold what it expects."""


class VisionLanguage:
    """Asks a vision-language model, and compares how likely it goes on with "yes" and with "no"."""

    def __init__(self, model: str) -> None:
        """Load a model from a folder or a hub, as weights without code, and ask it about a grey picture.

        Args:
            model: A folder as transformers saves it, or a hub's name, `owner/model` or `owner/model@revision`.

        Raises:
            JudgeFailed: It cannot be loaded or cannot answer, or transformers is not installed.
        """
        try:
            # First what a model may be refused for without loading these libraries, which takes seconds.
            folder, self.name = _find(model)
            import torch
            import transformers
            from safetensors import SafetensorError
        except ImportError as error:
            raise JudgeFailed("A model as judge needs the extra `judge`: torch and transformers.") from error
        self._torch = torch
        safe = {"local_files_only": True, "trust_remote_code": False}
        weights: dict[str, Any] = {"use_safetensors": True, "dtype": "auto"}
        try:
            self._processor = transformers.AutoProcessor.from_pretrained(folder, **safe)
            network = transformers.AutoModelForImageTextToText.from_pretrained(folder, **safe, **weights)
        except (*_FAILURES, SafetensorError) as error:
            raise JudgeFailed(f"{model} holds no vision-language model that transformers can load.") from error
        self._model = network.eval().to("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self._answers = self._tokens_of_answers()
            self._scores(Image.new("RGB", (64, 64), "grey"), QUESTION.format(style="nobody"))
        except _FAILURES as error:
            raise JudgeFailed(f"{model} cannot answer a question about a picture: {_first_line(error)}.") from error

    def is_in_style(self, picture: Image.Image, style: str) -> bool:
        """Ask the question and compare the scores of the first token of the answer.

        Raises:
            JudgeFailed: The model cannot answer, for example for lack of memory.
        """
        small = picture.copy()
        small.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        try:
            scores = self._scores(small, QUESTION.format(style=style.replace("_", " ")))
        except _FAILURES as error:
            raise JudgeFailed(f"{self.name} failed at a picture: {_first_line(error)}.") from error
        yes, no = (float(scores[tokens].max()) for tokens in self._answers)
        return yes > no

    def _tokens_of_answers(self) -> list[list[int]]:
        """Return the tokens that begin a yes and those that begin a no.

        Some vocabularies begin every word with the same token, a mark of its space: such tokens are of no use.
        """
        tokenizer = self._processor.tokenizer
        found: list[set[int]] = []
        for word in WORDS:
            texts = (word, word.capitalize(), f" {word}", f" {word.capitalize()}")
            found.append({int(tokenizer(text, add_special_tokens=False).input_ids[0]) for text in texts})
        unclear = (found[0] & found[1]) | {tokenizer.unk_token_id}
        if not all(tokens - unclear for tokens in found):
            raise ValueError("its vocabulary has no tokens of its own for yes and no")
        return [sorted(tokens - unclear) for tokens in found]

    def _scores(self, picture: Image.Image, question: str) -> Any:  # noqa: ANN401 - a tensor of an optional library
        """Return a score for each token that the answer may begin with."""
        content = [{"type": "image", "image": picture}, {"type": "text", "text": question}]
        inputs = self._processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._model.device, dtype=self._model.dtype)
        with self._torch.inference_mode():
            return self._model(**inputs).logits[0, -1].float().cpu()


def _first_line(error: Exception) -> str:
    """Return the beginning of what an error says, without the dot at its end."""
    return next(iter(str(error).splitlines()), "")[:200].rstrip(". ") or type(error).__name__


def _find(model: str) -> tuple[Path, str]:
    """Return the folder of a model, and its name in the results."""
    folder = Path(model)
    if folder.is_dir():
        return folder, folder.resolve().name
    if not re.fullmatch(r"[\w.-]{1,96}/[\w.-]{1,96}(@[\w./-]{1,255})?", model):
        raise JudgeFailed(f"{model} is neither a folder nor a hub's name, such as owner/model or owner/model@revision.")
    found = _fetch(model)
    # The last part of the folder is the commit.
    return found, f"{model.partition('@')[0]}@{found.name[:12]}"


def _fetch(model: str) -> Path:
    """Fetch a model from a hub once its size is known; without the hub, find what was fetched before."""
    import httpx2
    from huggingface_hub import errors, snapshot_download

    repository, _, revision = model.partition("@")
    wanted: dict[str, Any] = {"allow_patterns": list(_READ), "ignore_patterns": list(_UNREAD)}
    try:
        files = snapshot_download(repository, revision=revision or None, dry_run=True, **wanted)
    except errors.DryRunError:
        files = []
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        raise JudgeFailed(f"{model} cannot be fetched from the hub: {_first_line(error)}.") from error
    _check_room(model, len(files), sum(file.file_size or 0 for file in files if file.will_download))
    # Of the commit whose files were counted: by now the revision may be another.
    commit = files[0].commit_hash if files else revision or None
    try:
        return Path(snapshot_download(repository, revision=commit, local_files_only=not files, **wanted))
    except errors.LocalEntryNotFoundError as error:
        raise JudgeFailed(f"The hub has no model {model}, or cannot be reached and it is not here.") from error
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        raise JudgeFailed(f"{model} cannot be fetched from the hub: {_first_line(error)}.") from error


def _check_room(model: str, files: int, wanted: int) -> None:
    from huggingface_hub import constants

    place = Path(constants.HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    if files > MAX_FILES or wanted > min(MAX_BYTES, shutil.disk_usage(place).free):
        raise JudgeFailed(
            f"{model} has {files} files and {wanted / 1e9:.1f} GB to fetch; at most {MAX_FILES} files and "
            f"{MAX_BYTES / 1e9:.0f} GB are, and {place} must have room for them."
        )
