"""Publishing, unpublishing, viewing and reporting a job, and an operator's take-down."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from shared.admin import gallery
from shared.api.schemas import NewReport
from shared.gallery.reports import MAX_OPEN_REPORTS
from shared.gallery.reports import report as store_report
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.shapes import GALLERY_DETAIL, GALLERY_ITEM, JOB, check

Submit = Callable[..., dict[str, Any]]
NO_JOB = "00000000-0000-7000-8000-000000000000"


def publication(job: dict[str, Any]) -> str:
    return f"/v1/jobs/{job['id']}/publication"


def item(job: dict[str, Any]) -> str:
    return f"/v1/gallery/{job['id']}"


def reports(job: dict[str, Any]) -> str:
    return f"/v1/gallery/{job['id']}/reports"


def version(services: Services, job: dict[str, Any]) -> int:
    with services.db.statement() as connection:
        query = text("SELECT version FROM jobs WHERE id = :id")
        return int(connection.execute(query, {"id": UUID(job["id"])}).scalar_one())


def kept(services: Services) -> list[tuple[str, str]]:
    with services.db.statement() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT reason, detail FROM reports ORDER BY id"))]


def outcomes(services: Services) -> list[str | None]:
    with services.db.statement() as connection:
        return list(connection.execute(text("SELECT outcome FROM reports ORDER BY id")).scalars())


@pytest.fixture
def done(door: Door, ada: Person, submit: Submit, finish: Callable[[], None]) -> dict[str, Any]:
    """Return a finished job of Ada's with small pictures."""
    job = submit(n=2, seed=7, style="oil", width=64, height=64, negative_prompt="fog")
    finish()
    found: dict[str, Any] = door.get(job["links"]["self"], headers=ada.headers).json()
    return found


@pytest.fixture
def shown(door: Door, ada: Person, done: dict[str, Any]) -> dict[str, Any]:
    """Publish that job."""
    response = door.put(publication(done), headers=ada.headers)
    assert response.status_code == 200
    job: dict[str, Any] = response.json()
    return job


def test_it_works(door: Door, ada: Person, done: dict[str, Any]) -> None:
    response = door.put(publication(done), headers=ada.headers)
    assert response.status_code == 200
    check(response.json(), JOB)
    assert done["publication"] == {"state": "private", "reason": None, "appeal": None, "may_appeal": False}
    assert response.json() == done | {"public": True, "publication": done["publication"] | {"state": "public"}}
    [found] = door.get("/v1/gallery").json()["items"]
    check(found, GALLERY_ITEM)
    assert (found["job_id"], found["prompt"], found["style"]) == (done["id"], done["prompt"], "oil")
    assert done["finished_at"] <= found["published_at"]
    response = door.delete(publication(done), headers=ada.headers)
    assert (response.status_code, response.json()) == (200, done)
    assert door.get("/v1/gallery").json()["items"] == []


def test_an_item_has_its_recipe(door: Door, shown: dict[str, Any]) -> None:
    response = door.get(item(shown))
    assert response.status_code == 200
    check(response.json(), GALLERY_DETAIL)
    listed = door.get("/v1/gallery").json()["items"][0]
    recipe = response.json()["settings"]
    assert response.json() == listed | {"settings": recipe}
    assert recipe == {name: shown["settings"][name] for name in recipe}
    assert recipe["negative_prompt"] == "fog"


def test_only_a_change_changes_the_version(door: Door, ada: Person, done: dict[str, Any], services: Services) -> None:
    first = version(services, done)
    tags = []
    for method, more in (("PUT", 1), ("PUT", 1), ("DELETE", 2), ("DELETE", 2), ("PUT", 3)):
        assert door.request(method, publication(done), headers=ada.headers).status_code == 200
        assert version(services, done) == first + more
        tags.append(door.get(done["links"]["self"], headers=ada.headers).headers["etag"])
    assert tags[0] == tags[1] == tags[4] != tags[2] == tags[3]


def test_publishing_again_keeps_the_position(door: Door, ada: Person, shown: dict[str, Any]) -> None:
    before = door.get(item(shown)).json()["published_at"]
    door.put(publication(shown), headers=ada.headers)
    assert door.get(item(shown)).json()["published_at"] == before
    door.delete(publication(shown), headers=ada.headers)
    door.put(publication(shown), headers=ada.headers)
    assert door.get(item(shown)).json()["published_at"] > before


