"""Choosing the action that is most like a text. Every way of doing that is an `ActionMatcher`."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from sqlalchemy import Connection, text

from shared.core.db import Database
from shared.scenes.store import Action
from shared.services import Services

_K1, _B = 1.2, 0.75
"""The usual constants: how soon repeated words count less, and how much long descriptions do."""


class ActionMatcher(Protocol):
    """A way to compare a text with actions."""

    def nearest(self, wanted: str, actions: Sequence[Action]) -> Action | None:
        """Return the action that is most like the text, the first of equal ones; None if none is like it."""


@lru_cache(maxsize=1)
def sentence_model(folder: str) -> ActionMatcher:
    """Return the sentence model in a folder, which is loaded once. Raises Unavailable."""
    from shared.scenes.sentence_model import SentenceModel

    return SentenceModel(folder)


def matcher(services: Services) -> ActionMatcher:
    """Return how this site compares: by the model of EASEL_ACTION_MODEL, or by words. Raises Unavailable."""
    folder = services.settings.action_model
    return sentence_model(folder) if folder else Bm25(services.db)


@dataclass(frozen=True, slots=True)
class Bm25:
    """Okapi BM25 over the stems of the words of names and descriptions, in English and Russian.

    Postgres finds the stems: its configuration `russian` uses Snowball's English stemmer for words in Latin letters.
    """

    db: Database

    def nearest(self, wanted: str, actions: Sequence[Action]) -> Action | None:
        """Return the action that is most like the text, None if they have no word in common."""
        with self.db.statement() as connection:
            words, *described = _stems(connection, [wanted, *map(text_of, actions)])
        scores = bm25(words, described)
        best = max(range(len(actions)), key=lambda index: (scores[index], -index), default=None)
        return actions[best] if best is not None and scores[best] > 0 else None


def text_of(action: Action) -> str:
    """Return all words of an action."""
    return " ".join((action.names.en, action.descriptions.en, action.names.ru, action.descriptions.ru))


def bm25(words: Counter[str], documents: Sequence[Counter[str]]) -> list[float]:
    """Return for each document how well it fits the words: 0 where none of them is in it."""
    lengths = [document.total() for document in documents]
    average = sum(lengths) / max(1, len(lengths)) or 1.0
    scores = [0.0] * len(documents)
    for word, wanted in words.items():
        holding = sum(word in document for document in documents)
        rarity = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        for index, document in enumerate(documents):
            count = document[word]
            scores[index] += (
                wanted * rarity * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * lengths[index] / average))
            )
    return scores


def _stems(connection: Connection, texts: Sequence[str]) -> list[Counter[str]]:
    """Return how often each text has which stem, without the words that every text has."""
    query = text("""
        SELECT given.number, found.lexeme, cardinality(found.positions)
        FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS given (text, number),
            unnest(to_tsvector('pg_catalog.russian', given.text)) AS found
    """)
    stems = [Counter[str]() for _ in texts]
    for number, lexeme, count in connection.execute(query, {"texts": list(texts)}):
        stems[number - 1][lexeme] = count
    return stems
