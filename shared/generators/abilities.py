"""What each protocol supports: requests that it cannot make at all, and settings that it ignores.

Pure and cheap to import: a submit checks a request here, the dispatcher chooses generators by it, a step records it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from shared.generators.addresses import FOLLOWABLE, PROTOCOLS, GeneratorAddress
from shared.generators.base import GenerationRequest, GeneratorRefused

ADAPTERS, TRAINING, SCENES, ADAPTED_SCENES = "adapters", "training", "scenes", "adapted_scenes"
EXTENDED_KINDS = (ADAPTERS, TRAINING, SCENES, ADAPTED_SCENES)
"""Kinds of jobs that only those generators of img_generator do which have an extension for it: pictures with adapters,
trainings of these, persons in places, and such with adapters. The other kinds are lists of protocols."""

GLIDE_SIZES = (64, 128, 256, 512, 1024)
STEP_PX = 8
HORDE_STEP_PX = 64
"""The sides of what the models behind these protocols draw are multiples of this. Of a horde's pictures the middle is
cut out, except where they begin with a picture of a user, whose shape would change."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that a protocol cannot do.

    `field` is the API's setting at fault and `instead` says what would work. `preset` is the setting that determines
    `field` in a request that leaves it out, with its own `preset_instead`.
    """

    field: str
    broken_by: Callable[[GenerationRequest], bool]
    instead: str
    preset: str | None = None
    preset_instead: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A setting that a protocol does not promise to follow, in a request that it makes nevertheless."""

    field: str
    words: str
    used_by: Callable[[GenerationRequest], bool]


MAX_PROMPT_CHARACTERS = 4000
MAX_OUTPUT_PIXELS = 2**27
"""Limits of the reference generator, which declares them too; a test compares them."""

_LONG_PROMPT = Limit(
    "prompt",
    lambda request: request.longest_prompt > MAX_PROMPT_CHARACTERS,
    f"must have at most {MAX_PROMPT_CHARACTERS} characters with the words of its type and style after each part",
)

_SIZES = ", ".join(map(str, GLIDE_SIZES[:-1])) + f" or {GLIDE_SIZES[-1]}"

_MANY_PIXELS = Limit(
    "upscale",
    lambda request: request.generates and request.n * request.output_width * request.output_height > MAX_OUTPUT_PIXELS,
    f"must be less, or n: all pictures together may have {MAX_OUTPUT_PIXELS // 2**20} times 1024x1024 pixels",
    preset="quality",
    preset_instead="must be draft, normal or better, or come with upscale 1 or a smaller n",
)
_NO_NEGATIVE_STRENGTH = Limit("strength", lambda request: request.strength < 0, "must not be below 0")
_NO_DESCRIPTION = Limit("describe", lambda request: request.describe, "must be false")
_NO_FRAMES = Limit("timelapse", lambda request: request.frames > 0, "must be false")
_NO_ADAPTERS = Limit("likeness", lambda request: bool(request.adapters), "must be left out")
_NO_SCENE = Limit(
    "place", lambda request: request.scene is not None, "cannot be used: no person can be painted into a place"
)
_NOTHING_MADE = Limit(
    "timelapse",
    lambda request: request.frames > 0 and not request.generates,
    "must be false where no new picture is made",
)
_DRAWS_ONLY = (
    Limit(
        "upscale",
        lambda request: request.upscale > 1,
        "must be 1",
        preset="quality",
        preset_instead="must be draft, normal or better, or come with upscale 1",
    ),
    _NO_NEGATIVE_STRENGTH,
    _NO_DESCRIPTION,
    _NO_FRAMES,
    _NO_ADAPTERS,
    _NO_SCENE,
)


def _uneven(name: str, step_px: int, *, of_sources: bool = False) -> Limit:
    """Return the limit that a side is a multiple of `step_px`, with `of_sources` where there are start pictures."""
    return Limit(
        name,
        lambda request: bool(getattr(request, name) % step_px and (request.source_images or not of_sources)),
        f"must be a multiple of {step_px}{' where there are start pictures' if of_sources else ''}",
        preset="aspect",
        preset_instead="must be square, or come with width and height",
    )


