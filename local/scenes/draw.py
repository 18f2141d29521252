"""Draw `shared/scenes/starter`, the places and actions that come with Easel: `make scenes`.

The painter paints the places, with fixed seeds; the mannequins are drawn here. The words are in its `scenes.toml`.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from generator.engines.base import ImageRequest, unwatched
from generator.engines.registry import load_engine
from local.config import CHECKOUT
from local.scenes.mannequin import draw
from local.scenes.poses import BODIES, frame

OUT = CHECKOUT / "shared" / "scenes" / "starter"
SIDE_PX = 512
QUALITY = 80
SHOTS = ("CLS", "MES", "FUS")

PLACES = {
    "park": (("a green meadow in a park with trees in summer, photo", 11), ("a path in a park in autumn, photo", 5)),
    "beach": (("a sandy beach by the calm sea at noon, photo", 3), ("a sandy beach by the sea at sunset, photo", 8)),
    "street": (("a city street by day, photo", 4), ("a city street at night, photo", 9)),
    "mountains": (("a meadow below snowy mountains, photo", 2), ("green hills and mountains at dusk, photo", 6)),
}
"""The prompt and the seed of each picture of a place."""


def paint_place(key: str, number: int, prompt: str, seed: int) -> None:
    """Paint a picture of a place."""
    wanted = ImageRequest(
        prompt=prompt, negative_prompt="", width=SIDE_PX, height=SIDE_PX, steps=50, scale=7.5, seed=seed
    )
    pixels = load_engine("painter").generate(wanted, unwatched)
    _save(Image.fromarray(pixels), OUT / "places" / key / f"{number}.webp")


def draw_action(key: str, shot: str) -> None:
    """Draw an action in a shot, with its masks."""
    body = BODIES[key]()
    drawn = draw(body.parts(), body.face, frame(body, shot), SIDE_PX)
    folder = OUT / "actions" / key
    _save(drawn.pose, folder / f"{shot}-pose.webp")
    for name, mask in (("pose_mask", drawn.pose_mask), ("face_mask", drawn.face_mask)):
        mask.save(folder / f"{shot}-{name}.png", optimize=True)


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=QUALITY, method=6)


def main() -> int:
    """Draw everything and return the exit code."""
    with ProcessPoolExecutor() as pool:
        jobs = [
            pool.submit(paint_place, key, number, prompt, seed)
            for key, painted in PLACES.items()
            for number, (prompt, seed) in enumerate(painted, 1)
        ]
        jobs += [pool.submit(draw_action, key, shot) for key in BODIES for shot in SHOTS]
        for job in jobs:
            job.result()
    size_bytes = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file())
    sys.stdout.write(f"{OUT} has {size_bytes} bytes.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
