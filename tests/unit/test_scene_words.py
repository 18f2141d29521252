"""The words of scenes: what a prompt says, and which description is most like a text."""

from collections import Counter
from typing import Any

import pytest

from shared.api.scene_schemas import SceneRequest
from shared.scenes.composition import compose
from shared.scenes.matching import bm25


def request(**changes: Any) -> SceneRequest:
    return SceneRequest.model_validate({"place": "park", "action": "reading", "gender": "man"} | changes)


@pytest.mark.parametrize(
    ("changes", "prompt"),
    [
        ({}, "an adult man, reading a book, in a park, half-length shot"),
        ({"age": "young", "shot": "CLS"}, "a young man, reading a book, in a park, close-up portrait"),
        ({"age": "old", "gender": "woman"}, "an elderly woman, reading a book, in a park, half-length shot"),
        ({"details": " wearing  a hat, "}, "an adult man, reading a book, wearing a hat, in a park, half-length shot"),
        ({"details": "a | b"}, "an adult man, reading a book, a b, in a park, half-length shot"),
        (
            {"dynamic_action": True, "action_prompt": "eats soup", "shot": "FUS"},
            "an adult man, eats soup, in a park, full-length shot from afar",
        ),
    ],
)
def test_the_prompt_names_person_action_details_place_and_shot(changes: dict[str, Any], prompt: str) -> None:
    assert compose(request(**changes), "reading a book", "in a park") == prompt


def scores(words: str, *documents: str) -> list[float]:
    return bm25(Counter(words.split()), [Counter(document.split()) for document in documents])


def test_documents_with_the_words_come_first() -> None:
    run, read, neither = scores("run", "run fast", "read book", "")
    assert run > 0
    assert read == neither == 0


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common, rare, _ = scores("hand wave", "hand knee", "wave knee", "hand book")
    assert rare > common


def test_a_short_document_counts_more_than_a_long_one() -> None:
    short, long = scores("run", "run fast", "run fast and far and long and wide")
    assert short > long


def test_nothing_is_like_no_words() -> None:
    assert scores("", "run", "read") == [0, 0]
    assert scores("run") == []
