"""The recipe in a picture's PNG: how it was made.

There are two text chunks: `parameters` in the form that AUTOMATIC1111's web UI writes and many programs read, and
`easel`, JSON with everything. This module does not use Pillow, so any part can read a recipe.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.images.png import PNG_SIGNATURE

SCHEMA_VERSION = 1
# A job's longest texts take 190 KiB if each character is escaped as a surrogate pair.
MAX_RECIPE_BYTES = 256 * 1024
MAX_CHUNKS = 256


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything needed to make one picture again.

    `prompt` and `negative_prompt` are as the user typed them, `sent_prompt` and `sent_negative_prompt` as the generator
    got them, with the words of type and style.
    `settings`: every resolved setting of the job under its API name (JSON values). `seed` and `index` are this
    picture's; the seed is None if the generator did not follow it. `source_images` is how many start pictures there
    were. `not_followed` names the settings that the generator ignored, so that the same recipe gives another picture.
    `generator` is its protocol; `engine`, `sampler` and `model` are the names that it reports, if it does, and
    `model_revision` is a fingerprint of the model's weights: another one gives other pixels. `created_at` is ISO 8601
    in UTC.

    Pictures are published with their recipe, so it names nothing about their owner or the site's inner network.
    """

    prompt: str
    negative_prompt: str
    settings: Mapping[str, Any]
    seed: int | None
    index: int
    generator: str
    job_id: str
    created_at: str
    description: str | None = None
    sent_prompt: str | None = None
    sent_negative_prompt: str | None = None
    source_images: int = 0
    engine: str | None = None
    sampler: str | None = None
    model: str | None = None
    model_revision: str | None = None
    not_followed: tuple[str, ...] = ()
    schema: int = field(default=SCHEMA_VERSION, kw_only=True)


def recipe_json(recipe: Recipe) -> str:
    """Return the `easel` chunk, in ASCII, which fits every kind of text chunk.

    Raises:
        ValueError: It is larger than 256 KiB.
    """
    text = json.dumps(asdict(recipe), sort_keys=True, separators=(",", ":"), allow_nan=False)
    if len(text) > MAX_RECIPE_BYTES:
        raise ValueError(f"a recipe has at most {MAX_RECIPE_BYTES} bytes.")
    return text


def parameters_text(recipe: Recipe) -> str:
    """Return the `parameters` chunk: the prompt, the negative prompt if there is one, and a line of settings.

    The prompt is the one that was sent. Settings that the generator did not follow are left out, since programs that
    read this form would promise the same picture again. Readers expect a sampler, so there always is one.
    """
    settings = {name: value for name, value in recipe.settings.items() if name not in recipe.not_followed}
    width, height = settings.get("width"), settings.get("height")
    upscale = settings.get("upscale")
    values = {
        "Steps": settings.get("steps"),
        "Sampler": recipe.sampler or "unknown",
        "CFG scale": settings.get("scale"),
        "Seed": recipe.seed,
        "Size": f"{width}x{height}" if width and height else None,
        "Model": recipe.model or recipe.engine,
        "Denoising strength": settings.get("strength") if recipe.source_images else None,
        "Hires upscale": upscale if upscale and upscale > 1 else None,
        "Version": "Easel",
    }
    lines = [_one_line(recipe.prompt if recipe.sent_prompt is None else recipe.sent_prompt)]
    negative = recipe.negative_prompt if recipe.sent_negative_prompt is None else recipe.sent_negative_prompt
    if negative and "negative_prompt" not in recipe.not_followed:
        lines.append(f"Negative prompt: {_one_line(negative)}")
    lines.append(", ".join(f"{name}: {_quoted(value)}" for name, value in values.items() if value is not None))
    return "\n".join(lines).replace("\0", "")


def read_recipe(png: bytes) -> dict[str, Any] | None:
    """Return the content of a PNG's `easel` chunk, or None if there is no valid one. Nothing is decompressed.

    The file may come from anywhere: check the values before using them.
    """
    for kind, data in _chunks_before_pixels(png):
        if kind == b"tEXt" and data.startswith(b"easel\0"):
            try:
                recipe = json.loads(data[6:].decode("ascii"))
            except (ValueError, RecursionError):
                return None
            return recipe if isinstance(recipe, dict) else None
    return None


def _one_line(text: str) -> str:
    """Return a prompt in which readers find neither a line of settings nor the beginning of a negative prompt."""
    return " ".join(text.splitlines()).replace("Negative prompt:", "Negative prompt :")


def _quoted(value: object) -> str:
    """Return a value as written in the line of settings: as a JSON string if it would break the line."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ',:\n"') else text


def _chunks_before_pixels(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (kind, data) of the small chunks before the pixel data that have a valid checksum."""
    if not png.startswith(PNG_SIGNATURE):
        return
    place = len(PNG_SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if place + 12 > len(png):
            return
        length, kind = struct.unpack_from(">I4s", png, place)
        end = place + 8 + length
        if kind == b"IDAT" or end + 4 > len(png):
            return
        if length <= MAX_RECIPE_BYTES + 6:
            data = png[place + 8 : end]
            if zlib.crc32(data, zlib.crc32(kind)) == struct.unpack_from(">I", png, end)[0]:
                yield kind, data
        place = end + 4