def test_a_job_that_has_not_succeeded_cannot_be_published(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], generator: FakeGenerator
) -> None:
    generator.plan = Plan(ending="error")
    jobs = [submit(), submit()]
    door.post(f"/v1/jobs/{jobs[0]['id']}/cancel", headers=ada.headers)
    for _ in range(2):  # cancelled and queued, then cancelled and failed
        for job in jobs:
            response = door.put(publication(job), headers=ada.headers)
            assert (response.status_code, response.json()["code"]) == (409, "not_succeeded")
            response = door.delete(publication(job), headers=ada.headers)
            assert (response.status_code, response.json()["public"]) == (200, False)
        finish()


def test_a_job_without_pictures_cannot_be_published(
    door: Door, ada: Person, done: dict[str, Any], services: Services
) -> None:
    with services.db.begin() as connection:
        connection.execute(text("DELETE FROM images"))
    response = door.put(publication(done), headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (409, "not_succeeded")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_job_of_another_user_is_not_found(
    door: Door, bob: Person, done: dict[str, Any], services: Services, method: str
) -> None:
    before = version(services, done)
    absent = (NO_JOB, str(uuid4()), "no-id", "0", "%00", "%ff", "é", "x" * 2000)
    answers = [
        door.request(method, f"/v1/jobs/{name}/publication", headers=bob.headers) for name in (done["id"], *absent)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert version(services, done) == before


def test_an_unpublished_job_is_not_found(door: Door, ada: Person, done: dict[str, Any], submit: Submit) -> None:
    names = (done["id"], submit()["id"], NO_JOB, "no-id", "%00", "%ff", "é", "x" * 2000)
    answers = [door.get(f"/v1/gallery/{name}", headers=ada.headers) for name in names]
    answers += [door.post(f"/v1/gallery/{name}/reports", json={"reason": "other"}) for name in names]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_nothing_public_identifies_the_owner(
    door: Door, ada: Person, finish: Callable[[], None], services: Services
) -> None:
    form = door.post("/v1/uploads", json={"content_type": "image/png", "size": 1}, headers=ada.headers).json()
    job = door.post("/v1/jobs", json={"prompt": "x", "width": 64, "height": 64}, headers=ada.headers).json()
    finish()
    with services.db.begin() as connection:  # as if the picture had been made from an upload
        settings = json.dumps({"source_images": [form["key"]], "notify": "email"})
        connection.execute(text("UPDATE jobs SET settings = settings || CAST(:new AS jsonb)"), {"new": settings})
    assert door.put(publication(job), headers=ada.headers).status_code == 200
    report = door.post(reports(job), json={"reason": "personal", "detail": "me"})
    for response in (door.get("/v1/gallery"), door.get(item(job)), report):
        assert response.status_code in (200, 202)
        for secret in (ada.email, "@", str(ada.id), form["key"], "uploads/", "notify", ada.token):
            assert secret not in response.text
    assert str(ada.id) in form["key"]


def test_picture_links_work_after_unpublishing(door: Door, ada: Person, shown: dict[str, Any]) -> None:
    links = [image["link"] for image in shown["images"]]
    assert [door.get(link).status_code for link in links] == [302, 302]
    door.delete(publication(shown), headers=ada.headers)
    assert [door.get(link).status_code for link in links] == [302, 302]


def test_a_take_down_is_permanent(door: Door, ada: Person, shown: dict[str, Any], services: Services) -> None:
    before = version(services, shown)
    gallery.take_down(services, UUID(shown["id"]))
    absent = door.get(f"/v1/gallery/{NO_JOB}")
    links = [image["link"] for image in shown["images"]]
    hidden = [door.get(item(shown)), door.post(reports(shown), json={"reason": "other"})]
    hidden += [door.get(link + query) for link in links for query in ("", "?thumbnail=1", "?download=1")]
    assert {(answer.status_code, answer.content) for answer in hidden} == {(404, absent.content)}
    assert door.get("/v1/gallery").json()["items"] == []
    job = door.get(shown["links"]["self"], headers=ada.headers).json()
    assert (job["public"], job["images"]) == (False, shown["images"])
    for _ in range(2):
        response = door.put(publication(shown), headers=ada.headers)
        assert (response.status_code, response.json()["code"]) == (403, "taken_down")
    assert version(services, shown) == before + 1
    assert door.delete(publication(shown), headers=ada.headers).status_code == 200
    response = door.put(publication(shown), headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (403, "taken_down")
    assert door.delete(f"/v1/jobs/{shown['id']}", headers=ada.headers).status_code == 204


def test_a_restored_job_keeps_its_position(door: Door, shown: dict[str, Any], services: Services) -> None:
    before = door.get("/v1/gallery").json()
    gallery.take_down(services, UUID(shown["id"]))
    gallery.approve(services, UUID(shown["id"]))
    assert door.get("/v1/gallery").json() == before
    assert [door.get(image["link"]).status_code for image in shown["images"]] == [302, 302]


def test_a_report_needs_no_account(door: Door, ada: Person, shown: dict[str, Any], services: Services) -> None:
    words = 'It shows <b>my house</b> \u202e "без спроса" 🏠'
    body = {"reason": "personal", "detail": words}
    response = door.post(reports(shown), json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert (response.status_code, response.json()) == (202, {"status": "received"})
    assert kept(services) == [("personal", words)]
    assert door.get(shown["links"]["self"], headers=ada.headers).json() == shown


@pytest.mark.parametrize("reason", ["illegal", "hateful", "sexual", "copyright", "other"])
def test_each_reason_is_kept(door: Door, shown: dict[str, Any], services: Services, reason: str) -> None:
    body = {"reason": reason, "detail": "x" * 1000}
    assert door.post(reports(shown), json=body).status_code == 202
    assert kept(services) == [(reason, "x" * 1000)]


def test_a_reporter_has_one_report_of_a_picture(
    door: Door, ada: Person, bob: Person, shown: dict[str, Any], services: Services
) -> None:
    """Visitors are told apart by their network, users by themselves; another report changes nothing."""
    answers = [
        door.post(reports(shown), json={"reason": reason}, headers=headers)
        for headers in ({}, ada.headers, bob.headers, {"Authorization": "Bearer nonsense"})
        for reason in ("illegal", "other")
    ]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert kept(services) == [("illegal", "")] * 3
    gallery.dismiss(services, UUID(shown["id"]))
    door.post(reports(shown), json={"reason": "sexual"}, headers=bob.headers)
    assert len(kept(services)) == 3


def test_nothing_kept_with_a_report_names_the_reporter(
    door: Door, bob: Person, shown: dict[str, Any], services: Services
) -> None:
    other = {**shown, "id": shown["id"]}
    door.post(reports(other), json={"reason": "other"}, headers=bob.headers)
    with services.db.statement() as connection:
        [row] = connection.execute(text("SELECT reports::text, octet_length(reporter) FROM reports"))
    assert row[1] == 16
    for secret in (bob.email, str(bob.id), bob.token, "127.0.0.1"):
        assert secret not in row[0]


BAD_REPORTS: list[tuple[dict[str, Any], str]] = [
    ({}, "reason"),
    ({"reason": None}, "reason"),
    ({"reason": ""}, "reason"),
    ({"reason": "ILLEGAL"}, "reason"),
    ({"reason": "boring"}, "reason"),
    ({"reason": ["other"]}, "reason"),
    ({"reason": 1}, "reason"),
    ({"reason": "other", "detail": 1}, "detail"),
    ({"reason": "other", "detail": {"$ne": ""}}, "detail"),
    ({"reason": "other", "detail": "x" * 1001}, "detail"),
    ({"reason": "other", "detail": "a\0b"}, "detail"),
    ({"reason": "other", "detail": "\ud800"}, "detail"),
    ({"reason": "other", "email": "ada@example.com"}, "email"),
]


@pytest.mark.parametrize(("body", "field"), BAD_REPORTS, ids=lambda value: ascii(value)[:50])
def test_an_invalid_report_is_refused(
    door: Door, shown: dict[str, Any], services: Services, body: dict[str, Any], field: str
) -> None:
    content = json.dumps(body).encode()
    response = door.post(reports(shown), content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert kept(services) == []


def test_reports_beyond_the_limit_get_the_same_answer(door: Door, shown: dict[str, Any], services: Services) -> None:
    job_id, body = UUID(shown["id"]), NewReport(reason="other")
    for place in range(MAX_OPEN_REPORTS):
        store_report(services, job_id, body, f"192.0.2.{place}")
    assert door.post(reports(shown), json={"reason": "illegal"}).status_code == 202
    assert len(kept(services)) == MAX_OPEN_REPORTS == 20
    gallery.dismiss(services, job_id)
    door.post(reports(shown), json={"reason": "illegal"})
    assert kept(services)[-1] == ("illegal", "")


def test_reports_outlive_the_job(door: Door, ada: Person, shown: dict[str, Any], services: Services) -> None:
    door.post(reports(shown), json={"reason": "other"})
    door.delete(publication(shown), headers=ada.headers)
    door.put(publication(shown), headers=ada.headers)
    assert outcomes(services) == [None]
    assert door.delete(f"/v1/jobs/{shown['id']}", headers=ada.headers).status_code == 204
    assert outcomes(services) == ["deleted"]
    assert door.get(item(shown)).status_code == 404
    assert [report.outcome for report in gallery.get_reported(services, UUID(shown["id"])).reports] == ["deleted"]


@pytest.fixture
def careful(doors: Doors, with_settings: Callable[..., Services], door: Door) -> Door:
    """Open the same site with EASEL_REVIEW=before."""
    return doors.open(with_settings(review="before"))


def appeal(job: dict[str, Any]) -> str:
    return f"{publication(job)}/appeal"


def test_a_publication_waits_for_the_operators(
    careful: Door, ada: Person, done: dict[str, Any], services: Services
) -> None:
    waiting = careful.put(publication(done), headers=ada.headers)
    check(waiting.json(), JOB)
    assert (waiting.status_code, waiting.json()["public"]) == (200, False)
    assert waiting.json()["publication"]["state"] == "waiting"
    assert careful.get("/v1/gallery").json()["items"] == []
    hidden = [careful.get(item(done), headers=headers) for headers in ({}, ada.headers)]
    hidden.append(careful.post(reports(done), json={"reason": "other"}))
    assert {(answer.status_code, answer.content) for answer in hidden} == {(404, hidden[0].content)}
    gallery.approve(services, UUID(done["id"]))
    assert careful.get(item(done)).status_code == 200
    assert careful.get(done["links"]["self"], headers=ada.headers).json()["publication"]["state"] == "public"


def test_a_refusal_is_appealed_once(
    careful: Door, ada: Person, bob: Person, done: dict[str, Any], services: Services
) -> None:
    body = {"text": "  It is a <b>lighthouse</b>.  "}
    early = careful.post(appeal(done), json=body, headers=ada.headers)
    assert (early.status_code, early.json()["code"]) == (409, "no_appeal")
    careful.put(publication(done), headers=ada.headers)
    gallery.take_down(services, UUID(done["id"]), "Not for all.")
    assert careful.post(appeal(done), json=body, headers=bob.headers).status_code == 404
    made = careful.post(appeal(done), json=body, headers=ada.headers)
    check(made.json(), JOB)
    assert made.json()["publication"] == {
        "state": "refused",
        "reason": "Not for all.",
        "appeal": {"text": "It is a <b>lighthouse</b>.", "state": "waiting"},
        "may_appeal": False,
    }
    again = careful.post(appeal(done), json=body, headers=ada.headers)
    assert (again.status_code, again.json()["code"]) == (409, "no_appeal")


@pytest.mark.parametrize("words", ["", "  ", "x" * 501, 1, None, "a\0b", "\ud800"], ids=ascii)
def test_an_appeal_is_a_text_of_500_characters(
    door: Door, ada: Person, shown: dict[str, Any], services: Services, words: Any
) -> None:
    gallery.take_down(services, UUID(shown["id"]))
    content = json.dumps({"text": words}).encode()
    headers = ada.headers | {"Content-Type": "application/json"}
    response = door.post(appeal(shown), content=content, headers=headers)
    assert (response.status_code, [error["field"] for error in response.json()["errors"]]) == (422, ["text"])
