"""Write the averaged weights of the last checkpoint as a model's folder, with the log of the training beside them."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from generator.engines.diffusion.mini import network
from generator.engines.diffusion.mini.learning import read
from generator.engines.diffusion.mini.train import CHECKPOINT, LOG

MODEL = Path(__file__).parent / "model"
"""Where the engine finds easel-mini."""


def export(training: Path, folder: Path) -> None:
    """Write the model of a training's folder."""
    mini = read(training / CHECKPOINT)
    network.save(mini, folder)
    if (training / LOG).exists():
        shutil.copy(training / LOG, folder / LOG)


def main(argv: Sequence[str] | None = None) -> int:
    """Export and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("var/mini"), help="that of the training (%(default)s)")
    parser.add_argument("--out", type=Path, default=MODEL, help="(%(default)s)")
    options = parser.parse_args(argv)
    export(options.folder, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
