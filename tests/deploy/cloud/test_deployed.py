"""The deployed functions, end to end.

Every call goes through API Gateway to Lambda; the poller and the reference generator run as separate programs.
"""

import io
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from infra.bundle import Bundle
from local.process import Part
from local.site import DRAIN_S, worker_answers
from local.stack import Stack, running
from shared.core.settings import Settings
from shared.services import Services
from tests.support.deployment import Cloud, Deployment, function_environment
from tests.support.paths import ROOT
from tests.support.reference_generator import reference_generator
from tests.support.waiting import until

SMALL = {"width": 64, "height": 64, "steps": 2}
PASSWORD = "seven green lanterns drift"
FINISH_LIMIT_S = 90


@pytest.fixture(scope="module")
def site(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start generator and worker; return the site's variables."""
    with reference_generator() as address:
        env = {**environment, "EASEL_GENERATORS": f"img_generator+{address}", "EASEL_LOG_LEVEL": "WARNING"}
        folder = tmp_path_factory.mktemp("poller")
        parts = [
            Part(
                name="worker",
                argv=(sys.executable, "-m", "poller", "worker", "--concurrency", "1"),
                env=env,
                ready=lambda: worker_answers(env["EASEL_BROKER_URL"]),
                grace_s=DRAIN_S,
                cwd=ROOT,
            ),
        ]
        with running(Stack(parts, folder)):
            yield env


@pytest.fixture(scope="module")
def deployment(cloud: Cloud, bundle: Bundle, site: dict[str, str]) -> Deployment:
    return cloud.deploy(bundle, function_environment(Settings.from_environment(site)))


@pytest.fixture
def api(deployment: Deployment, services: Services) -> Iterator[httpx.Client]:
    """Return the deployed site on an empty database, with the token of a new user."""
    with httpx.Client(base_url=deployment.url, timeout=60) as client:
        answer = client.post("/v1/signup", json={"email": "ada@example.com", "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """Return a client without a token, for opening links."""
    with httpx.Client(timeout=30) as client:
        yield client


def submit(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = api.post("/v1/jobs", json={"prompt": "a lighthouse at night", **SMALL, **fields})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def finished(api: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Follow a job as the site does, by long polling, until it has finished."""
    deadline, etag = time.monotonic() + FINISH_LIMIT_S, ""
    while time.monotonic() < deadline:
        answer = api.get(job["links"]["self"], params={"wait": 5}, headers={"If-None-Match": etag})
        assert answer.status_code in (200, 304), answer.text
        etag = answer.headers["etag"]
        if answer.status_code == 200 and answer.json()["finished_at"]:
            return dict(answer.json())
    raise AssertionError("the job did not finish in time")


def picture(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def test_from_sign_up_to_the_gallery(api: httpx.Client, browser: httpx.Client, deployment: Deployment) -> None:
    job = submit(api)
    done = finished(api, job)
    assert done["state"] == "succeeded", done
    [image] = done["images"]
    assert picture(browser.get(image["url"]).content).size == (64, 64)
    assert picture(browser.get(image["thumbnail_url"]).content).format == "WEBP"

    redirect = browser.get(deployment.url + image["link"])
    assert redirect.status_code == 302
    assert picture(browser.get(redirect.headers["location"]).content).size == (64, 64)

    [listed] = api.get("/v1/jobs", params={"state": "succeeded", "q": "light house"}).json()["jobs"]
    assert listed["id"] == job["id"]
    assert api.get("/v1/me").json()["quota"]["running"] == 0

    assert browser.get(f"{deployment.url}/v1/gallery").json()["items"] == []
    assert api.put(f"/v1/jobs/{job['id']}/publication").status_code == 200
    [item] = browser.get(f"{deployment.url}/v1/gallery").json()["items"]
    assert item["job_id"] == job["id"]
    assert "ada@" not in str(item)
    assert browser.get(f"{deployment.url}/v1/gallery/{job['id']}").status_code == 200
    assert api.delete(f"/v1/jobs/{job['id']}/publication").status_code == 200
    assert browser.get(f"{deployment.url}/v1/gallery/{job['id']}").status_code == 404

    assert api.delete(f"/v1/jobs/{job['id']}").status_code == 204
    assert browser.get(deployment.url + image["link"]).status_code == 404


def test_an_uploaded_picture_is_used_as_source(api: httpx.Client, browser: httpx.Client) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    form = api.post("/v1/uploads", json={"content_type": "image/png", "size": file.tell()}).json()
    stored = browser.post(form["url"], data=form["fields"], files={"file": ("teal.png", file.getvalue())})
    assert stored.status_code == 204, stored.text
    done = finished(api, submit(api, source_images=[form["key"]], strength=0.3))
    assert done["state"] == "succeeded", done
    assert picture(browser.get(done["images"][0]["url"]).content).size == (64, 64)
    missing = api.post("/v1/jobs", json={"prompt": "x", **SMALL, "source_images": [form["key"] + "0"]})
    assert missing.status_code == 422


def test_a_waiting_job_is_cancelled_and_a_repeated_submit_creates_no_job(api: httpx.Client) -> None:
    jobs = [submit(api, width=512, height=512, steps=50, n=4) for _ in range(3)]
    answer = api.post(f"/v1/jobs/{jobs[2]['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    for job in jobs[:2]:
        assert api.post(f"/v1/jobs/{job['id']}/cancel").status_code in (200, 409)
    for job in jobs:
        finished(api, job)
    body = {"prompt": "twice", **SMALL}
    answers = [api.post("/v1/jobs", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    finished(api, answers[0].json())


def test_every_part_answers_and_the_session_is_a_cookie(api: httpx.Client, deployment: Deployment) -> None:
    health = api.get("/v1/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    with httpx.Client(base_url=deployment.url, timeout=60) as site:
        answer = site.post("/v1/login", json={"email": "ada@example.com", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert "httponly" in cookie.lower()
        same_site = {"Cookie": cookie.partition(";")[0], "Sec-Fetch-Site": "same-origin"}
        assert site.get("/v1/me", headers=same_site).status_code == 200
        crossing = site.post("/v1/jobs", json={"prompt": "x"}, headers=same_site | {"Sec-Fetch-Site": "cross-site"})
        assert (crossing.status_code, crossing.json()["code"]) == (403, "cross_site")


def test_a_function_whose_database_waits_answers_503_before_lambda_ends_it(
    cloud: Cloud, api: httpx.Client, services: Services, deployment: Deployment
) -> None:
    """A lock is held for as long as the function may run; without an answer in time, API Gateway would send a 502."""
    name = deployment.function_name("logout")
    cloud.client("lambda").update_function_configuration(FunctionName=name, Timeout=4)
    with services.db.begin() as connection:
        connection.execute(text("LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE"))
        answer = api.post("/v1/logout")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    until(lambda: api.post("/v1/logout").status_code in (204, 401), "the function answers again")
