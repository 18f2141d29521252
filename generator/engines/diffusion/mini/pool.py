"""The pictures that easel-mini learns from: a file of them, painted by processes beside the training."""

import multiprocessing
import multiprocessing.pool
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from generator.engines.base import ImageRequest, Pixels, unwatched
from generator.engines.diffusion.mini.captions import labels_of

STEPS = 20
SCALE = 7.5


def paint(number: int, side: int) -> Pixels:
    """Return picture `number`; the number is also its seed."""
    from easel_painter import Painter

    request = ImageRequest(labels_of(number).prompt, "", side, side, STEPS, SCALE, number)
    return Painter().generate(request, unwatched)


def _paint_one(order: tuple[int, int]) -> Pixels:
    return paint(*order)


def _give_way() -> None:
    """Leave the processor to the training, and ctrl-C too."""
    os.nice(5)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Pool:
    """`count` pictures of `side` pixels in a file that is mapped into memory; `done` of them are painted."""

    def __init__(self, folder: Path, side: int, count: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.side, self.count = side, count
        path = folder / f"painter-{side}px-{count}.npy"
        mode = "r+" if path.exists() else "w+"
        self.pictures = np.lib.format.open_memmap(path, mode, np.uint8, (count, side, side, 3))
        self._counter = path.with_suffix(".done")
        self.done = int(self._counter.read_text()) if self._counter.exists() else 0
        self._grown = threading.Condition()

    def start_painting(self, processes: int) -> None:
        """Paint what is missing, in order, while the caller goes on."""
        if self.done < self.count:
            threading.Thread(target=self._paint, args=(processes,), daemon=True).start()

    def wait_for(self, count: int) -> None:
        """Return once so many pictures are painted, or all of them."""
        with self._grown:
            self._grown.wait_for(lambda: self.done >= min(count, self.count))

    def _paint(self, processes: int) -> None:
        # Spawned, since a copy of a process that computes with threads may hang.
        context = multiprocessing.get_context("spawn")
        with context.Pool(processes, _give_way) as workers:
            for number, picture in enumerate(self._from(workers), self.done):
                self.pictures[number] = picture
                if (number + 1) % 50 == 0 or number + 1 == self.count:
                    self._note(number + 1)

    def _from(self, workers: "multiprocessing.pool.Pool") -> Iterator[Pixels]:
        return workers.imap(_paint_one, ((number, self.side) for number in range(self.done, self.count)), chunksize=10)

    def _note(self, done: int) -> None:
        self.pictures.flush()
        self._counter.write_text(str(done))
        with self._grown:
            self.done = done
            self._grown.notify_all()
