"""The pictures that easel-mini learns from and is judged by: files of them, painted once by several processes."""

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import numpy as np

from generator.engines.base import ImageRequest, Pixels, unwatched
from generator.engines.diffusion.mini.captions import COMBINATIONS, labels_of

STEPS = 20
SCALE = 7.5
TAUGHT_SEED = 1000
"""Where the seeds of the pictures to learn from begin; those that judge have others."""


def taught(number: int, side: int) -> Pixels:
    """Paint picture `number` to learn from. Each run of all combinations has one seed.

    With one seed the painter places a subject alike in every medium and at most times of day, so that what is learnt of
    a subject in one picture helps in the others.
    """
    return _paint(number, side, TAUGHT_SEED + number // COMBINATIONS)


def judging(number: int, side: int) -> Pixels:
    """Paint picture `number` of those that show a judge what things look like: each has a seed of its own."""
    return _paint(number, side, TAUGHT_SEED * 1000 + number)


def _paint(number: int, side: int, seed: int) -> Pixels:
    from easel_painter import Painter

    return Painter().generate(ImageRequest(labels_of(number).prompt, "", side, side, STEPS, SCALE, seed), unwatched)


PAINTERS = {"taught": taught, "judging": judging}


def painted(folder: Path, kind: str, side: int, count: int, processes: int) -> Pixels:
    """Return the first `count` pictures of a kind (N x side x side x 3); paint those that the folder lacks.

    An interrupted call goes on where it ended.
    """
    path = folder / f"{kind}-{side}px-{count}.npy"
    if path.exists():
        return np.asarray(np.load(path))
    folder.mkdir(parents=True, exist_ok=True)
    part, note = path.with_suffix(".part"), path.with_suffix(".done")
    pictures = np.memmap(part, np.uint8, "r+" if part.exists() else "w+", shape=(count, side, side, 3))
    done = int(note.read_text()) if note.exists() else 0
    # Spawned, since a copy of a process that computes with threads may hang.
    with multiprocessing.get_context("spawn").Pool(processes, _ignore_interrupts) as workers:
        paint = partial(PAINTERS[kind], side=side)
        for number, picture in enumerate(workers.imap(paint, range(done, count), chunksize=8), done):
            pictures[number] = picture
            if number % 100 == 99:
                pictures.flush()
                note.write_text(str(number + 1))
    with part.with_suffix(".whole").open("wb") as file:
        np.save(file, pictures)
    os.replace(part.with_suffix(".whole"), path)
    for left in (part, note):
        left.unlink(missing_ok=True)
    return np.array(pictures)


def _ignore_interrupts() -> None:
    """Leave ctrl-C to the training."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
