"""A prompt as words, each with the weight that its brackets give it."""

import re
from typing import NamedTuple

BRACKET_STEP = 1.25
"""One pair of round brackets makes a word this much heavier, one pair of square brackets lighter."""

MAX_BRACKETS = 8
FORGOTTEN_BELOW = 0.45
"""A known word lighter than this is left out: three pairs of square brackets do it."""

_PIECE = re.compile(r"[()\[\]|,;.:]|\d{1,3}[- ]?bit\b|[^\W\d_]+")


class Word(NamedTuple):
    """One word in small letters. `clause` counts the parts of the prompt between commas and bars."""

    text: str
    weight: float
    clause: int


def words_of(prompt: str) -> list[Word]:
    """The words of a prompt in order."""
    words: list[Word] = []
    depth = clause = 0
    for piece in _PIECE.findall(prompt.lower()):
        if piece in "()[]":
            # An unclosed bracket reaches to the end of its part, as it reads.
            depth += 1 if piece in "(]" else -1
        elif piece in "|,;.:":
            depth = 0 if piece == "|" else depth
            clause += 1
        else:
            weight = BRACKET_STEP ** max(-MAX_BRACKETS, min(MAX_BRACKETS, depth))
            words.append(Word(piece.replace(" ", "-"), weight, clause))
    return words


def begins(word: str, stems: str) -> int:
    """The length of the longest stem (they stand apart by blanks) that the word begins with, 0 without one."""
    # A short stem must be nearly the whole word, else "сад" would be found in "садиться".
    fits = [len(stem) for stem in stems.split() if word.startswith(stem) and len(word) - len(stem) <= max(3, len(stem))]
    return max(fits, default=0)
