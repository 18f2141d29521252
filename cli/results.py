"""Saving what a service made: checked first, never over an older file, never half a file under its own name."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cli.exit_codes import Ended, Exit, wrong_use
from shared.generators.base import GenerationRequest, Result
from shared.images.codec import PictureError, decode_png

MAX_SEED = 2**32 - 1
_TRIES = 10_000


class Place:
    """A moment's names in a folder, which belong to one run alone: `<date>-<time>-<milliseconds>-...`."""

    def __init__(self, folder: Path, stem: str, draft: Path) -> None:
        self._folder = folder
        self._stem = stem
        self._draft = draft

    def save(self, result: Result, order: GenerationRequest) -> Iterator[Path]:
        """Write everything and give each path. Raises Ended with FAILED, before anything is written, for pictures that
        are no sound PNG of the ordered size, and with WRONG_USE when the folder takes no more."""
        check(result, order)
        for number, data in enumerate(result.images):
            yield self._write(f"{_label(order, number)}.png", data)
        for number, text in enumerate(result.descriptions):
            yield self._write(f"{_label(order, number)}.txt", f"{text}\n".encode())
        for number, data in enumerate(result.frames):
            yield self._write(f"{_label(order, 0)}-frame-{number:03}.png", data)

    def _write(self, label: str, data: bytes) -> Path:
        path = self._folder / f"{self._stem}-{label}"
        try:
            part = self._draft / label
            part.write_bytes(data)
            os.replace(part, path)
        except OSError as error:
            raise _unwritable(path, error) from error
        return path


@contextmanager
def reserved_place(folder: Path, clock: Callable[[], datetime] = datetime.now) -> Iterator[Place]:
    """Names that nobody else has, in a folder that is made if it is not there. Ended with WRONG_USE if it cannot be.

    A hidden folder inside holds the names for this run, and its files until they are whole; it is gone after the block.
    """
    moment = clock()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            stem = f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03}"
            if draft := _reserve(folder, stem):
                break
            moment += timedelta(milliseconds=1)
        else:
            raise wrong_use(f"{folder} has no free names for this moment: use another --out.")
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield Place(folder, stem, draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _reserve(folder: Path, stem: str) -> Path | None:
    """Making a folder is the one step that succeeds for one process alone; then nobody else can come by these names."""
    draft = folder / f".{stem}.part"
    try:
        draft.mkdir()
    except FileExistsError:
        return None
    if any(folder.glob(f"{stem}-*")):
        draft.rmdir()
        return None
    return draft


def check(result: Result, order: GenerationRequest) -> None:
    """Ended with FAILED unless every picture is one whole PNG of the ordered size, and every frame a whole PNG."""
    expected = [("picture", data, size) for data, size in zip(result.images, order.output_sizes, strict=True)]
    for kind, data, size in [*expected, *(("frame", data, None) for data in result.frames)]:
        try:
            decode_png(data, expected_size=size)
        except PictureError as error:
            raise Ended(
                Exit.FAILED, f"The service sent a {kind} that cannot be used, so nothing is saved. {error.message}"
            ) from error


def _label(order: GenerationRequest, number: int) -> str:
    """A new picture's own seed and its index; a picture that is not new has no seed."""
    return f"seed{(order.seed + number) & MAX_SEED}-{number}" if order.generates else f"{number}"


def _unwritable(path: Path, error: OSError) -> Ended:
    return wrong_use(f"{path} cannot be written: {error.strerror or error}.")
