"""Teach easel-mini: `make train-mini MINUTES=60` goes on from the last checkpoint, and ctrl-C stops it safely.

Pictures are painted meanwhile by other processes. Every 10 minutes a checkpoint is written; every half hour a probe
looks for the subject in pictures of the model's own, and the score is logged.
"""

import argparse
import csv
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch

from generator.engines.diffusion.mini import vgg
from generator.engines.diffusion.mini.learning import Learner
from generator.engines.diffusion.mini.network import Shape
from generator.engines.diffusion.mini.pool import Pool
from generator.engines.diffusion.mini.probe import Probe, Score

CHECKPOINT = "checkpoint.pt"
LOG = "training.csv"
COLUMNS = ("minutes", "steps", "pictures", "loss", *Score._fields)
FEWEST_PICTURES = 432
"""Each combination of subject, medium and light once."""

SAVE_SECONDS = 600
PROBE_SECONDS = 1800
REPORT_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    """How long, on what, and where. `painters` is the number of processes that paint, `probe` whether to score."""

    folder: Path
    minutes: float
    device: str
    batch: int
    rate: float
    pool: int
    painters: int
    probe: bool


class Training:
    """A training in a folder: its checkpoint, its log and the painter's pictures."""

    def __init__(self, settings: Settings, shape: Shape) -> None:
        self.settings = settings
        self.pool = Pool(settings.folder, shape.side, settings.pool)
        self.learner = Learner(shape, settings.device, settings.rate)
        if (settings.folder / CHECKPOINT).exists():
            self.learner.resume(settings.folder / CHECKPOINT)
            _say(f"going on after {self.learner.pictures:,} pictures")
        self.seconds = 60 * _last_minute(settings.folder / LOG)
        self.stopping = False
        self._probe: Probe | None = None

    def stop(self, number: int = 0, frame: FrameType | None = None) -> None:
        """End after the current step, with a checkpoint."""
        del number, frame
        _say("stopping")
        self.stopping = True

    def run(self) -> None:
        """Learn for as long as the settings say, or until told to stop."""
        if self.settings.painters:
            self.pool.start_painting(self.settings.painters)
        _say("waiting for the first pictures")
        self.pool.wait_for(FEWEST_PICTURES)
        end = time.monotonic() + 60 * self.settings.minutes
        saved = time.monotonic()
        while not self.stopping and time.monotonic() < end:
            before = self.seconds
            loss = self._minute(end)
            probed = self.settings.probe and before // PROBE_SECONDS != self.seconds // PROBE_SECONDS
            self._log(loss, self._score() if probed else None)
            if probed or time.monotonic() - saved > SAVE_SECONDS:
                self.learner.save(self.settings.folder / CHECKPOINT)
                saved = time.monotonic()
        self.learner.save(self.settings.folder / CHECKPOINT)

    def _minute(self, end: float) -> float:
        """Learn for about a minute and return the mean loss."""
        began, losses = self.seconds, []
        while not self.stopping and time.monotonic() < end and self.seconds - began < REPORT_SECONDS:
            before = time.monotonic()
            batch = self.learner.batch(self.pool.pictures[: self.pool.done], self.settings.batch)
            losses.append(self.learner.learn(batch))
            # No step takes a minute: a process that was held meanwhile did not learn.
            self.seconds += min(time.monotonic() - before, 60)
        return sum(losses) / max(1, len(losses))

    def _score(self) -> Score:
        if self._probe is None:
            self._probe = Probe.of_painter(self.pool.pictures[: self.pool.done])
        return self._probe.score(self.learner.averaged())

    def _log(self, loss: float, score: Score | None) -> None:
        learner, path = self.learner, self.settings.folder / LOG
        is_new = not path.exists()
        shares = [f"{share:.3f}" for share in score] if score else [""] * len(Score._fields)
        row = (f"{self.seconds / 60:.2f}", learner.step, learner.pictures, f"{loss:.4f}", *shares)
        with path.open("a", newline="") as file:
            csv.writer(file).writerows([COLUMNS, row] if is_new else [row])
        found = f"; the probe names {score.subject:.0%} of subjects" if score else ""
        _say(f"{row[0]} min, {learner.pictures:,} pictures of {self.pool.done:,}, loss {loss:.4f}{found}")


def _last_minute(log: Path) -> float:
    """Return the minutes of the last row of a log, 0 without one."""
    rows = log.read_text().splitlines() if log.exists() else []
    return float(rows[-1].split(",")[0]) if len(rows) > 1 else 0.0


def _say(words: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Train and return the exit code."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("var/mini"), help="checkpoint, log, pictures (%(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="how long (%(default)s)")
    parser.add_argument("--device", default=device, help="cpu or cuda (%(default)s)")
    parser.add_argument("--side", type=int, default=64, choices=(64, 128), help="pixels; 128 wants a GPU (%(default)s)")
    parser.add_argument("--batch", type=int, default=8 if device == "cpu" else 256, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=6e-4, help="learning rate (%(default)s)")
    parser.add_argument("--pool", type=int, default=18_000, help="pictures to paint (%(default)s)")
    parser.add_argument(
        "--painters", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="processes (%(default)s)"
    )
    parser.add_argument("--threads", type=int, default=1 if device == "cpu" else 4, help="for learning (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    settings = Settings(
        options.folder,
        options.minutes,
        options.device,
        options.batch,
        options.rate,
        options.pool,
        options.painters,
        probe=vgg.is_available(),
    )
    training = Training(settings, Shape(side=options.side))
    signal.signal(signal.SIGINT, training.stop)
    signal.signal(signal.SIGTERM, training.stop)
    training.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
