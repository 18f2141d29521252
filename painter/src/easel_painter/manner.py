"""Which medium a prompt asks for, and which of its words only speak of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from easel_painter.lexicon import MEDIA, MONOCHROME
from easel_painter.words import FORGOTTEN_BELOW, Word, begins

PLAIN = "plain"
"""The medium of a prompt that names none."""


@dataclass(frozen=True)
class Manner:
    """How a picture is to be made, not what is in it."""

    medium: str = PLAIN
    """A name of `lexicon.MEDIA`, or `PLAIN`."""

    monochrome: bool = False
    """Whether it shall be black and white."""


@dataclass(frozen=True)
class _Mention:
    medium: str
    exact: bool
    """Whether the words name this medium alone; "painting" and "drawing" give way to such."""

    start: int
    weight: float


@dataclass(frozen=True)
class _Heard:
    """What one text says about media, and its other words."""

    mentions: list[_Mention]
    monochrome: bool
    rest: list[Word]


def find_manner(words: Sequence[Word], unwanted: Sequence[Word]) -> tuple[Manner, list[Word], list[Word]]:
    """The manner that `words` ask for and `unwanted` do not forbid, then what remains of both lists.

    Of several media the heaviest wins, then the one named exactly, then the first.
    """
    asked, refused = _hear(words), _hear(unwanted)
    excluded = {mention.medium for mention in refused.mentions}
    mentions = [mention for mention in asked.mentions if mention.medium not in excluded]
    best = max(mentions, key=lambda each: (each.weight, each.exact, -each.start), default=None)
    monochrome = asked.monochrome and not refused.monochrome
    medium = best.medium if best else "ink" if monochrome and "ink" not in excluded else PLAIN
    return Manner(medium, monochrome), asked.rest, refused.rest


def _hear(words: Sequence[Word]) -> _Heard:
    mentions: list[_Mention] = []
    places: set[int] = set()
    for medium, (exact, loose, beside) in MEDIA.items():
        named = False
        for phrases, is_exact in ((exact, True), (loose, False)):
            for start, length in _find(words, phrases):
                named = True
                places |= set(range(start, start + length))
                weight = min(word.weight for word in words[start : start + length])
                if weight >= FORGOTTEN_BELOW:
                    mentions.append(_Mention(medium, is_exact, start, weight))
        for start, length in _find(words, beside) if named else ():
            places |= set(range(start, start + length))
    grey = False
    for start, length in _find(words, MONOCHROME):
        behind = start + length
        # "A black and white cat" is about the cat.
        if behind < len(words) and behind not in places and words[behind].clause == words[start].clause:
            continue
        places |= set(range(start, behind))
        grey |= words[start].weight >= FORGOTTEN_BELOW
    return _Heard(mentions, grey, [word for place, word in enumerate(words) if place not in places])


def _find(words: Sequence[Word], phrases: str) -> Iterator[tuple[int, int]]:
    """Where each phrase begins and how many words it has; it lies between two commas."""
    for phrase in filter(None, map(str.split, phrases.split(","))):
        for start in range(len(words) - len(phrase) + 1):
            part = words[start : start + len(phrase)]
            if part[0].clause == part[-1].clause and all(map(_is, part, phrase)):
                yield start, len(phrase)


def _is(word: Word, wanted: str) -> bool:
    """English is compared whole, Russian by the stem."""
    return word.text == wanted or (not wanted.isascii() and begins(word.text, wanted) > 0)
