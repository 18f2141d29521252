"""Saves the pictures of a service: checked first, never over an existing file, never an incomplete file."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cli.exit_codes import CommandError, ExitCode, usage_error
from shared.generators.base import GenerationRequest, Result
from shared.images.codec import PictureError, to_png

MAX_SEED = 2**32 - 1
_MAX_NAMES_TRIED = 10_000


class ReservedNames:
    """The file names of one moment in a folder, reserved for one run: `<date>-<time>-<milliseconds>-...`."""

    def __init__(self, folder: Path, stem: str, draft: Path) -> None:
        self._folder = folder
        self._stem = stem
        self._draft = draft

    def save(self, result: Result, generation: GenerationRequest) -> Iterator[Path]:
        """Write every file and yield its path.

        Raises:
            CommandError: With FAILED, before anything is written, if a picture is not a valid one of the requested
                size; with USAGE_ERROR if the folder cannot be written.
        """
        result = checked(result, generation)
        for number, data in enumerate(result.images):
            yield self._write(f"{_label(generation, number)}.png", data)
        for number, text in enumerate(result.descriptions):
            yield self._write(f"{_label(generation, number)}.txt", f"{text}\n".encode())
        for number, data in enumerate(result.frames):
            yield self._write(f"{_label(generation, 0)}-frame-{number:03}.png", data)

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
def reserve_names(folder: Path, clock: Callable[[], datetime] = datetime.now) -> Iterator[ReservedNames]:
    """Reserve unused file names in a folder, which is created if it does not exist.

    A hidden folder inside reserves the names, and holds the files until they are complete; it is deleted at the end.

    Raises:
        CommandError: With USAGE_ERROR, if the folder cannot be created or written.
    """
    moment = clock()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(_MAX_NAMES_TRIED):
            stem = f"{moment:%Y%m%d-%H%M%S}-{moment.microsecond // 1000:03}"
            if draft := _reserve(folder, stem):
                break
            moment += timedelta(milliseconds=1)
        else:
            raise usage_error(f"{folder} has no free names for this moment: use another --out.")
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield ReservedNames(folder, stem, draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _reserve(folder: Path, stem: str) -> Path | None:
    """Create the hidden folder, which succeeds for one process only; None if the names are in use."""
    draft = folder / f".{stem}.part"
    try:
        draft.mkdir()
    except FileExistsError:
        return None
    if any(folder.glob(f"{stem}-*")):
        draft.rmdir()
        return None
    return draft


def checked(result: Result, generation: GenerationRequest) -> Result:
    """Return the result with every picture and frame as a PNG file; every picture has the requested size.

    Raises:
        CommandError: With FAILED, if one is not.
    """
    images = zip(result.images, generation.output_sizes, strict=True)
    return replace(
        result,
        images=tuple(_png(data, size, "picture") for data, size in images),
        frames=tuple(_png(data, None, "frame") for data in result.frames),
    )


def _png(data: bytes, expected_size: tuple[int, int] | None, kind: str) -> bytes:
    try:
        return to_png(data, expected_size=expected_size)
    except PictureError as error:
        raise CommandError(
            ExitCode.FAILED, f"The service sent a {kind} that cannot be used, so nothing is saved. {error.message}"
        ) from error


def _label(generation: GenerationRequest, number: int) -> str:
    """Return a file's label: the picture's seed and index; a picture that is not newly generated has no seed."""
    return f"seed{(generation.seed + number) & MAX_SEED}-{number}" if generation.generates else f"{number}"


def _unwritable(path: Path, error: OSError) -> CommandError:
    return usage_error(f"{path} cannot be written: {error.strerror or error}.")
