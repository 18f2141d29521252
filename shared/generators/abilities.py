"""What each protocol can do with an order: what it cannot make at all, and which settings it does not follow.

Pure, and light to import: a submit asks before the job is queued, the dispatcher chooses by it, a step records it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from shared.generators.base import PROTOCOLS, Generation

GLIDE_SIZES = (64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that a protocol cannot do. `field` is the API's setting at fault and `instead` says what would work;
    `preset` is the setting that fixes it in a request which leaves `field` out, with its own `preset_instead`."""

    field: str
    broken_by: Callable[[Generation], bool]
    instead: str
    preset: str | None = None
    preset_instead: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A setting that a protocol has no word for, in an order that it makes all the same."""

    field: str
    words: str
    said_by: Callable[[Generation], bool]


_SIZES = ", ".join(map(str, GLIDE_SIZES[:-1])) + f" or {GLIDE_SIZES[-1]}"

CANNOT: dict[str, tuple[Limit, ...]] = {
    "img_generator": (),
    "glide": (
        Limit(
            "width",
            lambda order: order.width not in GLIDE_SIZES,
            f"must be {_SIZES}",
            preset="aspect",
            preset_instead="must be square",
        ),
        Limit(
            "height",
            lambda order: order.height != order.width,
            "must be the same as width",
            preset="aspect",
            preset_instead="must be square, or come with width and height",
        ),
        Limit(
            "upscale",
            lambda order: order.upscale > 1,
            "must be 1",
            preset="quality",
            preset_instead="must be draft, normal or better, or come with upscale 1",
        ),
        Limit("source_images", lambda order: bool(order.sources), "must be left out"),
        Limit("strength", lambda order: order.strength < 0, "must not be below 0"),
        Limit("describe", lambda order: order.describe, "must be false"),
        Limit("timelapse", lambda order: order.frames > 0, "must be false"),
    ),
}
"""What no order may ask for. A protocol that is not named here does not exist."""

IGNORES: dict[str, tuple[Ignored, ...]] = {
    "img_generator": (),
    "glide": (
        Ignored("seed", "the seed", lambda _: True),
        Ignored("steps", "the number of steps", lambda _: True),
        Ignored("negative_prompt", "the negative prompt", lambda order: bool(order.negative_prompt)),
        Ignored("cpu", "the choice of the processor", lambda order: order.cpu),
    ),
}
"""What an order may say without being heard."""


def cannot(protocol: str, order: Generation) -> tuple[Limit, ...]:
    """Everything about the order that this protocol cannot do; nothing: it can make it."""
    return tuple(limit for limit in CANNOT[protocol] if limit.broken_by(order))


def able(order: Generation) -> str:
    """The protocols that can make the order, as they stand with the job: in the order of PROTOCOLS, comma separated."""
    return ",".join(protocol for protocol in PROTOCOLS if not cannot(protocol, order))


def limits_of(protocols: Collection[str], order: Generation) -> tuple[Limit, ...]:
    """Why none of these protocols can make the order: the limits of the one that is nearest to it. Nothing: one can."""
    return min((cannot(protocol, order) for protocol in sorted(protocols)), key=len, default=())


def ignored(protocol: str, order: Generation) -> tuple[Ignored, ...]:
    """The settings of the order that this protocol does not follow."""
    return tuple(setting for setting in IGNORES[protocol] if setting.said_by(order))


def told(settings: tuple[Ignored, ...]) -> str:
    """One sentence for the timeline about settings that are not followed."""
    words = [setting.words for setting in settings]
    listed = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    return f"This generator draws without {listed}: its protocol has no word for that."


@lru_cache(maxsize=64)
def kinds_for(protocols: frozenset[str]) -> tuple[str, ...]:
    """Every value of `able` that names at least one of these protocols: the kinds of jobs that can go there."""
    return tuple(kind for kind in all_kinds() if not protocols.isdisjoint(kind.split(",")))


@lru_cache(maxsize=1)
def all_kinds() -> tuple[str, ...]:
    """Every value of `able` but the empty one."""
    names = list(PROTOCOLS)
    return tuple(",".join(chosen) for size in range(1, len(names) + 1) for chosen in combinations(names, size))
