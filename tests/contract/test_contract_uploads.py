"""Start pictures: announced to Easel, uploaded to the storage, which checks them, then named in a submit."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from PIL import Image
from sqlalchemy import QueuePool

from shared.clients.storage import Storage
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.shapes import JOB, UPLOAD, check


@pytest.fixture(scope="module")
def browser() -> Iterator[requests.Session]:
    """Return a client that sends a form to the storage, without an API token."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture(scope="module")
def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 80, 20)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def announce(door: Door, ada: Person) -> Callable[..., dict[str, Any]]:
    def announce_upload(size: int, content_type: str = "image/png") -> dict[str, Any]:
        response = door.post("/v1/uploads", json={"content_type": content_type, "size": size}, headers=ada.headers)
        assert response.status_code == 201, response.text
        form: dict[str, Any] = response.json()
        return form

    return announce_upload


def send(browser: requests.Session, form: dict[str, Any], data: bytes, **changes: str) -> int:
    fields = form["fields"] | changes
    answer = browser.post(form["url"], data=fields, files={"file": ("picture", data)}, timeout=10)
    return answer.status_code


def submit(door: Door, person: Person, *keys: str) -> Any:
    body = {"prompt": "x", "source_images": list(keys)}
    return door.post("/v1/jobs", json=body, headers=person.headers)


@pytest.mark.parametrize(
    ("content_type", "ending"), [("image/png", "png"), ("image/jpeg", "jpg"), ("image/webp", "webp")]
)
def test_an_upload_has_a_form(
    announce: Callable[..., dict[str, Any]], ada: Person, content_type: str, ending: str
) -> None:
    form = announce(3, content_type)
    check(form, UPLOAD)
    assert form["key"].startswith(f"uploads/{ada.id}/")
    assert form["key"].endswith(f".{ending}")
    assert form["fields"]["key"] == form["key"]
    assert form["fields"]["Content-Type"] == content_type
    assert all(isinstance(value, str) for value in form["fields"].values())
    assert datetime.fromisoformat(form["expires_at"]) > datetime.now(UTC) + timedelta(minutes=5)
    assert announce(3)["key"] != form["key"]


def test_an_uploaded_picture_starts_a_job(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes,
    finish: Callable[[], None], generator: FakeGenerator, services: Services,
) -> None:  # fmt: skip
    form = announce(len(png))
    assert send(browser, form, png) in (200, 201, 204)
    assert services.storage.get(form["key"], 10_000) == png
    response = submit(door, ada, form["key"])
    assert response.status_code == 202
    check(response.json(), JOB)
    assert response.json()["settings"]["source_images"] == [form["key"]]
    finish()
    job = door.get(response.headers["location"], headers=ada.headers).json()
    assert job["state"] == "succeeded", job["error"]
    assert len(generator.requests[-1]["imgs"]) == 1


@pytest.mark.parametrize(("named", "made"), [({}, 2), ({"n": None}, 2), ({"n": 1}, 1), ({"n": 3}, 3)])
def test_one_picture_is_made_of_each_upload_unless_n_is_named(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes,
    finish: Callable[[], None], named: dict[str, Any], made: int,
) -> None:  # fmt: skip
    forms = [announce(len(png)) for _ in range(2)]
    for form in forms:
        send(browser, form, png)
    keys = [form["key"] for form in forms]
    body = {"prompt": "x", "source_images": keys, "width": 64, "height": 64} | named
    response = door.post("/v1/jobs", json=body, headers=ada.headers)
    assert response.json()["settings"]["n"] == made, response.text
    finish()
    job = door.get(response.headers["location"], headers=ada.headers).json()
    assert (job["state"], len(job["images"])) == ("succeeded", made), job["error"]


