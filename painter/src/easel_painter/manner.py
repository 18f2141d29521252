"""Which medium a prompt asks for, and which of its words only speak of that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from easel_painter.artists import ARTISTS, CHANGES, EMOTIONS
from easel_painter.lexicon import MEDIA, MONOCHROME
from easel_painter.words import FORGOTTEN_BELOW, Word, begins

PLAIN = "plain"
"""The medium of a prompt that names none."""


@dataclass(frozen=True)
class Manner:
    """How a picture is made, not what is in it."""

    medium: str = PLAIN
    """A name of `lexicon.MEDIA` or `artists.ARTISTS`, or `PLAIN`."""

    monochrome: bool = False
    """Whether it shall be black and white."""

    emotion: str | None = None
    """A name of `artists.EMOTIONS`."""

    changes: frozenset[str] = frozenset()
    """Names of `artists.CHANGES`."""

    @property
    def keeps_the_photo(self) -> bool:
        """Return whether a source is to be rendered in this manner, instead of being replaced by another scene."""
        return self.medium in ARTISTS or self.emotion is not None or bool(self.changes)


@dataclass(frozen=True)
class _Mention:
    medium: str
    exact: bool
    """Whether the words name only this medium; "painting" and "drawing" give way to such."""

    start: int
    weight: float


@dataclass(frozen=True)
class _Heard:
    """The media that one text mentions, and its other words."""

    mentions: list[_Mention]
    monochrome: bool
    emotions: list[str]
    changes: set[str]
    rest: list[Word]


def find_manner(words: Sequence[Word], unwanted: Sequence[Word]) -> tuple[Manner, list[Word], list[Word]]:
    """Find the manner that `words` ask for and `unwanted` does not forbid, and what remains of both lists.

    An artist wins over media, for "oil painting by Vincent van Gogh" is one manner. Then the highest weight wins, then
    the one named exactly, then the first.
    """
    asked, refused = _hear(words), _hear(unwanted)
    excluded = {mention.medium for mention in refused.mentions}
    mentions = [mention for mention in asked.mentions if mention.medium not in excluded]
    best = max(mentions, key=_rank, default=None)
    monochrome = asked.monochrome and not refused.monochrome
    medium = best.medium if best else "ink" if monochrome and "ink" not in excluded else PLAIN
    emotion = next((name for name in asked.emotions if name not in refused.emotions), None)
    return Manner(medium, monochrome, emotion, frozenset(asked.changes - refused.changes)), asked.rest, refused.rest


def _rank(mention: _Mention) -> tuple[bool, float, bool, int]:
    return mention.medium in ARTISTS, mention.weight, mention.exact, -mention.start


def _hear(words: Sequence[Word]) -> _Heard:
    mentions: list[_Mention] = []
    places: set[int] = set()
    artists = {artist: (exact, "", beside) for artist, (exact, beside) in ARTISTS.items()}
    for medium, (exact, loose, beside) in (MEDIA | artists).items():
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
    emotions = [name for name, phrases in EMOTIONS.items() if _said(words, phrases)]
    changes = {name for name, phrases in CHANGES.items() if _said(words, phrases)}
    for change in changes:
        places |= {start + k for start, length in _find(words, CHANGES[change]) for k in range(length)}
    return _Heard(mentions, grey, emotions, changes, [word for k, word in enumerate(words) if k not in places])


def _said(words: Sequence[Word], phrases: str) -> bool:
    """Return whether one of these phrases is among the words, and not too light."""
    found = (words[start : start + length] for start, length in _find(words, phrases))
    return any(min(word.weight for word in part) >= FORGOTTEN_BELOW for part in found)


def _find(words: Sequence[Word], phrases: str) -> Iterator[tuple[int, int]]:
    """Find where each phrase begins and how many words it has; a phrase does not cross a comma."""
    for phrase in filter(None, map(str.split, phrases.split(","))):
        for start in range(len(words) - len(phrase) + 1):
            part = words[start : start + len(phrase)]
            if part[0].clause == part[-1].clause and all(map(_is, part, phrase)):
                yield start, len(phrase)


def _is(word: Word, wanted: str) -> bool:
    """Compare a word: English as a whole, Russian by the stem."""
    return word.text == wanted or (not wanted.isascii() and begins(word.text, wanted) > 0)
