"""The ZIP file of a group: which files it holds, whose it is, and its limits."""

import io
import zipfile
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import text

from shared.jobs import archives
from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person

SMALL = {"width": 64, "height": 64, "steps": 1}


@pytest.fixture
def group(door: Door, ada: Person) -> str:
    """Submit a group of three jobs of Ada's and return its path."""
    requests = [
        SMALL | {"prompt": "A lighthouse, at night!", "style": "oil", "seed": 7},
        SMALL | {"prompt": "маяк/ночью", "seed": 8, "n": 2},
        SMALL | {"prompt": "../..", "style": ["ink", "oil"], "seed": 9},
    ]
    response = door.post("/v1/batches", json={"requests": requests}, headers=ada.headers)
    assert response.status_code == 202, response.text
    return str(response.json()["links"]["self"])


def fetch(door: Door, path: str, person: Person) -> tuple[str, zipfile.ZipFile]:
    """Return the URL of the ZIP file, and the file opened."""
    response = door.get(f"{path}/pictures.zip", headers=person.headers)
    assert response.status_code == 302, response.text
    url = response.headers["location"]
    got = httpx.get(url)
    assert (got.status_code, got.headers["content-type"]) == (200, "application/zip")
    assert got.headers["content-disposition"] == f'attachment; filename="easel-{path.removeprefix("/v1/batches/")}.zip"'
    return url, zipfile.ZipFile(io.BytesIO(got.content))


def test_a_zip_file_holds_the_pictures_of_a_group(
    door: Door, ada: Person, group: str, finish: Callable[[], None]
) -> None:
    finish()
    url, archive = fetch(door, group, ada)
    assert archive.testzip() is None
    assert archive.namelist() == [
        "001-a-lighthouse-at-night-oil-7.png",
        "002.1-маяк-ночью-8.png",
        "002.2-маяк-ночью-9.png",
        "003.1-ink-9.png",
        "003.2-oil-10.png",
    ]
    jobs = door.get(group, headers=ada.headers).json()["jobs"]
    pictures = [httpx.get(image["url"]).content for job in jobs for image in job["images"]]
    assert [archive.read(entry) for entry in archive.infolist()] == pictures
    assert {(entry.external_attr >> 16, entry.flag_bits & 8) for entry in archive.infolist()} == {(0o100644, 0)}
    # The same pictures are not written twice.
    assert fetch(door, group, ada)[0].partition("?")[0] == url.partition("?")[0]


def test_it_holds_videos_and_leaves_out_what_is_lost(
    door: Door, ada: Person, group: str, finish: Callable[[], None], services: Services
) -> None:
    finish()
    job = door.get(group, headers=ada.headers).json()["jobs"][0]
    services.storage.put(f"jobs/{job['id']}/video.mp4", b"a video", "video/mp4")
    with services.db.begin() as connection:
        query = text("UPDATE images SET timelapse_key = 'jobs/' || job_id || '/video.mp4' WHERE job_id = :id")
        connection.execute(query, {"id": job["id"]})
        lost = connection.execute(text("SELECT key FROM images ORDER BY id DESC LIMIT 1")).scalar_one()
    services.storage.delete([lost])
    archive = fetch(door, group, ada)[1]
    assert archive.namelist()[:2] == ["001-a-lighthouse-at-night-oil-7.png", "001-a-lighthouse-at-night-oil-7.mp4"]
    assert archive.read(archive.namelist()[1]) == b"a video"
    assert len(archive.namelist()) == 5


def test_it_is_deleted_later(
    door: Door, ada: Person, group: str, finish: Callable[[], None], services: Services
) -> None:
    finish()
    fetch(door, group, ada)
    folder = f"archives/{group.removeprefix('/v1/batches/')}/"
    [key] = services.storage.sizes_bytes(folder)
    with services.db.begin() as connection:
        query = text("SELECT extract(epoch FROM due_at - now())::int FROM garbage WHERE prefix = :key")
        assert connection.execute(query, {"key": key}).scalar_one() == pytest.approx(archives.KEPT_S, abs=60)
    assert door.delete(group, headers=ada.headers).status_code == 204
    with services.db.begin() as connection:
        query = text("SELECT due_at <= clock_timestamp() FROM garbage WHERE prefix = :folder")
        assert connection.execute(query, {"folder": folder}).scalar_one()


def test_a_head_makes_it_too(door: Door, ada: Person, group: str, finish: Callable[[], None]) -> None:
    finish()
    response = door.request("HEAD", f"{group}/pictures.zip", headers=ada.headers)
    assert response.status_code == 302
    assert httpx.head(response.headers["location"]).status_code == 200


def test_a_group_without_pictures_has_none(door: Door, ada: Person, group: str) -> None:
    response = door.get(f"{group}/pictures.zip", headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (409, "not_succeeded")


def test_too_many_bytes_are_refused(
    door: Door,
    ada: Person,
    group: str,
    finish: Callable[[], None],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finish()
    for most in (10, 1000):
        monkeypatch.setattr(archives, "MAX_BYTES", most)
        response = door.get(f"{group}/pictures.zip", headers=ada.headers)
        assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert services.storage.sizes_bytes(f"archives/{group.removeprefix('/v1/batches/')}/") == {}


def test_a_process_makes_few_at_once(
    door: Door, ada: Person, group: str, finish: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    finish()
    with archives._turns.turn(0, ""), archives._turns.turn(0, ""):
        busy = door.get(f"{group}/pictures.zip", headers=ada.headers)
    assert (busy.status_code, busy.json()["code"]) == (503, "unavailable")
    assert int(busy.headers["retry-after"]) > 0
    assert door.get(f"{group}/pictures.zip", headers=ada.headers).status_code == 302
