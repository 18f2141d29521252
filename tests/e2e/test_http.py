"""The API from the outside, over plain HTTP, as curl and programs use it."""

import io
import json
import secrets
from math import ceil

import pytest
import requests
from PIL import Image

from shared.admin.examples import list_examples
from tests.support.api_user import PASSWORD, ApiUser, events, gallery_of
from tests.support.running_site import RunningSite
from tests.support.waiting import until

BASE_EVENTS = ["accepted", "started", "sent", "succeeded"]


def code(answer: requests.Response) -> str:
    """Return the stable code of an answer, which must be a problem document."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return str(answer.json()["code"])


def open_picture(url: str) -> Image.Image:
    """Fetch a presigned URL without any credentials and decode the picture."""
    with requests.get(url, timeout=30) as answer:
        assert answer.status_code == 200, answer.text
        picture = Image.open(io.BytesIO(answer.content))
        picture.load()
        return picture


def test_it_works(site: RunningSite, user: ApiUser) -> None:
    answer = user.call("POST", "/v1/jobs", json={"prompt": "a castle at dusk", "width": 128, "height": 64, "n": 2})
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["Location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert int(answer.headers["Retry-After"]) >= 0
    assert len(answer.headers["X-Request-Id"]) >= 16
    [done] = user.finished()
    assert done["state"] == "succeeded"
    assert done["progress"] == 1
    assert [image["index"] for image in done["images"]] == [0, 1]
    assert [image["seed"] - done["settings"]["seed"] for image in done["images"]] == [0, 1]
    for image in done["images"]:
        assert image["url"].startswith(site.s3_url + "/")
        picture = open_picture(image["url"])
        assert (picture.format, picture.size) == ("PNG", (128, 64))
        assert "a castle at dusk" in picture.text["parameters"]  # type: ignore[attr-defined]
        assert open_picture(image["thumbnail_url"]).format == "WEBP"
    timeline = user.job(job["id"])["timeline"]
    assert [event for event in events({"timeline": timeline}) if event in BASE_EVENTS] == BASE_EVENTS
    assert [entry["at"] for entry in timeline] == sorted(entry["at"] for entry in timeline)


def test_a_client_may_offer_http_2(site: RunningSite, user: ApiUser) -> None:
    """Java's own client does with every call, also with an upload and with a call of the generator."""
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAAAAIAAAAB"}
    form = user.call("POST", "/v1/uploads", json={"content_type": "image/png", "size": 5}, headers=offer).json()
    with requests.post(form["url"], data=form["fields"], files={"file": b"12345"}, headers=offer, timeout=30) as stored:
        assert stored.status_code == 204, stored.text
    generator = f"http://127.0.0.1:{site.environment['EASEL_GENERATOR_PORT']}"
    with requests.post(f"{generator}/check_status", json={"id": 2**31}, headers=offer, timeout=30) as answer:
        assert (answer.status_code, answer.json()["error"]) == (404, "unknown_id")


