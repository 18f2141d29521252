"""Paint the scenes of the starter set with the built-in engine, side by side: `make sheet` writes docs/scenes.webp.

A row for each action and two columns for each shot; the places take turns.
"""

import argparse
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from generator.engines.base import ImageRequest, Scene, unwatched
from generator.engines.registry import load_engine
from shared.api.scene_schemas import SHOTS, SceneRequest
from shared.scenes.composition import compose
from shared.scenes.starter_set import STARTER

SIDE_PX, GAP_PX, STEPS, SEED = 256, 4, 20, 3
WHO = (("young", "woman"), ("adult", "man"), ("old", "woman"), ("young", "man"), ("adult", "woman"), ("old", "man"))
WORN = ("wearing a red coat", "wearing a green jacket", "wearing a blue dress", "wearing an orange shirt")


def paint(number: int, action: str, shot: str, place: str, picture: int) -> Image.Image:
    """Return the scene of an action in a shot at a picture of a place."""
    words = tomllib.loads((STARTER / "scenes.toml").read_text(encoding="utf-8"))
    described = {one["key"]: one for one in (*words["places"], *words["actions"])}
    age, gender = WHO[number % len(WHO)]
    asked = {"place": place, "action": action, "shot": shot, "age": age, "gender": gender}
    request = SceneRequest.model_validate(asked | {"details": WORN[number % len(WORN)]})
    prompt = compose(request, described[action]["description"], described[place]["pictures"][picture])
    stem = STARTER / "actions" / action
    scene = Scene(
        _pixels(STARTER / "places" / place / f"{picture + 1}.webp", "RGB"),
        _pixels(stem / f"{shot}-pose.webp", "RGB"),
        _pixels(stem / f"{shot}-pose_mask.png", "L"),
        _pixels(stem / f"{shot}-face_mask.png", "L"),
    )
    wanted = ImageRequest(prompt, "", SIDE_PX, SIDE_PX, STEPS, 7.5, SEED + number)
    return Image.fromarray(load_engine("painter").place(scene, wanted, unwatched))


def _pixels(path: Path, mode: str) -> np.ndarray:
    how = Image.Resampling.LANCZOS if mode == "RGB" else Image.Resampling.NEAREST
    return np.asarray(Image.open(path).convert(mode).resize((SIDE_PX, SIDE_PX), how))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "scenes.webp", help="(%(default)s)")
    parser.add_argument("--side", type=int, default=176, help="pixels of each picture (%(default)s)")
    options = parser.parse_args(argv)
    words = tomllib.loads((STARTER / "scenes.toml").read_text(encoding="utf-8"))
    backgrounds = [(one["key"], index) for index in range(2) for one in words["places"]]
    cells = [(one["key"], shot) for one in words["actions"] for shot in SHOTS for _ in range(2)]
    with ProcessPoolExecutor() as pool:
        painting = [
            pool.submit(paint, number, action, shot, *backgrounds[(number + number // 8) % len(backgrounds)])
            for number, (action, shot) in enumerate(cells)
        ]
        side, columns = options.side, 2 * len(SHOTS)
        step = side + GAP_PX
        sheet = Image.new("RGB", (columns * step - GAP_PX, len(cells) // columns * step - GAP_PX), "white")
        for number, scene in enumerate(painting):
            small = scene.result().resize((side, side), Image.Resampling.LANCZOS)
            sheet.paste(small, (number % columns * step, number // columns * step))
    sheet.save(options.out, quality=78)
    sys.stdout.write(f"{len(cells)} scenes in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
