"""Likenesses at the API: what is accepted, refused, shown to whom, and kept out of logs."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.photos import photo, png_that_claims
from tests.support.shapes import check, maybe, time, uuid7

LIKENESS = {
    "code": lambda code: len(code) == 8 and code.isdigit(),
    "state": str,
    "subject": str,
    "name": str,
    "shared": bool,
    "progress": maybe(float),
    "error": maybe({"code": str, "message": str}),
    "report": maybe(dict),
    "consented_at": time,
    "created_at": time,
    "finished_at": maybe(time),
    "expires_at": maybe(time),
    "job_id": uuid7,
    "links": {"self": str, "job": str},
}
Upload = Callable[[bytes], str]


@pytest.fixture
def upload(door: Door, ada: Person, services: Services) -> Upload:
    """Return a function that uploads a photo of Ada's and returns its key."""

    def send(data: bytes) -> str:
        body = {"content_type": "image/jpeg", "size": len(data)}
        key: str = door.post("/v1/uploads", json=body, headers=ada.headers).json()["key"]
        services.storage.put(key, data, "image/jpeg")
        return key

    return send


@pytest.fixture
def sit(door: Door, ada: Person, upload: Upload) -> Callable[..., Any]:
    """Return a function that submits a likeness of Ada's dog."""

    def submit(**fields: Any) -> Any:
        photos = fields.pop("photos", None) or [upload(photo(seed)) for seed in range(5)]
        body = {"photos": photos, "subject": "animal", "consent": True} | fields
        return door.post("/v1/likenesses", json=body, headers=ada.headers)

    return submit


def test_a_likeness_is_trained_shown_changed_and_deleted(door: Door, ada: Person, sit: Callable[..., Any]) -> None:
    response = sit(name="Rex", steps_per_image=5)
    assert response.status_code == 202, response.text
    found = response.json()
    check(found, LIKENESS)
    assert (found["state"], found["name"], found["subject"], found["shared"]) == ("queued", "Rex", "animal", False)
    address = f"/v1/likenesses/{found['code']}"
    assert response.headers["location"] == found["links"]["self"] == address
    assert door.get(address, headers=ada.headers).json() == found
    listed = door.get("/v1/likenesses", headers=ada.headers).json()
    assert listed == {"likenesses": [found], "next": None}
    job = door.get(found["links"]["job"], headers=ada.headers).json()
    assert (job["state"], job["queue_position"], job["prompt"]) == ("queued", 1, "Rex")
    assert job["settings"]["training"] == {"subject": "animal", "steps_per_image": 5}
    assert job["eta_seconds"] > 0
    changed = door.patch(address, json={"shared": True}, headers=ada.headers).json()
    assert (changed["shared"], changed["name"]) == (True, "Rex")
    refused = door.delete(address, headers=ada.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_running")
    assert door.post(f"{found['links']['job']}/cancel", headers=ada.headers).status_code == 200
    assert door.get(address, headers=ada.headers).json()["state"] == "cancelled"
    assert door.delete(address, headers=ada.headers).status_code == 204
    assert door.get(address, headers=ada.headers).status_code == 404
    assert door.get(found["links"]["job"], headers=ada.headers).status_code == 404


def faults(response: Any) -> list[tuple[str, str]]:
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request"), response.text
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"photos": ["x"] * 4}, [("photos", "too_short")]),
        ({"photos": ["x"] * 6}, [("photos", "too_many")]),
        ({"photos": [7] * 5}, [(f"photos.{place}", "wrong_type") for place in range(5)]),
        ({"photos": ["x"] * 5}, [(f"photos.{place}", "not_yours") for place in range(5)]),
        ({"photos": ["x"] * 5, "consent": False}, [("consent", "not_a_choice")]),
        ({"photos": ["x"] * 5, "consent": None}, [("consent", "required")]),
        ({"photos": ["x"] * 5, "subject": "ghost"}, [("subject", "not_a_choice")]),
        ({"photos": ["x"] * 5, "steps_per_image": 0}, [("steps_per_image", "too_small")]),
        ({"photos": ["x"] * 5, "steps_per_image": 601}, [("steps_per_image", "too_large")]),
        ({"photos": ["x"] * 5, "name": "x" * 101}, [("name", "too_long")]),
        ({"photos": ["x"] * 5, "rank": 8}, [("rank", "unknown_field")]),
    ],
)
def test_a_wrong_value_is_named(
    sit: Callable[..., Any], fields: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    response = sit(**fields)
    if fields.get("consent", True) is None:
        assert [field for field, _ in faults(response)] == ["consent"]
    else:
        assert faults(response) == expected


def test_one_photo_five_times_is_four_too_many(sit: Callable[..., Any], upload: Upload) -> None:
    assert faults(sit(photos=[upload(photo(1))] * 5)) == [
        (f"photos.{place}", "photo_repeated") for place in range(1, 5)
    ]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a text named photo.jpg", "picture_wrong_format"),
        (png_that_claims(30_000), "picture_too_many_pixels"),
        (photo(4)[:5000], "picture_broken"),
    ],
)
def test_what_is_no_photo_is_named_and_nothing_is_lost(
    sit: Callable[..., Any], upload: Upload, data: bytes, code: str
) -> None:
    photos = [upload(photo(seed)) for seed in range(5)]
    assert faults(sit(photos=[*photos[:4], upload(data)])) == [("photos.4", code)]
    assert sit(photos=photos).status_code == 202, "the good ones may be used again"


@pytest.fixture
def look(door: Door, ada: Person) -> Callable[..., Any]:
    """Return a function that has photos of Ada's checked."""

    def check(*photos: str, subject: str = "animal") -> Any:
        body = {"photos": photos, "subject": subject}
        return door.post("/v1/likeness-checks", json=body, headers=ada.headers)

    return check