def test_a_status_is_held_until_it_changes(user: ApiUser) -> None:
    job = user.submit("a boat on a lake", n=4, steps=40, width=256, height=256)
    seen, etag = [job["state"]], ""
    for _ in range(100):
        answer = user.call("GET", f"/v1/jobs/{job['id']}?wait=20", headers={"If-None-Match": etag} if etag else {})
        assert answer.status_code == 200
        assert answer.headers["ETag"] != etag
        etag = answer.headers["ETag"]
        seen.append(answer.json()["state"])
        if seen[-1] == "succeeded":
            break
        assert "Retry-After" in answer.headers
    assert seen[-1] == "succeeded"
    again = user.call("GET", f"/v1/jobs/{job['id']}?wait=20", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert again.content == b""


def test_a_repeated_submit_makes_one_job(user: ApiUser) -> None:
    body = {"prompt": "a red house", "width": 64, "height": 64, "steps": 1}
    key = {"Idempotency-Key": secrets.token_hex(8)}
    first, second = (user.call("POST", "/v1/jobs", json=body, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert first.json()["id"] == second.json()["id"]
    other = user.call("POST", "/v1/jobs", json={**body, "prompt": "a blue house"}, headers=key)
    assert (other.status_code, code(other)) == (422, "idempotency_mismatch")
    assert len(user.finished()) == 1


def test_lists_are_paged_newest_first(user: ApiUser) -> None:
    submitted = [user.submit(f"tree number {number}")["id"] for number in range(5)]
    pages, cursor = [], None
    while True:
        answer = user.call("GET", "/v1/jobs", params={"limit": 2, "cursor": cursor}).json()
        pages.append([job["id"] for job in answer["jobs"]])
        cursor = answer["next"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [job_id for page in pages for job_id in page] == submitted[::-1]
    user.finished()
    assert len(user.call("GET", "/v1/jobs?state=succeeded").json()["jobs"]) == 5
    assert user.call("GET", "/v1/jobs?state=failed").json()["jobs"] == []


def test_a_waiting_job_is_cancelled_immediately_and_a_running_one_at_its_next_step(user: ApiUser) -> None:
    # Two of a user's jobs run at the same time; the third waits.
    running, _, waiting = (user.submit("a wide sea", n=8, width=512, height=512, steps=150) for _ in range(3))
    answer = user.call("POST", f"/v1/jobs/{waiting['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    until(lambda: user.job(running["id"])["state"] == "generating", "the first job is generating")
    for job in user.jobs():
        if job["state"] in ("queued", "generating"):
            assert user.call("POST", f"/v1/jobs/{job['id']}/cancel").status_code == 200
    cancelled = user.finished()
    assert {job["state"] for job in cancelled} == {"cancelled"}
    again = user.call("POST", f"/v1/jobs/{waiting['id']}/cancel")
    assert (again.status_code, code(again)) == (409, "already_finished")
    # What was worked off stays used.
    worked = sum(user.job(job["id"])["progress"] or 0 for job in cancelled)
    assert user.call("GET", "/v1/me").json()["quota"]["left_today"] == 200 - ceil(worked)


def test_a_deleted_job_is_deleted_with_its_pictures(user: ApiUser) -> None:
    job_id = user.submit()["id"]
    [job] = user.finished()
    image = job["images"][0]
    assert open_picture(image["url"]).size == (64, 64)
    assert user.call("DELETE", f"/v1/jobs/{job_id}").status_code == 204
    assert user.call("GET", f"/v1/jobs/{job_id}").status_code == 404
    assert user.call("GET", image["link"], allow_redirects=False).status_code == 404

    def is_gone() -> bool:
        with requests.get(image["url"], timeout=30) as answer:
            return answer.status_code == 404

    until(is_gone, "the stored picture is gone")


def test_a_link_redirects_to_a_fresh_presigned_url(site: RunningSite, user: ApiUser) -> None:
    user.submit()
    [job] = user.finished()
    link = site.url + job["images"][0]["link"]
    kinds = {"": "PNG", "?download=1": "PNG", "?thumbnail=1": "WEBP"}
    for query, kind in kinds.items():
        with requests.get(link + query, timeout=30, allow_redirects=False) as answer:
            assert answer.status_code == 302
            assert open_picture(answer.headers["Location"]).format == kind
    with requests.get(f"{link}?download=1", timeout=30) as answer:
        assert answer.headers["Content-Disposition"].startswith("attachment")


def test_an_uploaded_picture_is_the_source_of_another(user: ApiUser) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 40, 40)).save(file, "PNG")
    data = file.getvalue()
    form = user.call("POST", "/v1/uploads", json={"content_type": "image/png", "size": len(data)})
    assert form.status_code == 201
    with requests.post(form.json()["url"], data=form.json()["fields"], files={"file": data}, timeout=30) as stored:
        assert stored.status_code in (200, 201, 204), stored.text
    user.submit("a red wall", source_images=[form.json()["key"]], strength=0.3)
    [job] = user.finished()
    assert job["state"] == "succeeded", job["error"]
    red, green, _ = open_picture(job["images"][0]["url"]).convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > green


def test_the_gallery_shows_the_examples_without_login(site: RunningSite) -> None:
    examples = {example.prompt for example in list_examples()}
    assert len(examples) == 12

    def look() -> bool:
        items = gallery_of(site.url, 1)
        assert "@" not in json.dumps(items)
        return examples <= {item["prompt"] for item in items}

    until(look, "all examples hang in the gallery", limit_s=120)


def test_the_presets_match_what_submit_accepts(site: RunningSite, user: ApiUser) -> None:
    with requests.get(f"{site.url}/v1/presets", timeout=30) as answer:
        assert answer.status_code == 200
        presets = answer.json()
    assert [entry["key"] for entry in presets["qualities"]] == ["draft", "normal", "better", "best"]
    assert [entry["key"] for entry in presets["aspects"]] == ["square", "widescreen", "portrait"]
    job = user.submit(type=presets["types"][-1]["key"], style=presets["styles"][0]["key"])
    assert job["settings"]["style"] == presets["styles"][0]["key"]


@pytest.mark.parametrize(("path", "kind"), [("/docs", "text/html"), ("/openapi.json", "application/json")])
def test_the_docs_are_served(site: RunningSite, path: str, kind: str) -> None:
    with requests.get(site.url + path, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)


def test_refusals_have_their_status_and_code(site: RunningSite, user: ApiUser) -> None:
    job_id = user.submit()["id"]
    with requests.get(f"{site.url}/v1/jobs/{job_id}", timeout=30) as answer:
        assert (answer.status_code, code(answer)) == (401, "not_signed_in")
    wrong = {"Authorization": "Bearer easel_wrong"}
    with requests.get(f"{site.url}/v1/jobs/{job_id}", headers=wrong, timeout=30) as answer:
        assert (answer.status_code, code(answer)) == (401, "not_signed_in")
    with ApiUser(site.url) as stranger:
        answer = stranger.call("GET", f"/v1/jobs/{job_id}")
        assert (answer.status_code, code(answer)) == (404, "not_found")
    taken = {"email": user.email.upper(), "password": PASSWORD}
    with requests.post(f"{site.url}/v1/signup", json=taken, timeout=30) as answer:
        assert (answer.status_code, code(answer)) == (409, "email_taken")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b'{"prompt": "' + b"a" * 2_000_000 + b'"}', 413, "too_large"),
        (b"{not json", 422, "invalid_request"),
        (b'{"prompt": "a\\u0000b"}', 422, "invalid_request"),
        (b'{"prompt": "a", "colour": "red"}', 422, "invalid_request"),
    ],
    ids=["2 MB", "not JSON", "NUL", "unknown field"],
)
def test_an_invalid_body_is_refused(user: ApiUser, body: bytes, status: int, expected: str) -> None:
    answer = user.call("POST", "/v1/jobs", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code(answer)) == (status, expected)
