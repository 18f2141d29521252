"""Picture files as input, and the names of the saved files."""

import re
from pathlib import Path
from typing import Any

from PIL import Image


def picture(folder: Path, name: str, size: tuple[int, int], **options: Any) -> str:
    """Write a picture into a folder; return its path."""
    path = folder / name
    Image.linear_gradient("L").resize(size).convert("RGB").save(path, **options)
    return str(path)


def saved(out: Path) -> list[str]:
    """Return the files' names without the time at their beginning."""
    return sorted(re.sub(r"^\d{8}-\d{6}-\d{3}-", "", path.name) for path in out.iterdir())
