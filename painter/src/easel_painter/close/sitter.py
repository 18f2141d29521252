"""Who sits for a portrait: nobody who exists."""

from dataclasses import dataclass

from easel_painter.canvas import Scene
from easel_painter.palette import mix
from easel_painter.reading import Colour

_HAIR: tuple[Colour, ...] = (
    (0.10, 0.07, 0.06),
    (0.26, 0.16, 0.10),
    (0.42, 0.27, 0.15),
    (0.68, 0.50, 0.28),
    (0.16, 0.11, 0.09),
)


CLOTHES: tuple[Colour, ...] = (
    (0.36, 0.10, 0.12),
    (0.10, 0.20, 0.32),
    (0.14, 0.24, 0.18),
    (0.22, 0.18, 0.16),
    (0.50, 0.38, 0.20),
)


@dataclass(frozen=True)
class Sitter:
    """Who sits: the painter's reading of the words, the rest by the seed."""

    man: bool
    old: bool
    child: bool
    hair: Colour
    style: str
    """long, bun, bob, short or bald."""

    beard: bool
    clothes: Colour


def choose_sitter(scene: Scene) -> Sitter:
    """Somebody after the words."""
    reading = scene.reading
    rng = scene.stream("sitter")
    words = set(reading.unknown)
    man = reading.has("man") or (not reading.has("woman") and (reading.has("beard") or bool(rng.random() < 0.5)))
    old = reading.has("elder") or any(w.startswith(("old", "elder", "aged", "стар", "пожил")) for w in words)
    child = reading.has("child") and not old
    skin_dark = rng.random()
    hair = _HAIR[int(rng.integers(len(_HAIR)))] if skin_dark < 0.8 else _HAIR[0]
    if old:
        hair = mix((0.62, 0.61, 0.60), (0.86, 0.85, 0.83), float(rng.random()))
    own = reading.paints.get("hair") or reading.paints.get("beard")
    if own:
        hair = _natural(own)
    long = any(w.startswith(("long", "длинн")) for w in words)
    short = any(w.startswith(("short", "коротк")) for w in words)
    bald = any(w.startswith(("bald", "лыс")) for w in words)
    if man:
        style = (
            "bald" if bald or (old and rng.random() < 0.5 and not reading.has("hair")) else "long" if long else "short"
        )
    else:
        style = "long" if long else "bob" if short else str(rng.choice(["long", "long", "bun", "bob"]))
        style = "bun" if old and not long and not short else style
    beard = (
        not child and man and (reading.has("beard") or (old and bool(rng.random() < 0.85)) or bool(rng.random() < 0.3))
    )
    clothes = reading.paints.get("clothes") or next(iter([c for c, w in reading.colours if w > 0.6]), None)
    return Sitter(man, old, child, hair, style, beard, clothes or CLOTHES[int(rng.integers(len(CLOTHES)))])


def _natural(colour: Colour) -> Colour:
    """Hair of a named colour: red and yellow hair is copper and blond."""
    red, green, blue = colour
    if red > 0.7 and green < 0.3 and blue < 0.3:
        return (0.52, 0.17, 0.07)
    if red > 0.9 and 0.4 < green < 0.6 and blue < 0.3:
        return (0.66, 0.30, 0.10)
    if red > 0.9 and green > 0.7 and blue < 0.4:
        return (0.80, 0.64, 0.36)
    return colour
