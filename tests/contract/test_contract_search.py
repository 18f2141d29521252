"""Search in a user's jobs by words of the prompt."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.doors import Door
from tests.support.people import Person

PROMPTS = (
    "A Lighthouse at night",
    "маяк ночью, Звёзды",
    "100% wool_sweater \\ back",
    "lighthouse | LIGHT rain",
    "Straße bei Nacht",
)

FOUND = {
    "lighthouse": (0, 3),
    "LIGHTHOUSE": (0, 3),
    "light": (0, 3),
    "house night": (0,),
    "night house": (0,),
    "night  \t\n house": (0,),
    "night night": (0,),
    "lighthouse маяк": (),
    "МАЯК": (1,),
    "ночью звёзды": (1,),
    "STRASSE": (4,),
    "straße": (4,),
    "%": (2,),
    "_": (2,),
    "\\": (2,),
    "\\\\": (),
    "l%e": (),
    "l_ght": (),
    "%%": (),
    "100% wool_": (2,),
    "|": (3,),
    "' OR 1=1 --": (),
    "{night}": (),
    ":patterns": (),
    "night) --": (),
    "nothing": (),
    "x" * 200: (),
    " ": (0, 1, 2, 3, 4),
    "\u00a0\u3000": (0, 1, 2, 3, 4),
}


@pytest.fixture
def ids(submit: Callable[..., dict[str, Any]]) -> list[str]:
    return [submit(prompt=prompt)["id"] for prompt in PROMPTS]


def test_a_job_is_found_by_every_word_of_its_prompt(door: Door, ada: Person, bob: Person, ids: list[str]) -> None:
    for words, places in FOUND.items():
        response = door.get("/v1/jobs", params={"q": words}, headers=ada.headers)
        assert response.status_code == 200
        found = [job["id"] for job in response.json()["jobs"]]
        assert found == [ids[place] for place in reversed(places)], words
    assert door.get("/v1/jobs", params={"q": "lighthouse"}, headers=bob.headers).json()["jobs"] == []


def test_a_search_combines_with_state_limit_and_cursor(door: Door, ada: Person, ids: list[str]) -> None:
    door.post(f"/v1/jobs/{ids[3]}/cancel", headers=ada.headers)

    def found(**query: Any) -> tuple[list[str], str | None]:
        answer = door.get("/v1/jobs", params=query, headers=ada.headers).json()
        return [job["id"] for job in answer["jobs"]], answer["next"]

    assert found(q="light", state="queued") == ([ids[0]], None)
    assert found(q="light", state="cancelled") == ([ids[3]], None)
    first, cursor = found(q="light", limit=1)
    assert (first, cursor is None) == ([ids[3]], False)
    assert found(q="light", limit=1, cursor=cursor) == ([ids[0]], None)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("q=", "at least 1 character"),
        ("q=" + "x" * 201, "at most 200 characters"),
        ("q=a%00b", "must not contain NUL characters"),
    ],
)
def test_an_invalid_search_is_explained(door: Door, ada: Person, query: str, words: str) -> None:
    response = door.get(f"/v1/jobs?{query}", headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert response.json()["detail"].startswith("q: ")
    assert words in response.json()["detail"]


@pytest.mark.parametrize("query", ["q=%ff", "q=%ED%A0%80", "q=%F0%9F", "q=%", "q=a&q=nothing"])
def test_bytes_that_are_not_text_match_nothing(door: Door, ada: Person, ids: list[str], query: str) -> None:
    """No prompt contains these characters; a query cannot contain surrogates."""
    response = door.get(f"/v1/jobs?{query}", headers=ada.headers)
    assert response.status_code == 200
    assert response.json()["jobs"] == [] or query == "q=%"