def test_a_submit_holds_no_connection_while_it_reads_an_upload(
    asgi_door: Door, ada: Person, services: Services, browser: requests.Session, png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    wanted = {"content_type": "image/png", "size": len(png)}
    form = asgi_door.post("/v1/uploads", json=wanted, headers=ada.headers).json()
    send(browser, form, png)
    pool, get_begin = services.db._engine.pool, Storage.get_begin
    assert isinstance(pool, QueuePool)
    seen: list[int] = []

    def watched(self: Storage, key: str, max_bytes: int) -> tuple[bytes, str]:
        seen.append(pool.checkedout())
        return get_begin(self, key, max_bytes)

    monkeypatch.setattr(Storage, "get_begin", watched)
    assert submit(asgi_door, ada, form["key"]).status_code == 202
    assert seen == [0]


def test_one_upload_may_be_named_twice(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes
) -> None:
    form = announce(len(png))
    send(browser, form, png)
    assert submit(door, ada, *[form["key"]] * 4).status_code == 202


def test_a_strength_below_0_needs_no_prompt(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes
) -> None:
    form = announce(len(png))
    send(browser, form, png)
    body = {"strength": -1, "source_images": [form["key"]], "upscale": 2}
    response = door.post("/v1/jobs", json=body, headers=ada.headers)
    assert (response.status_code, response.json()["prompt"]) == (202, "")


@pytest.mark.parametrize("by", [-1, 1])
def test_the_storage_refuses_another_size(
    announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes, by: int
) -> None:
    assert send(browser, announce(len(png) + by), png) in (400, 403)


@pytest.mark.parametrize(
    "changes",
    [
        {"Content-Type": "text/html"},
        {"Content-Type": "image/jpeg"},
        {"key": "uploads/x.png"},
        {"key": "jobs/1/1/0.png"},
    ],
)
def test_the_storage_refuses_another_type_or_key(
    announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes, changes: dict[str, str]
) -> None:
    assert send(browser, announce(len(png)), png, **changes) == 403


def test_the_storage_refuses_a_form_without_its_signature(
    announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes
) -> None:
    form = announce(len(png))
    assert send(browser, form, png, **{"x-amz-signature": "0" * 64}) == 403


def test_an_upload_that_has_not_arrived_is_named(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes
) -> None:
    arrived, missing = announce(len(png)), announce(len(png))
    send(browser, arrived, png)
    response = submit(door, ada, arrived["key"], missing["key"])
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert [error["field"] for error in response.json()["errors"]] == ["source_images.1"]
    assert missing["key"] not in response.text


def test_an_upload_of_another_user_is_not_found(
    door: Door, bob: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes
) -> None:
    form = announce(len(png))
    send(browser, form, png)
    answers = [submit(door, bob, form["key"]), submit(door, bob, f"uploads/{bob.id}/nothing.png")]
    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.content for answer in answers}) == 1
    assert [error["field"] for error in answers[0].json()["errors"]] == ["source_images.0"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *[({"size": size}, "size") for size in (0, -1, 20 * 1024 * 1024 + 1, 10**400, 1.5, "3", None, True)],
        *[
            ({"content_type": word}, "content_type")
            for word in ("image/gif", "text/html", "IMAGE/PNG", "image/png ", "", None, 7)
        ],
        ({"key": "mine.png"}, "key"),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_an_invalid_announcement_is_refused(door: Door, ada: Person, change: dict[str, Any], field: str) -> None:
    body = {"content_type": "image/png", "size": 3} | change
    response = door.post("/v1/uploads", json=body, headers=ada.headers)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_20_mb_may_be_announced(announce: Callable[..., dict[str, Any]]) -> None:
    assert announce(20 * 1024 * 1024)


def saved(size: tuple[int, int], kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "green").save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (saved((1, 1), "PNG"), "picture_too_small"),
        (saved((4000, 6), "JPEG"), "picture_too_small"),
        (saved((4000, 6), "JPEG", icc_profile=bytes(100_000)), "picture_too_small"),
        (saved((64, 64), "GIF"), "picture_wrong_format"),
        (
            saved((64, 64), "PNG", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]),
            "picture_animated",
        ),
    ],
    ids=["one pixel", "narrow", "narrow with a long profile", "GIF", "animation"],
)
def test_an_unusable_picture_is_refused_before_its_job_is_queued(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, data: bytes,
    code: str, png: bytes,
) -> None:  # fmt: skip
    good, bad = announce(len(png)), announce(len(data))
    send(browser, good, png)
    send(browser, bad, data)
    response = submit(door, ada, good["key"], bad["key"])
    assert response.status_code == 422
    [error] = response.json()["errors"]
    assert (error["field"], error["code"]) == ("source_images.1", code)


@pytest.mark.parametrize(("upscale", "status"), [(2, 202), (4, 422)])
def test_start_pictures_scaled_up_have_a_limit_of_pixels(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, upscale: int,
    status: int,
) -> None:  # fmt: skip
    data = saved((2048, 2048), "PNG")
    form = announce(len(data))
    send(browser, form, data)
    body = {"strength": -1, "upscale": upscale, "source_images": [form["key"]] * 4}
    response = door.post("/v1/jobs", json=body, headers=ada.headers)
    assert response.status_code == status, response.text
    if status == 422:
        assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [("upscale", "not_offered")]


def recoloured(png: bytes) -> bytes:
    """Return another picture of as many bytes."""
    for red in range(256):
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (red, 10, 20)).save(buffer, "PNG")
        if len(buffer.getvalue()) == len(png) and buffer.getvalue() != png:
            return buffer.getvalue()
    raise AssertionError("no other picture has this size")


def test_a_form_that_is_sent_again_changes_no_job(
    door: Door, ada: Person, announce: Callable[..., dict[str, Any]], browser: requests.Session, png: bytes,
    finish: Callable[[], None], generator: FakeGenerator, services: Services,
) -> None:  # fmt: skip
    form = announce(len(png))
    assert send(browser, form, recoloured(png)) in (200, 201, 204)
    assert send(browser, form, png) in (200, 201, 204), "no job has used it yet"
    first, second = (submit(door, ada, form["key"]).json() for _ in range(2))
    services.storage.get(form["key"], 10**6)
    send(browser, form, recoloured(png))
    again = submit(door, ada, form["key"])
    assert again.status_code == 422
    assert [(error["field"], error["code"]) for error in again.json()["errors"]] == [
        ("source_images.0", "not_uploaded")
    ]
    finish()
    for job in (first, second):
        found = door.get(job["links"]["self"], headers=ada.headers).json()
        assert (found["state"], found["error"]["code"]) == ("failed", "source_missing")
    assert generator.counts["initiated"] == 0
    send(browser, form, png)
    assert submit(door, ada, form["key"]).status_code == 202
