"""A scriptable server that speaks the Glide API over real HTTP, for tests and benchmarks.

    with FakeGlide() as fake:
        client = connect(fake.address)

Picture k of a sheet is filled with the colour `colour(k)`.
"""

import base64
import io
import json
from functools import lru_cache
from typing import Any

from PIL import Image

from shared.generators.abilities import GLIDE_SIZES
from shared.testing.fake_server import DrawingServer

MAX_BATCH = 64


def colour(index: int) -> tuple[int, int, int]:
    """Return the colour (RGB) of a picture by its index in the sheet."""
    return (30 + 20 * index % 200, 200 - 20 * index % 180, 120)


class FakeGlide(DrawingServer):
    """Serves on a free loopback port inside `with`. Its attributes may be changed while it runs.

    columns: how many pictures a row of a sheet has; None: all of them.
    down: while true, every call is answered with 503.
    counts: also `generated` and `refused`.
    """

    protocol = "glide"

    def __init__(self, *, max_in_flight: int = 4, columns: int | None = None) -> None:
        super().__init__(max_in_flight)
        self.columns = columns

    def draws(self, method: str, path: str, fields: dict[str, Any]) -> bool:
        """Return whether this call asks for a picture that can be drawn."""
        return (method, path) == ("GET", "/image") and not _wrong_field(fields)

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Return the HTTP status and the JSON value for one call."""
        if self.down:
            return 503, {"error": "down"}
        if (method, path) != ("GET", "/image"):
            return 404, {"error": "not found"}
        if wrong := _wrong_field(fields):
            self.counts["refused"] += 1
            return 422, {"detail": [{"loc": ["query", wrong], "msg": "a wrong value"}]}
        self.counts["generated"] += 1
        return 200, _sheet_json(int(fields["size"]), int(fields.get("batch_size", 1)), self.columns)


def _wrong_field(fields: dict[str, Any]) -> str | None:
    """Return the name of the first parameter that is missing or out of range, or None."""
    if fields.get("size") not in [str(size) for size in GLIDE_SIZES]:
        return "size"
    if not fields.get("prompt"):
        return "prompt"
    batch = fields.get("batch_size", "1")
    if not (batch.isascii() and batch.isdigit() and 1 <= int(batch) <= MAX_BATCH):
        return "batch_size"
    for name in ("guidance_scale", "upsample_temp"):
        if not fields.get(name, "1").replace(".", "", 1).isdigit():
            return name
    return None


@lru_cache(maxsize=64)
def _sheet_json(size: int, batch: int, columns: int | None) -> bytes:
    columns = columns or batch
    sheet = Image.new("RGB", (columns * size, -(-batch // columns) * size))
    for index in range(batch):
        row, column = divmod(index, columns)
        sheet.paste(colour(index), (column * size, row * size, (column + 1) * size, (row + 1) * size))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG", compress_level=1)
    answer = {
        "data_type": "image/png;base64",
        "gpu_memory_allocated": "0.00 Gb",
        "gpu_memory_reserved": "0.00 Gb",
        "image": base64.b64encode(buffer.getvalue()).decode(),
        "image_size": size,
        "processing_time": "0.0 s",
    }
    return json.dumps(answer).encode()
