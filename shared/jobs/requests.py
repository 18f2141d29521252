"""A job's settings as an order for a generator."""

from typing import Any

from shared.api.presets import full_prompt
from shared.generators.base import Generation


def order_of(prompt: str, settings: dict[str, Any], *, sources: tuple[bytes, ...] = (), key: str = "") -> Generation:
    """What a generator is asked for. `sources` are PNG files in place of the settings' upload keys; to find out who can
    make the job at all, empty ones will do."""
    described = settings["description"]
    return Generation(
        prompt=full_prompt(prompt, settings),
        negative_prompt=settings["negative_prompt"],
        **{name: settings[name] for name in ("n", "width", "height", "steps", "scale", "seed", "upscale")},
        sources=sources,
        strength=settings["strength"],
        describe=settings["describe"],
        blip_max_len=described["blip_max_len"],
        clip_max_len=described["clip_max_len"],
        skip_clip=described["skip_clip"],
        skip_list=tuple(described["skip_list"]),
        cpu=settings["cpu"],
        key=key,
    )