def test_photos_are_checked_as_they_come(look: Callable[..., Any], sit: Callable[..., Any], upload: Upload) -> None:
    photos = [upload(photo(seed)) for seed in range(4)]
    for count in range(1, 5):
        response = look(*photos[:count])
        assert (response.status_code, response.content) == (204, b"")
    photos.append(upload(photo(3)))
    assert faults(look(*photos)) == [("photos.4", "photo_repeated")]
    assert look(photos[4]).status_code == 204
    assert look(*photos).json() == sit(photos=photos).json(), "a submit answers the same"
    assert look(*photos[:4], upload(photo(4))).status_code == 204


def test_a_check_is_of_own_photos_that_have_arrived(
    door: Door, ada: Person, bob: Person, look: Callable[..., Any], upload: Upload
) -> None:
    body = {"content_type": "image/jpeg", "size": 9}
    theirs, announced = (
        door.post("/v1/uploads", json=body, headers=person.headers).json()["key"] for person in (bob, ada)
    )
    assert faults(look(theirs, upload(photo(1)), announced)) == [
        ("photos.0", "not_yours"),
        ("photos.2", "not_uploaded"),
    ]
    assert door.post("/v1/likeness-checks", json={"photos": [theirs], "subject": "animal"}).status_code == 401


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"photos": []}, ("photos", "too_short")),
        ({"photos": ["x"] * 6}, ("photos", "too_many")),
        ({"photos": "x"}, ("photos", "wrong_type")),
        ({"photos": ["x" * 10_000]}, ("photos.0", "too_long")),
        ({"subject": "ghost"}, ("subject", "not_a_choice")),
        ({"consent": True}, ("consent", "unknown_field")),
    ],
)
def test_a_check_of_something_else_is_refused(
    door: Door, ada: Person, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    body = {"photos": ["x"], "subject": "animal"} | fields
    assert faults(door.post("/v1/likeness-checks", json=body, headers=ada.headers)) == [expected]


def test_somebody_elses_code_looks_like_none(door: Door, bob: Person, sit: Callable[..., Any]) -> None:
    address = sit().json()["links"]["self"]
    none = door.get("/v1/likenesses/99999999", headers=bob.headers)
    for response in (
        door.get(address, headers=bob.headers),
        door.patch(address, json={"shared": True}, headers=bob.headers),
        door.delete(address, headers=bob.headers),
        door.get("/v1/likenesses/Rex%00", headers=bob.headers),
    ):
        assert (response.status_code, response.json()) == (404, none.json())
    assert door.get("/v1/likenesses", headers=bob.headers).json() == {"likenesses": [], "next": None}


def test_whoever_guesses_is_slowed_down(door: Door, ada: Person, bob: Person, services: Services) -> None:
    most = services.settings.codes_per_hour
    answers = [door.get(f"/v1/likenesses/{guess:08}", headers=ada.headers).status_code for guess in range(30)]
    assert answers == [404] * most + [429] * (30 - most)
    with services.db.begin() as connection:
        connection.execute(text("UPDATE rate_limits SET full_at = full_at + interval '1 minute'"))
    refused = door.post("/v1/jobs", json={"prompt": "x", "likeness": "12345678"}, headers=ada.headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) > 0
    assert door.get("/v1/likenesses/12345678", headers=bob.headers).status_code == 404


@pytest.mark.parametrize(
    ("likeness", "code"),
    [
        (7, "wrong_type"),
        ([7], "wrong_type"),
        ({"code": "12345678", "size": 1}, "wrong_type"),
        (["1", "2", "3", "4"], "too_many"),
        ([{"code": "12345678", "weight": "1"}], "wrong_type"),
        ([{"code": "12345678", "weight": 2.5}], "invalid"),
        ("1" * 21, "invalid"),
        ("\n1", "invalid"),
    ],
)
def test_a_likeness_that_is_no_code_is_refused(door: Door, ada: Person, likeness: Any, code: str) -> None:
    response = door.post("/v1/jobs", json={"prompt": "x", "likeness": likeness}, headers=ada.headers)
    if likeness == "\n1":
        assert response.status_code == 202, "blanks around it do not count"
    else:
        assert faults(response) == [("likeness", code)]


def test_settings_name_the_codes_to_their_owner(door: Door, ada: Person) -> None:
    body = {"prompt": "x", "likeness": ["1234 5678 ", {"code": "87654321", "weight": 0.5}], "likeness_weight": 1.5}
    settings = door.post("/v1/jobs", json=body, headers=ada.headers).json()["settings"]
    assert settings["likeness"] == [{"code": "12345678", "weight": 1.5}, {"code": "87654321", "weight": 0.5}]
    again = door.post("/v1/jobs", json={"prompt": "x"} | settings, headers=ada.headers)
    assert again.json()["settings"] == settings
    changes = {"likeness": "12345678", "strength": -1, "source_images": ["any"]}
    assert faults(door.post("/v1/jobs", json={"prompt": "x"} | changes, headers=ada.headers)) == [
        ("likeness", "invalid")
    ]


def test_no_log_has_a_code(asgi_door: Door, ada: Person, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        asgi_door.get("/v1/likenesses/12345678", headers=ada.headers)
        asgi_door.post("/v1/jobs", json={"prompt": "x", "likeness": "12345678"}, headers=ada.headers)
    lines = [str(vars(record)) for record in caplog.records]
    assert any("/v1/likenesses/{code}" in line for line in lines)
    own = [line for line in lines if "httpx" not in line.split("'name': ")[1][:20]]
    assert not any("12345678" in line for line in own)
