"""Finished pictures: presigned URLs, stable links and the gallery."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from PIL import Image
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.shapes import GALLERY_ITEM, check

Submit = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def browser() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def image(door: Door, ada: Person, submit: Submit, finish: Callable[[], None]) -> dict[str, Any]:
    """Return the first picture of a finished job."""
    job = submit(width=768, height=512)
    finish()
    images: list[dict[str, Any]] = door.get(job["links"]["self"], headers=ada.headers).json()["images"]
    return images[0]


def publish(services: Services) -> None:
    """Publish every job, each a second after the one before."""
    with services.db.begin() as connection:
        connection.execute(
            text("""
                UPDATE jobs SET published_at = now() + make_interval(secs => place)
                FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM jobs) AS ordered
                WHERE ordered.id = jobs.id
            """)
        )


def open_picture(browser: requests.Session, url: str) -> tuple[requests.Response, Image.Image]:
    answer = browser.get(url, timeout=10)
    assert answer.status_code == 200
    return answer, Image.open(io.BytesIO(answer.content))


def test_the_presigned_urls_of_a_job_work(image: dict[str, Any], browser: requests.Session) -> None:
    answer, picture = open_picture(browser, image["url"])
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert (picture.format, picture.size) == ("PNG", (image["width"], image["height"]))
    answer, thumbnail = open_picture(browser, image["thumbnail_url"])
    assert answer.headers["content-type"] == "image/webp"
    assert (thumbnail.format, thumbnail.size) == ("WEBP", (512, 341))


@pytest.mark.parametrize(
    ("query", "content_type", "name"),
    [
        ("", "image/png", None),
        ("?thumbnail=1", "image/webp", None),
        ("?thumbnail=0", "image/png", None),
        ("?download=1", "image/png", "easel-{}.png"),
        ("?thumbnail=true&download=1", "image/webp", "easel-{}.webp"),
    ],
)
def test_the_stable_link_redirects_to_a_working_url(
    door: Door, image: dict[str, Any], browser: requests.Session, query: str, content_type: str, name: str | None
) -> None:
    response = door.get(image["link"] + query)
    assert (response.status_code, response.content) == (302, b"")
    assert response.headers["cache-control"] == "private, max-age=60"
    answer, _ = open_picture(browser, response.headers["location"])
    assert answer.headers["content-type"] == content_type
    disposition = f'attachment; filename="{name.format(image["id"])}"' if name else None
    assert answer.headers.get("content-disposition") == disposition
    assert door.get(image["link"] + query).headers["location"] == response.headers["location"]


def test_the_stable_link_and_the_job_give_one_url(door: Door, image: dict[str, Any]) -> None:
    assert door.get(image["link"]).headers["location"] == image["url"]
    assert door.get(image["link"] + "?thumbnail=1").headers["location"] == image["thumbnail_url"]


def test_a_link_without_a_picture_is_not_found(door: Door, image: dict[str, Any]) -> None:
    last = "0" if image["id"][-1] != "0" else "1"
    answers = [door.get(f"/i/{name}") for name in (image["id"][:-1] + last, "x", image["id"] + "0")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_the_gallery_shows_what_is_published(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], services: Services, browser: requests.Session
) -> None:
    job = submit(n=2, style="oil", seed=7)
    submit()
    finish()
    submit(prompt="not finished")
    assert door.get("/v1/gallery").json() == {"items": [], "next": None}
    publish(services)
    with services.db.begin() as connection:
        connection.execute(text("UPDATE jobs SET published_at = NULL WHERE id <> :id"), {"id": job["id"]})
    response = door.get("/v1/gallery")
    assert response.status_code == 200
    [item] = response.json()["items"]
    check(item, GALLERY_ITEM)
    assert (item["job_id"], item["prompt"], item["style"]) == (job["id"], job["prompt"], "oil")
    assert [image["seed"] for image in item["images"]] == [7, 8]
    open_picture(browser, item["images"][1]["thumbnail_url"])
    assert "@" not in response.text
    assert str(ada.id) not in response.text
    assert door.get(job["links"]["self"], headers=ada.headers).json()["public"] is True


def test_only_succeeded_jobs_are_in_the_gallery(door: Door, submit: Submit, services: Services) -> None:
    submit()
    publish(services)
    assert door.get("/v1/gallery").json()["items"] == []


def test_the_gallery_is_paged_latest_first(
    door: Door, submit: Submit, finish: Callable[[], None], services: Services
) -> None:
    ids = [submit(prompt=str(number), width=64, height=64)["id"] for number in range(5)]
    finish()
    publish(services)
    with services.db.begin() as connection:  # two with equal times, at the page boundary
        connection.execute(
            text("UPDATE jobs SET published_at = (SELECT published_at FROM jobs WHERE id = :one) WHERE id = :other"),
            {"one": ids[3], "other": ids[2]},
        )
    seen, query = [], {"limit": "2"}
    for _ in range(5):
        page = door.get("/v1/gallery", params=query).json()
        assert page.keys() == {"items", "next"}
        seen += [item["job_id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == [ids[4], ids[3], ids[2], ids[1], ids[0]]


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:00+00:00:00.000001", "2026-01-01T00:00:00+00:00:01", "2026-W01-1",
    ],
)  # fmt: skip
def test_an_invented_cursor_is_harmless(door: Door, services: Services, moment: str) -> None:
    import base64

    made_up = base64.urlsafe_b64encode(f"{moment} 00000000-0000-7000-8000-000000000000".encode()).decode()
    response = door.get("/v1/gallery", params={"cursor": made_up})
    assert response.status_code in (200, 400)


def test_health_is_ok(door: Door, services: Services) -> None:
    response = door.get("/v1/health")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": dict.fromkeys(("database", "storage", "broker", "poller"), "ok"),
    }


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("database", {"database_url": "postgresql+psycopg2://easel:secret@127.0.0.1:1/easel"}),
        ("storage", {"s3_bucket": "no-such-bucket"}),
        ("storage", {"s3_endpoint": "http://127.0.0.1:1"}),
        ("broker", {"broker_url": "redis://:secret@127.0.0.1:1/0"}),
    ],
)
def test_health_names_unavailable_services(
    doors: Any, with_settings: Callable[..., Services], part: str, changes: dict[str, str]
) -> None:
    response = doors.open(with_settings(**changes)).get("/v1/health")
    assert response.status_code == 503
    answer = response.json()
    assert answer["status"] == "unavailable"
    assert [name for name, word in answer["checks"].items() if word != "ok"] == [part]
    assert "secret" not in response.text
    assert "127.0.0.1" not in response.text
    assert int(response.headers["retry-after"]) >= 1
