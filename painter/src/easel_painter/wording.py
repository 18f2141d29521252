"""A description's words: one plain sentence, then phrases of several kinds, as long as the request allows.

The sentence is what BLIP gives elsewhere and the phrases what CLIP gives; both are made here from what was painted and
from what can be measured, so that every word is true. Nobody has painted in this manner before and nothing of it is
trending, so there is little to say of artists and nothing of trends.
"""

from easel_painter.traits import Traits
from generator.engines.base import DescriptionOptions

BY_THE_PAINTER = "by the built-in painter"

Phrase = tuple[str, str]
"""A kind of the protocol's skip_list (mediums, artists, trendings, movements) or "traits", and the words."""


def worded(clauses: list[str], phrases: list[Phrase], options: DescriptionOptions) -> str:
    """Clauses that follow each other (the first stands alone), at most `blip_max_len` words of them; then phrases, at
    most `clip_max_len`, without the kinds that are left out."""
    sentence = _within(clauses, options.blip_max_len)
    if options.skip_clip:
        return sentence
    told = [text for kind, text in phrases if kind not in options.skip_list]
    return ", ".join([sentence, *told[: options.clip_max_len]])


def _within(clauses: list[str], most_words: int) -> str:
    words = clauses[0].split()[:most_words]
    for clause in clauses[1:]:
        more = clause.split()
        # Half a clause would say something else.
        if len(words) + len(more) <= most_words:
            words += more
    return " ".join(words).rstrip(",")


def colour_clause(traits: Traits) -> str:
    """`in blue, white and pale grey`."""
    return f"in {listed(list(traits.colours))}"


def listed(words: list[str]) -> str:
    """`a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def light_and_contrast(traits: Traits) -> tuple[str, str]:
    """`dark` or `bright` or `evenly lit`; `soft`, `moderate` or `strong`."""
    light = "dark" if traits.light < 0.33 else "bright" if traits.light > 0.67 else "evenly lit"
    contrast = "soft" if traits.contrast < 0.25 else "strong" if traits.contrast > 0.53 else "moderate"
    return light, contrast


def light_phrases(traits: Traits) -> list[Phrase]:
    """How light and how contrasting it is."""
    light, contrast = light_and_contrast(traits)
    return [("traits", "even light" if light == "evenly lit" else light), ("traits", f"{contrast} contrast")]


def composition_phrases(traits: Traits) -> list[Phrase]:
    """What can be said of the colouring and composition of any picture, the most telling first."""
    told = [_colouring(traits), _balance(traits)]
    if traits.bright_side:
        told.append(f"brightest {_WHERE[traits.bright_side]}")
    if traits.detail > 0.055:
        told.append("rich in detail")
    elif traits.detail < 0.018:
        told.append("large calm areas")
    told.append(_format(traits.aspect))
    return [("traits", text) for text in told]


_WHERE = {"left": "on the left", "right": "on the right", "above": "above", "below": "below"}


def _colouring(traits: Traits) -> str:
    strength = "muted" if traits.saturation < 0.14 else "strong" if traits.saturation > 0.42 else ""
    heat = "warm" if traits.warmth > 0.10 else "cool" if traits.warmth < -0.10 else ""
    words = " ".join(word for word in (strength, heat) if word)
    return f"{words or 'balanced'} colours"


def _balance(traits: Traits) -> str:
    if traits.symmetry > 0.9:
        return "symmetrical composition"
    if abs(traits.weight_x - 0.5) < 0.04:
        return "weight in the middle"
    return f"weight on the {'left' if traits.weight_x < 0.5 else 'right'}"


def _format(aspect: float) -> str:
    return "wide format" if aspect > 1.2 else "tall format" if aspect < 1 / 1.2 else "square format"
