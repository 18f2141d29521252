"""A small folder of scenes for the tests: two places and three actions of 64x64 pixels."""

import io
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from shared.scenes import catalogue
from shared.scenes.catalogue import Imported
from shared.scenes.folder import read_folder
from shared.services import Services

SIDE_PX = 64
WORDS = """
[[places]]
key = "park"
en = "Park"
ru = "Парк"
pictures = ["in a green park", "in a park in autumn"]

[[places]]
key = "beach"
en = "Beach"
ru = "Пляж"
pictures = ["on a beach"]

[[actions]]
key = "reading"
en = "Reading"
ru = "Читает"
description = "reading an open book"
description_ru = "читает книгу; чтение"

[[actions]]
key = "running"
en = "Running"
ru = "Бежит"
description = "running fast"
description_ru = "быстро бежит; пробежка"

[[actions]]
key = "waving"
en = "Waving"
ru = "Машет"
description = "waving a raised hand"
description_ru = "машет поднятой рукой"
"""


def picture(colour: int, *, box: tuple[int, int, int, int] | None = None, size: tuple[int, int] = (64, 64)) -> bytes:
    """Return a PNG of one grey, with a white box."""
    image = Image.new("L", size, colour)
    if box is not None:
        image.paste(255, box)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def write(folder: Path) -> Path:
    """Write the folder and return it."""
    for place, numbers in (("park", (1, 2)), ("beach", (1,))):
        (folder / "places" / place).mkdir(parents=True)
        for number in numbers:
            (folder / "places" / place / f"{number}.png").write_bytes(picture(60 + 20 * number))
    for shade, action in enumerate(("reading", "running", "waving")):
        (folder / "actions" / action).mkdir(parents=True)
        for reach, shot in ((30, "CLS"), (20, "MES"), (10, "FUS")):
            stem = folder / "actions" / action
            box = (32 - reach, 60 - 2 * (reach - 5), 32 + reach, 60)
            (stem / f"{shot}-pose.png").write_bytes(picture(10 * shade, box=box))
            (stem / f"{shot}-pose_mask.png").write_bytes(picture(0, box=box))
            (stem / f"{shot}-face_mask.png").write_bytes(picture(0, box=(30, box[1], 34, box[1] + 4)))
    (folder / "scenes.toml").write_text(WORDS, encoding="utf-8")
    return folder


def importer(services: Services, folder: Path) -> Callable[[], Imported]:
    """Return a function that imports the folder as it is now."""
    return lambda: catalogue.import_folder(services, read_folder(folder))