LIMITS: dict[str, tuple[Limit, ...]] = {
    "img_generator": (_LONG_PROMPT, _MANY_PIXELS, _NOTHING_MADE),
    "sdapi": (
        _LONG_PROMPT,
        _MANY_PIXELS,
        _uneven("width", STEP_PX),
        _uneven("height", STEP_PX),
        _NO_FRAMES,
        _NO_ADAPTERS,
        _NO_SCENE,
    ),
    "horde": (
        _LONG_PROMPT,
        _MANY_PIXELS,
        _uneven("width", STEP_PX),
        _uneven("height", STEP_PX),
        _uneven("width", HORDE_STEP_PX, of_sources=True),
        _uneven("height", HORDE_STEP_PX, of_sources=True),
        Limit("upscale", lambda request: request.upscale == 3, "must be 1, 2 or 4"),
        Limit("source_images", lambda request: len(request.source_images) > 1, "must be at most one"),
        _NO_NEGATIVE_STRENGTH,
        _NO_DESCRIPTION,
        _NO_FRAMES,
        _NO_ADAPTERS,
        _NO_SCENE,
    ),
    "openai": (_LONG_PROMPT, *_DRAWS_ONLY),
    "glide": (
        _LONG_PROMPT,
        Limit(
            "width",
            lambda request: request.width not in GLIDE_SIZES,
            f"must be {_SIZES}",
            preset="aspect",
            preset_instead="must be square",
        ),
        Limit(
            "height",
            lambda request: request.height != request.width,
            "must be the same as width",
            preset="aspect",
            preset_instead="must be square, or come with width and height",
        ),
        *_DRAWS_ONLY,
        Limit("source_images", lambda request: bool(request.source_images), "must be left out"),
    ),
}
"""For each protocol what no request may contain."""

_SEED = Ignored("seed", "the seed", lambda _: True)
_STEPS = Ignored("steps", "the number of steps", lambda _: True)
_SCALE = Ignored("scale", "the scale", lambda _: True)
_NEGATIVE_PROMPT = Ignored(
    "negative_prompt",
    "the negative prompt",
    lambda request: bool(request.negative_prompt) or any(one.negative_prompt for one in request.variants),
)
_STRENGTH = Ignored("strength", "the strength", lambda request: bool(request.source_images) and request.generates)
_CPU = Ignored("cpu", "the choice of the processor", lambda request: request.cpu)
_WORDING = Ignored(
    "description",
    "the lengths and parts of descriptions",
    lambda request: (
        request.describe
        and (
            request.skip_clip or bool(request.skip_list) or (request.blip_max_len, request.clip_max_len) != (None, None)
        )
    ),
)

IGNORED: dict[str, tuple[Ignored, ...]] = {
    "img_generator": (),
    "openai": (_SEED, _STEPS, _SCALE, _NEGATIVE_PROMPT, _STRENGTH, _CPU),
    "sdapi": (_SEED, _STEPS, _SCALE, _NEGATIVE_PROMPT, _STRENGTH, _CPU, _WORDING),
    "horde": (_SEED, _CPU),
    "glide": (_SEED, _STEPS, _NEGATIVE_PROMPT, _CPU),
}
"""For each protocol what has no effect in a request, unless the server at hand is known to follow it."""


def unsupported_fields(
    protocol: str, request: GenerationRequest, sizes: frozenset[tuple[int, int]] = frozenset()
) -> tuple[Limit, ...]:
    """Return every limit of this protocol that the request breaks; none when the protocol supports the request.

    sizes: the only sizes that the server at hand makes, where there are such.
    """
    broken = tuple(limit for limit in LIMITS[protocol] if limit.broken_by(request))
    if not sizes or (request.width, request.height) in sizes or any(limit.field == "width" for limit in broken):
        return broken
    return (*broken, _size_limit(sizes))


def refuse_unsupported(
    protocol: str, request: GenerationRequest, sizes: frozenset[tuple[int, int]] = frozenset()
) -> None:
    """Raise GeneratorRefused for a request that breaks a limit of `unsupported_fields`, before anything is sent."""
    if limits := unsupported_fields(protocol, request, sizes):
        names = ", ".join(limit.field for limit in limits)
        raise GeneratorRefused("generator_cannot", f"This generator cannot make this picture, because of: {names}.")


