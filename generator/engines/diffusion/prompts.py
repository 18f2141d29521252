"""Prompts: which parts are joined, and how much each word counts.

`a | b` joins prompts. Words in (round) brackets count 1.1 times as much, in [square] ones as much less; brackets nest,
and `(red:1.4)` names the factor. A backslash before a bracket, bar or backslash makes it a letter.
"""

import re
from dataclasses import dataclass

FACTOR = 1.1
MIN_WEIGHT, MAX_WEIGHT = 0.1, 3.0
MAX_JOINED = 8

_TOKEN = re.compile(r"\\[()\[\]|\\]|[()\[\]|]|[^()\[\]|\\]+|\\")
_NAMED = re.compile(r"^(.*):\s*(\d{1,3}(?:\.\d{1,3})?|\.\d{1,3})\s*$", re.DOTALL)


@dataclass(frozen=True)
class Words:
    """Words of equal weight."""

    text: str
    weight: float


@dataclass
class _Open:
    """An open bracket: where its words begin."""

    bracket: str
    begin: int


_CLOSED_BY = {"(": ")", "[": "]"}


def parse(prompt: str) -> list[list[Words]]:
    """Return the words of each joined prompt with their weights; brackets without a partner do not count."""
    joined: list[list[Words]] = [[]]
    opened: list[_Open] = []
    for piece in _TOKEN.findall(prompt):
        words = joined[-1]
        if piece in _CLOSED_BY:
            opened.append(_Open(piece, len(words)))
        elif piece in (")", "]"):
            if opened and _CLOSED_BY[opened[-1].bracket] == piece:
                _close(words, opened.pop())
        elif piece == "|":
            joined.append([])
            opened.clear()
        else:
            words.append(Words(piece[1:] if len(piece) == 2 and piece[0] == "\\" else piece, 1.0))
    kept = [_merged(words) for words in joined]
    return [words for words in kept if words][:MAX_JOINED] or [[]]


def _close(words: list[Words], opening: _Open) -> None:
    """Multiply the weights of the words in a pair of brackets."""
    factor = FACTOR if opening.bracket == "(" else 1 / FACTOR
    inside = words[opening.begin :]
    if opening.bracket == "(" and inside and (named := _NAMED.match(inside[-1].text)):
        factor = float(named[2])
        inside[-1] = Words(named[1], inside[-1].weight)
    words[opening.begin :] = [Words(one.text, one.weight * factor) for one in inside]


def _merged(words: list[Words]) -> list[Words]:
    """Join neighbours of equal weight, so that a word with an escaped letter remains one, and limit the weights."""
    merged: list[Words] = []
    for one in words:
        weight = min(MAX_WEIGHT, max(MIN_WEIGHT, one.weight))
        if merged and merged[-1].weight == weight:
            merged[-1] = Words(merged[-1].text + one.text, weight)
        else:
            merged.append(Words(one.text, weight))
    return merged if any(one.text.strip() for one in merged) else []


def plain(prompt: str) -> str:
    """Return a prompt's words without the signs."""
    return ", ".join("".join(one.text for one in words).strip() for words in parse(prompt) if words)
