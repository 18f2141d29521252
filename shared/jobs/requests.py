"""A job's settings as a request to a generator."""

from collections.abc import Sequence
from dataclasses import replace

from shared.api.presets import GENERAL, Defaults, fill_in, wordings
from shared.core.limits import TIMELAPSE_FRAMES
from shared.generators.adapters import Adapter
from shared.generators.base import GenerationRequest, Model, Variant
from shared.generators.scenes import ScenePictures
from shared.jobs.records import JobSettings


def generation_request(
    prompt: str,
    settings: JobSettings,
    *,
    source_images: tuple[bytes, ...] = (),
    scene: ScenePictures | None = None,
    key: str = "",
    own: Defaults = GENERAL,
    adapters: Sequence[Adapter] | None = None,
) -> GenerationRequest:
    """Return what a generator with these defaults is asked for.

    source_images: PNG files in place of the settings' upload keys, and scene those of its catalogue's pictures. Empty
    ones are enough to find out which protocols support the job. adapters: those in place of the settings' codes; as
    long as these are unknown, nameless ones.
    """
    if adapters is None:
        adapters = [Adapter("", use["weight"]) for use in settings.get("likeness") or ()]
    settings = settings | fill_in(settings, own)
    described = settings["description"]
    variants = tuple(Variant(one.prompt, one.negative_prompt, one.strength) for one in wordings(prompt, settings))
    request = GenerationRequest(
        prompt=variants[0].prompt,
        negative_prompt=variants[0].negative_prompt,
        **{name: settings[name] for name in ("n", "width", "height", "steps", "scale", "seed", "upscale")},
        source_images=source_images,
        scene=scene,
        strength=variants[0].strength,
        describe=settings["describe"],
        blip_max_len=described["blip_max_len"],
        clip_max_len=described["clip_max_len"],
        skip_clip=described["skip_clip"],
        skip_list=tuple(described["skip_list"]),
        cpu=settings["cpu"],
        key=key,
        frames=TIMELAPSE_FRAMES if settings["timelapse"] else 0,
        adapters=tuple(adapters),
    )
    return replace(request, variants=variants) if request.generates and len(variants) > 1 else request


def defaults_of(model: Model | None) -> Defaults:
    """Return the defaults of a generator with this model."""
    return GENERAL if model is None else Defaults(model.steps, model.scale, model.width, model.height)
