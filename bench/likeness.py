"""Whether five pictures teach a likeness, and whether it stays out of other prompts: `python -m bench.likeness`.

In the engine's environment. A made-up creature is drawn five times; an adapter is trained from the drawings as the
service trains one. Prompts that call the creature are painted with the adapter and without, from the same seeds. The
likeness of a picture is the mean cosine of its features to those of the five, all by VGG16 (`mini.vgg`), centred on
pictures of other prompts. Prompts that do not call it are painted both ways as well, and once with another seed.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from generator.engines.adapter_files import AdapterFiles
from generator.engines.base import ImageRequest, Pixels, Trained, TrainingOrder
from generator.engines.diffusion.engine import Diffusion
from generator.engines.diffusion.mini.captions import LIGHTS, MEDIA, SUBJECTS
from generator.engines.diffusion.mini.vgg import features
from generator.engines.diffusion.training.trainer import LoraTrainer

PHOTO_SIDE = 256
BACKGROUNDS = ((204, 222, 236), (238, 214, 178), (176, 204, 160), (120, 130, 168), (232, 232, 226))
PLACES = ((128, 142, 1.0), (112, 150, 0.9), (146, 146, 0.95), (128, 152, 1.1), (134, 138, 0.85))
"""Where the creature is in each photo, and how large it is."""

SUBJECT, RANK = "animal", 8
PROMPTS = 20
AT_ONCE = 8


def photo(number: int) -> Image.Image:
    """Draw the creature: a teal ball with an orange belly, two eyes, two antennae and two feet."""
    image = Image.new("RGB", (PHOTO_SIDE * 2, PHOTO_SIDE * 2), BACKGROUNDS[number])
    draw = ImageDraw.Draw(image)
    draw.rectangle(
        (0, PHOTO_SIDE * 1.5, PHOTO_SIDE * 2, PHOTO_SIDE * 2), tuple(c * 4 // 5 for c in BACKGROUNDS[number])
    )
    x, y, size = PLACES[number]

    def ellipse(across: float, down: float, width: float, height: float, colour: tuple[int, int, int]) -> None:
        box = [
            x + size * (across - width),
            y + size * (down - height),
            x + size * (across + width),
            y + size * (down + height),
        ]
        draw.ellipse([2 * value for value in box], colour)

    for side in (-1, 1):
        line = [x + side * size * 22, y - size * 60, x + side * size * 40, y - size * 104]
        draw.line([2 * value for value in line], (16, 92, 96), 12)
        ellipse(side * 40, -104, 12, 12, (240, 196, 40))
        ellipse(side * 34, 78, 24, 14, (16, 92, 96))
    ellipse(0, 0, 76, 76, (24, 150, 150))
    ellipse(0, 26, 46, 42, (244, 150, 70))
    for side in (-1, 1):
        ellipse(side * 26, -26, 19, 21, (255, 255, 255))
        ellipse(side * 24, -24, 9, 11, (24, 24, 32))
    return image.resize((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)


def prompts(subject: str, count: int) -> list[str]:
    """Return a subject in so many lights and media, evenly chosen of all pairs."""
    pairs = [f"{subject} {light.painter}, {medium.painter}" for light in LIGHTS for medium in MEDIA]
    return [pairs[k * len(pairs) // count] for k in range(count)]


def others_of(count: int) -> list[str]:
    """Return so many prompts of the model's own subjects, in the same lights and media."""
    return [prompts(SUBJECTS[k % len(SUBJECTS)].painter, count)[k] for k in range(count)]


@dataclass(frozen=True)
class Painted:
    """Pictures of the same prompts and seeds: with the adapter, without, and without from other seeds."""

    with_it: Pixels
    without: Pixels
    other_seeds: Pixels

    @classmethod
    def of(cls, engine: Diffusion, prompts: Sequence[str], adapter: str) -> "Painted":
        """Paint them."""
        info = engine.studio.info
        plain = [
            ImageRequest(prompt, "", info.width, info.height, info.steps, info.scale, seed)
            for seed, prompt in enumerate(prompts)
        ]
        adapted = [replace(one, adapters=((adapter, 1.0),)) for one in plain]
        others = [replace(one, seed=one.seed + 1000) for one in plain]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = list(threads.map(lambda one: engine.generate(one, lambda *_: None), adapted + plain + others))
        pictures = np.stack(found).reshape(3, len(prompts), *found[0].shape)
        return cls(*pictures)

    @property
    def changed(self) -> float:
        """Return how much the adapter changes, as a share of what another seed changes."""
        return _distance(self.with_it, self.without) / _distance(self.other_seeds, self.without)


