"""How many pictures are in a style, by a judge: shares with Wilson intervals. A CSV file keeps the answers."""

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PIL import Image

SUFFIXES = (".jpeg", ".jpg", ".png", ".webp")
MAX_PICTURES = 100_000
MAX_PIXELS = 64_000_000
FIELDS = ("picture", "style", "judge", "answer")
Z_95 = 1.959964
"""Two-sided 95 %."""


class Judge(Protocol):
    """Answers whether a picture is in a style."""

    @property
    def name(self) -> str:
        """The judge's name in the results."""

    def is_in_style(self, picture: Image.Image, style: str) -> bool:
        """Answer "is this picture in style X?"."""


@dataclass(frozen=True)
class Share:
    """The share of the pictures of one kind that are in a style, with its 95 % interval."""

    kind: str
    style: str
    positive: int
    asked: int

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.positive / self.asked

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval."""
        return wilson(self.positive, self.asked)


def wilson(positive: int, asked: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a share (Wilson 1927); without questions it is everything."""
    if not asked:
        return 0.0, 1.0
    share = positive / asked
    spread = z * math.sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked))
    middle, scale = share + z * z / (2 * asked), 1 + z * z / asked
    low, high = (middle - spread) / scale, (middle + spread) / scale
    # Where all answers are the same, rounding must not push the end of the interval past the share.
    return low if positive else 0.0, high if positive < asked else 1.0


def list_pictures(dataset: Path) -> list[Path]:
    """Return the pictures in a folder and its folders, which are their kinds, in order."""
    found = sorted(path for path in dataset.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return found[:MAX_PICTURES]


def evaluate(
    dataset: Path, styles: Sequence[str], judge: Judge, results: Path, show: Callable[[int, int], None]
) -> list[Share]:
    """Ask about each picture and style that `results` does not hold yet, and return the shares by kind and style.

    Each answer is written at once. A file that cannot be read as a picture is passed over.
    """
    pictures = list_pictures(dataset)
    answers = {key: answer for key, answer in _read(results) if key[2] == judge.name}
    done, total = 0, len(pictures) * len(styles)
    fresh = not results.exists()
    with results.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if fresh:
            writer.writerow(FIELDS)
        for path in pictures:
            name = path.relative_to(dataset).as_posix()
            missing = [style for style in styles if (name, style, judge.name) not in answers]
            picture = _open(path) if missing else None
            for style in missing if picture is not None else ():
                assert picture is not None
                answer = judge.is_in_style(picture, style)
                answers[name, style, judge.name] = answer
                writer.writerow((name, style, judge.name, int(answer)))
                file.flush()
            done += len(styles)
            show(done, total)
    names = {path.relative_to(dataset).as_posix() for path in pictures}
    return _shares({key: answer for key, answer in answers.items() if key[0] in names}, styles)


def _read(results: Path) -> Iterable[tuple[tuple[str, str, str], bool]]:
    """Read the answers of earlier runs; the last line may be half written, when a run was killed."""
    if results.exists():
        with results.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                if len(row) == len(FIELDS) and row[3] in ("0", "1"):
                    yield (row[0], row[1], row[2]), row[3] == "1"


def _open(path: Path) -> Image.Image | None:
    try:
        with Image.open(path) as image:
            return image.convert("RGB") if image.width * image.height <= MAX_PIXELS else None
    except (OSError, ValueError, Image.DecompressionBombError):
        return None


def _shares(answers: dict[tuple[str, str, str], bool], styles: Sequence[str]) -> list[Share]:
    kinds: dict[str, dict[str, list[bool]]] = {}
    for (name, style, _), answer in sorted(answers.items()):
        kind = name.rsplit("/", 1)[0] if "/" in name else "all"
        kinds.setdefault(kind, {}).setdefault(style, []).append(answer)
    return [
        Share(kind, style, sum(found[style]), len(found[style]))
        for kind, found in kinds.items()
        for style in styles
        if style in found
    ]
