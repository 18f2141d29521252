"""Exports: asking for one, following it, getting its files, and its limits."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.exports import making
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.shapes import check, maybe, time, uuid7
from tests.support.world import with_settings

FILE = {"url": str, "size_bytes": int}
EXPORT = {
    "id": uuid7,
    "state": str,
    "progress": maybe(float),
    "error": maybe(dict),
    "files": [FILE],
    "created_at": time,
    "finished_at": maybe(time),
    "expires_at": maybe(time),
    "links": {"self": str},
}


def ask(door: Door, person: Person) -> Any:
    answer = door.post("/v1/exports", headers=person.headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == answer.json()["links"]["self"]
    assert answer.headers["retry-after"] == "1"
    return answer.json()


def test_an_export_is_asked_for_followed_and_fetched(
    door: Door, services: Services, ada: Person, finish: Callable[[], None]
) -> None:
    job = door.post("/v1/jobs", json={"prompt": "a lake", "width": 64, "height": 64}, headers=ada.headers).json()
    finish()
    found = ask(door, ada)
    assert (found["state"], found["files"], found["expires_at"]) == ("queued", [], None)
    assert ask(door, ada)["id"] == found["id"]
    making.make_due(services)
    ready = door.get(found["links"]["self"], headers=ada.headers)
    assert "retry-after" not in ready.headers
    check(ready.json(), EXPORT)
    assert (ready.json()["state"], ready.json()["progress"]) == ("ready", 1)
    [file] = ready.json()["files"]
    got = httpx.get(file["url"])
    assert got.headers["content-disposition"] == 'attachment; filename="easel-1.zip"'
    assert len(got.content) == file["size_bytes"]
    [described] = json.loads(zipfile.ZipFile(io.BytesIO(got.content)).read("jobs.json"))
    assert described["id"] == job["id"]
    listed = door.get("/v1/exports", headers=ada.headers).json()
    assert ([one["id"] for one in listed["exports"]], listed["next"]) == ([found["id"]], None)


def test_a_deleted_export_is_gone_with_its_files(door: Door, services: Services, ada: Person, bob: Person) -> None:
    for make in (False, True):
        found = ask(door, ada)
        if make:
            making.make_due(services)
        path = found["links"]["self"]
        for person, status in ((bob, 404), (ada, 204), (ada, 404)):
            assert door.delete(path, headers=person.headers).status_code == status
        assert making.make_due(services) == 0
        assert door.get("/v1/exports", headers=ada.headers).json()["exports"] == []


@pytest.fixture
def strict_door(asgi_doors: Doors, services: Services) -> Door:
    return asgi_doors.open(with_settings(services, exports_per_day=2))


def test_exports_are_limited_per_day(strict_door: Door, services: Services, ada: Person) -> None:
    for _ in range(2):
        ask(strict_door, ada)
        making.make_due(services)
    refused = strict_door.post("/v1/exports", headers=ada.headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    # The last one is still there.
    assert len(strict_door.get("/v1/exports", headers=ada.headers).json()["exports"]) == 1