def likeness(pictures: Pixels, photos: Pixels, middle: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each picture's mean cosine to the photos, with features centred on a middle."""
    own, theirs = _directions(pictures, middle), _directions(photos, middle)
    return np.asarray((own @ theirs.T).mean(1), dtype=np.float64)


def chance_of(differences: NDArray[np.float64]) -> float:
    """Return the p of a mean difference at least as large if each pair's sign were a coin's: one-sided, exact."""
    bits = np.arange(1 << len(differences))[:, None] >> np.arange(len(differences)) & 1
    return float(((bits * 2.0 - 1) @ differences >= differences.sum() - 1e-12).mean())


def trained(photos: Pixels, steps: int, folder: Path) -> Trained:
    """Train as the service does: go on where an earlier run was interrupted, and then delete the checkpoint."""
    begin = time.monotonic()

    def report(done: float) -> None:
        sys.stderr.write(f"\rtraining: {done:.0%}, {time.monotonic() - begin:.0f} s ")

    answer = LoraTrainer().train(TrainingOrder(tuple(photos), SUBJECT, steps, RANK, 0, folder), report)
    sys.stderr.write("\n")
    shutil.rmtree(folder)
    return answer


def kept(adapter: bytes) -> str:
    """Put an adapter where the engine finds it, and return its name."""
    name = hashlib.sha256(adapter).hexdigest()
    upload = AdapterFiles().new()
    upload.add(adapter)
    upload.keep(name)
    return name


def sheet(photos: Pixels, called: Painted, others: Painted) -> Image.Image:
    """Return the photos, then two rows each: prompts that call the creature and others, without and with."""
    side, columns = called.with_it.shape[1], 10
    rows = [
        np.stack([np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.LANCZOS)) for one in photos]),
        *(found[::2][:columns] for found in (called.without, called.with_it, others.without, others.with_it)),
    ]
    gap = side // 8
    canvas = Image.new("RGB", (columns * side, len(rows) * side + 2 * gap), (255, 255, 255))
    for number, row in enumerate(rows):
        canvas.paste(Image.fromarray(np.concatenate(row, 1)), (0, number * side + gap * ((number + 1) // 2)))
    return canvas


def _directions(pictures: Pixels, middle: NDArray[np.float32]) -> NDArray[np.float32]:
    found = features(pictures) - middle
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def _distance(some: Pixels, others: Pixels) -> float:
    return float(np.abs(some.astype(np.float32) - others).mean())


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table, write the sheet and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps-per-photo", type=int, default=300, help="(%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("var/likeness"), help="of the checkpoint (%(default)s)")
    parser.add_argument("--picture", type=Path, help="write a contact sheet there: PNG or WebP")
    options = parser.parse_args(argv)
    photos = np.stack([np.asarray(photo(number)) for number in range(len(PLACES))])
    options.folder.mkdir(parents=True, exist_ok=True)
    answer = trained(photos, options.steps_per_photo * len(photos), options.folder)
    with tempfile.TemporaryDirectory() as adapters:
        os.environ["EASEL_ADAPTERS"] = adapters
        name, engine = kept(answer.adapter), Diffusion()
        called = Painted.of(engine, prompts(str(answer.report["trigger"]), PROMPTS), name)
        others = Painted.of(engine, others_of(PROMPTS), name)
    middle = features(others.without).mean(0)
    like = {with_it: likeness(getattr(called, with_it), photos, middle) for with_it in ("with_it", "without")}
    gained = like["with_it"] - like["without"]
    print(f"training: {answer.report}; adapter of {len(answer.adapter):,} bytes")
    print("| prompts | with the adapter | without | higher in | p |\n|---|---:|---:|---:|---:|")
    print(
        f"| call it ({PROMPTS}): likeness | {like['with_it'].mean():.3f} | {like['without'].mean():.3f} "
        f"| {(gained > 0).sum()} of {PROMPTS} | {chance_of(gained):.1e} |"
    )
    leaked = likeness(others.with_it, photos, middle) - likeness(others.without, photos, middle)
    print(
        f"| do not call it ({PROMPTS}): likeness | {leaked.mean():+.3f} more | "
        f"| {(leaked > 0).sum()} of {PROMPTS} | {chance_of(leaked):.1e} |"
    )
    print(f"| change of pixels, as a share of what another seed changes: called | {called.changed:.2f} | | | |")
    print(f"| the same, not called | {others.changed:.2f} | | | |")
    if options.picture:
        found = sheet(photos, called, others)
        found.resize((found.width * 3 // 2, found.height * 3 // 2), Image.Resampling.LANCZOS).save(options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
