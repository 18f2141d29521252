"""What the answer to img_generator's `GET /health` means."""

import re

from shared.core.limits import MAX_SCALE, MAX_SIDE_PX, MAX_STEPS, MIN_SIDE_PX, SIDE_STEP_PX
from shared.generators.answers import member, read_name, read_whole, unwrapped
from shared.generators.base import Capabilities, Model
from shared.generators.strict_json import read_json

EXTENSIONS = frozenset({"key", "frames", "progress", "cancel", "wait", "preview", "adapters", "train", "scene"})
"""Those that the client knows."""


def read_health(body: bytes) -> Capabilities:
    """Parse `{"extensions": [...], "engine": "...", "sampler": "...", "loading": "...", "model": {...}}`.

    Other extensions and shapes are ignored. Without a sampler it is the model's `scheduler`.
    """
    value = unwrapped(read_json(body), "extensions", "engine")
    if not isinstance(value, dict):
        return Capabilities()
    listed = member(value, "extensions")
    model = member(value, "model")
    scheduler = member(model, "scheduler") if isinstance(model, dict) else None
    names = {name.strip().casefold() for name in listed if isinstance(name, str)} if isinstance(listed, list) else set()
    return Capabilities(
        EXTENSIONS & names,
        read_name(member(value, "engine")),
        read_name(member(value, "sampler")) or read_name(scheduler),
        loading_s=_read_loading_s(member(value, "loading")),
        model=_read_model(model),
    )


def _read_model(value: object) -> Model | None:
    """Return the model with its values; None if one of them could not be used in a request."""
    if not isinstance(value, dict):
        return None
    name, revision = read_name(member(value, "name")), read_name(member(value, "revision")) or ""
    steps, width, height = (read_whole(member(value, key)) for key in ("steps", "width", "height"))
    scale = member(value, "scale")
    if name is None or steps is None or width is None or height is None or isinstance(scale, bool):
        return None
    if not isinstance(scale, int | float) or not (1 <= steps <= MAX_STEPS and 0 <= scale <= MAX_SCALE):
        return None
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX and side % SIDE_STEP_PX == 0 for side in (width, height)):
        return None
    return Model(name, revision, steps, float(scale), width, height)


def _read_loading_s(text: object) -> float | None:
    """Return the seconds in a text such as `model is loading, about 40 s`, 0 without a number; None without a text."""
    if not isinstance(text, str):
        return None
    seconds = re.search("[0-9]{1,5}", text)
    return float(seconds[0]) if seconds else 0.0
