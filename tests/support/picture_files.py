"""Pictures that go in, and the names of the files that come out."""

import re
from pathlib import Path
from typing import Any

from PIL import Image


def picture(folder: Path, name: str, size: tuple[int, int], **options: Any) -> str:
    path = folder / name
    Image.linear_gradient("L").resize(size).convert("RGB").save(path, **options)
    return str(path)


def saved(out: Path) -> list[str]:
    """The files' names without the moment before them."""
    return sorted(re.sub(r"^\d{8}-\d{6}-\d{3}-", "", path.name) for path in out.iterdir())