def _size_limit(sizes: frozenset[tuple[int, int]]) -> Limit:
    """Return the limit of a server that makes only these sizes."""
    listed = ", ".join(f"{width}x{height}" for width, height in sorted(sizes))
    return Limit(
        "width",
        lambda request: (request.width, request.height) not in sizes,
        f"must give with height one of the sizes {listed}",
        preset="aspect",
        preset_instead=f"must come with width and height of one of the sizes {listed}",
    )


def supported_protocols(request: GenerationRequest, addresses: Iterable[GeneratorAddress] = ()) -> str:
    """Return the protocols that support the request, comma separated in the order of PROTOCOLS, as jobs store them.

    With adapters or a scene it is an extended kind instead: not every generator of the protocol has these.

    A job goes to any generator of these protocols, so one that an address of them cannot make is not for its protocol.
    """
    unable = {one.protocol for one in addresses if unsupported_fields(one.protocol, request, one.sizes)}
    able = [name for name in PROTOCOLS if name not in unable and not unsupported_fields(name, request)]
    return _extended_kind(request) if able and (request.adapters or request.scene) else ",".join(able)


def _extended_kind(request: GenerationRequest) -> str:
    if request.scene is None:
        return ADAPTERS
    return ADAPTED_SCENES if request.adapters else SCENES


def protocols_of(kind: str) -> frozenset[str]:
    """Return the protocols whose generators may do a job of this kind."""
    return frozenset({"img_generator"}) if kind in EXTENDED_KINDS else frozenset(kind.split(","))


def nearest_limits(addresses: Sequence[GeneratorAddress], request: GenerationRequest) -> tuple[Limit, ...]:
    """Return the limits of the generator that breaks fewest of them; none when one of them supports the request."""
    broken = (
        unsupported_fields(one.protocol, request, one.sizes) for one in sorted(addresses, key=lambda one: one.protocol)
    )
    return min(broken, key=len, default=())


def ignored_fields(
    protocol: str, request: GenerationRequest, follows: frozenset[str] = frozenset()
) -> tuple[Ignored, ...]:
    """Return the settings of the request that are not followed.

    follows: the settings that the server at hand follows although its protocol does not promise it.
    """
    return tuple(setting for setting in IGNORED[protocol] if setting.field not in follows and setting.used_by(request))


def assumed_follows(address: GeneratorAddress) -> frozenset[str]:
    """Return the settings that a generator follows, before it was asked: what its address says, or else the usual."""
    if address.follows is not None:
        return address.follows
    return frozenset(FOLLOWABLE) if address.protocol == "sdapi" else frozenset()


def count_ignored(protocol: str, follows: frozenset[str]) -> int:
    """Return how many settings a generator ignores: jobs go to those first that ignore the fewest."""
    return sum(setting.field not in follows for setting in IGNORED[protocol])


def describe(settings: tuple[Ignored, ...]) -> str:
    """Return one sentence for the timeline about settings that are not followed."""
    words = [setting.words for setting in settings]
    listed = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    return f"This generator ignores {listed}: it does not support {'them' if len(words) > 1 else 'it'}."


def offers(protocol: str, *, adapters: bool, scenes: bool, training: bool = False) -> tuple[str, ...]:
    """Return the protocol of a generator, and the extended kinds of jobs that it does with these extensions."""
    kinds = {ADAPTERS: adapters, SCENES: scenes, ADAPTED_SCENES: adapters and scenes, TRAINING: training}
    return (protocol, *(kind for kind, does in kinds.items() if does and protocol in protocols_of(kind)))


@lru_cache(maxsize=64)
def kinds_for(offers: frozenset[str]) -> tuple[str, ...]:
    """Return the kinds of jobs that at least one of these supports: protocols, and the kinds with extensions."""
    return tuple(kind for kind in all_kinds() if not offers.isdisjoint(kind.split(",")))


@lru_cache(maxsize=1)
def all_kinds() -> tuple[str, ...]:
    """Return every kind of job: each value of `supported_protocols` except the empty one, and trainings."""
    names = list(PROTOCOLS)
    lists = (",".join(chosen) for size in range(1, len(names) + 1) for chosen in combinations(names, size))
    return (*lists, *EXTENDED_KINDS)
