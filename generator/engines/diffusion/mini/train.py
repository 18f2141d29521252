"""Teach easel-mini: `make train-mini MINUTES=60` goes on from the last checkpoint, and ctrl-C stops it safely.

The pictures to learn from are painted first. Every 10 minutes a checkpoint is written; every half hour a probe looks
for the subject in pictures of the model's own, and the score is logged.
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

from generator.engines.diffusion.mini import network, vgg
from generator.engines.diffusion.mini.captions import COMBINATIONS
from generator.engines.diffusion.mini.learning import Learner
from generator.engines.diffusion.mini.network import Shape
from generator.engines.diffusion.mini.pool import painted
from generator.engines.diffusion.mini.probe import FITTED, PROMPTS, Probe, Score
from generator.engines.diffusion.mini.wording import teach_words

CHECKPOINT = "checkpoint.pt"
LOG = "training.csv"
COLUMNS = ("minutes", "steps", "pictures", "loss", *Score._fields)
SAVE_SECONDS = 600
PROBE_SECONDS = 1800
REPORT_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    """How long, on what, and where.

    layouts: how many pictures of each combination there are. painters: the processes that paint. probe: whether to
    score. finish: make smaller and smaller steps, down to none at the end of `minutes`. start: a model to go on from
    where there is no checkpoint; it has to be of the shape that is trained.
    """

    folder: Path
    minutes: float
    device: str
    batch: int
    rate: float
    layouts: int
    painters: int
    probe: bool
    finish: bool = False
    start: Path | None = None


class Training:
    """A training in a folder: its checkpoint, its log and the painter's pictures."""

    def __init__(self, settings: Settings, shape: Shape) -> None:
        self.settings = settings
        count = settings.layouts * COMBINATIONS
        _say(f"painting {count:,} pictures, unless they are there")
        pictures = painted(settings.folder, "taught", shape.side, count, settings.painters)
        start = network.load(settings.start) if settings.start else None
        self.learner = Learner(shape, pictures, settings.device, settings.rate, start)
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
        if self.learner.step == 0 and not self.settings.start:
            _say("teaching the words")
            _say(f"the words are known: loss {teach_words(self.learner.mini):.3f}")
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
            if self.settings.finish:
                self.learner.slowed = max(0.0, end - before) / (60 * self.settings.minutes)
            losses.append(self.learner.learn(self.learner.batch(self.settings.batch)))
            # No step takes a minute: a process that was held meanwhile did not learn.
            self.seconds += min(time.monotonic() - before, 60)
        return sum(losses) / max(1, len(losses))

    def _score(self) -> Score:
        if self._probe is None:
            side = self.learner.shape.side
            judging = painted(self.settings.folder, "judging", side, FITTED + PROMPTS, self.settings.painters)
            self._probe = Probe.of_painter(judging[:FITTED])
        return self._probe.score(self.learner.averaged())

    def _log(self, loss: float, score: Score | None) -> None:
        learner, path = self.learner, self.settings.folder / LOG
        is_new = not path.exists()
        shares = [f"{share:.3f}" for share in score] if score else [""] * len(Score._fields)
        row = (f"{self.seconds / 60:.2f}", learner.step, learner.pictures, f"{loss:.4f}", *shares)
        with path.open("a", newline="") as file:
            csv.writer(file).writerows([COLUMNS, row] if is_new else [row])
        found = f"; the probe names {score.subject:.0%} of subjects" if score else ""
        _say(f"{row[0]} min, {learner.pictures:,} pictures, loss {loss:.4f}{found}")


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
    parser.add_argument("--batch", type=int, default=16 if device == "cpu" else 256, help="(%(default)s)")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate (%(default)s)")
    parser.add_argument("--layouts", type=int, default=4, help="pictures of each combination (%(default)s)")
    parser.add_argument("--painters", type=int, default=os.cpu_count() or 2, help="processes that paint (%(default)s)")
    parser.add_argument("--start", type=Path, help="folder of a model to go on from, instead of from nothing")
    parser.add_argument("--finish", action="store_true", help="make ever smaller steps, to end well")
    parser.add_argument("--threads", type=int, default=1 if device == "cpu" else 4, help="for learning (%(default)s)")
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    settings = Settings(
        options.folder,
        options.minutes,
        options.device,
        options.batch,
        options.rate,
        options.layouts,
        options.painters,
        probe=vgg.is_available(),
        finish=options.finish,
        start=options.start,
    )
    training = Training(settings, Shape(side=options.side))
    signal.signal(signal.SIGINT, training.stop)
    signal.signal(signal.SIGTERM, training.stop)
    training.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
