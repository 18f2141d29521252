"""Every log line of gateway and worker during normal use: JSON, with ids, without secrets."""

import io
import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from PIL import Image

from functions.http.manifest import manifest
from local.ports import free_port
from local.servers import http_answers
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.processes import program
from tests.support.repeats import repeats
from tests.support.waiting import until
from tests.support.world import World

PROMPT, BAD_PROMPT = "a lighthouse that stays private", "a harbour that shall stay unknown"
EMAIL, PASSWORD, WRONG_PASSWORD = "someone-particular@example.com", "four unusual words here", "quite other words there"


class Flow:
    """A user's requests, and the secrets that no log line may contain."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False
        self.secrets = [PROMPT, BAD_PROMPT, EMAIL, "someone-particular", PASSWORD, WRONG_PASSWORD]
        self.request_ids: list[str] = []

    def call(self, method: str, path: str, status: int, body: Any = None) -> Any:
        answer = self.http.request(method, self.base + path, json=body, timeout=30, allow_redirects=False)
        assert answer.status_code == status, answer.text
        self.request_ids.append(answer.headers["X-Request-Id"])
        self.secrets += [
            value.split("=", 1)[1].split(";")[0] for value in [answer.headers.get("Set-Cookie", "")] if value
        ]
        if "Location" in answer.headers and "X-Amz" in answer.headers["Location"]:
            self.keep_url(answer.headers["Location"])
        return answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else None

    def keep_url(self, url: str) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
        self.secrets += [*query["X-Amz-Signature"], *query["X-Amz-Credential"]]

    def wait(self, job_id: str) -> Any:
        def ended() -> bool:
            return self.call("GET", f"/v1/jobs/{job_id}?wait=1", 200)["finished_at"] is not None

        until(ended, "the job's end")
        return self.call("GET", f"/v1/jobs/{job_id}", 200)

    def upload(self) -> str:
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (200, 80, 20)).save(buffer, "PNG")
        form = self.call("POST", "/v1/uploads", 201, {"content_type": "image/png", "size": len(buffer.getvalue())})
        self.secrets += [value for name, value in form["fields"].items() if name in ("policy", "x-amz-signature")]
        sent = self.http.post(form["url"], data=form["fields"], files={"file": ("a", buffer.getvalue())}, timeout=10)
        assert sent.ok, sent.text
        key: str = form["key"]
        return key

    def run(self, generator: FakeGenerator) -> tuple[Any, Any]:
        """Use every route once; return a job that succeeded and one that failed."""
        signed_up = self.call("POST", "/v1/signup", 201, {"email": EMAIL, "password": PASSWORD})
        self.secrets.append(signed_up["token"])
        self.call("POST", "/v1/login", 401, {"email": EMAIL, "password": WRONG_PASSWORD})
        self.call("POST", "/v1/signup", 422, {"email": EMAIL, "password": "short", "secret": WRONG_PASSWORD})
        self.http.headers["Authorization"] = f"Bearer {signed_up['token']}"
        small = {"width": 64, "height": 64, "steps": 1, "notify": "email"}
        body = small | {"prompt": PROMPT, "source_images": [self.upload()]}
        good = self.wait(self.call("POST", "/v1/jobs", 202, body)["id"])
        [image] = good["images"]
        self.keep_url(image["url"])
        self.call("GET", f"/i/{image['id']}", 302)
        self.call("GET", f"/v1/jobs?q={urllib.parse.quote(PROMPT)}", 200)
        self.call("PUT", f"/v1/jobs/{good['id']}/publication", 200)
        generator.plan = Plan(ending="error")
        bad = self.wait(self.call("POST", "/v1/jobs", 202, small | {"prompt": BAD_PROMPT})["id"])
        self.call("DELETE", "/v1/me", 401, {"password": WRONG_PASSWORD})
        self.call("GET", "/v1/nothing?token=" + signed_up["token"], 404)
        return good, bad


@contextmanager
def easel(settings: dict[str, str], folder: Path) -> Iterator[str]:
    """Start gateway and worker; return the gateway's address."""
    port = free_port()
    settings = settings | {"EASEL_PORT": str(port)}
    with (
        program(settings, folder / "gateway.log", module="functions.gateway") as gateway,
        program(settings, folder / "worker.log", "worker") as worker,
    ):
        until(lambda: http_answers(port, "/v1/presets"), "the gateway")
        yield f"http://127.0.0.1:{port}"
        for part in (worker, gateway):
            part.stop()


def lines_of(folder: Path, *parts: str) -> list[dict[str, Any]]:
    """Return every line of these parts' output, each a JSON object."""
    return [json.loads(line) for part in parts for line in (folder / f"{part}.log").read_text().splitlines()]


@pytest.mark.parametrize("level", ["DEBUG", *repeats("INFO")])
def test_a_whole_flow(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path, level: str
) -> None:
    redis.Redis.from_url(environment["EASEL_BROKER_URL"]).flushall()
    mails = tmp_path / "mail"
    settings = environment | {
        "EASEL_GENERATORS": generator.setting.replace("http://", "http://anna:generators-password@"),
        "EASEL_LOG_LEVEL": level,
        "EASEL_MAIL_URL": mails.as_uri(),
        "EASEL_METRICS_PORT": str(free_port()),
    }
    with easel(settings, tmp_path) as base:
        flow = Flow(base)
        good, bad = flow.run(generator)
        until(lambda: len(list(mails.glob("*.eml"))) == 2, "both mails")
        until(lambda: not world.sql("SELECT FROM mails"), "both are noted")
        metrics = requests.get(f"http://127.0.0.1:{settings['EASEL_METRICS_PORT']}/metrics", timeout=30).text
    assert (good["state"], bad["state"]) == ("succeeded", "failed")
    answers, jobs = (lines_of(tmp_path, part) for part in ("gateway", "worker"))
    secrets = [*flow.secrets, settings["AWS_SECRET_ACCESS_KEY"], "generators-password", "X-Amz-Signature"]
    check_secrets(tmp_path, secrets)
    ids = [str(world.row(good["id"]).user_id), good["id"], bad["id"]]
    assert "easel_jobs_finished_total" in metrics
    assert [secret for secret in [*secrets, *ids] if secret in metrics] == []
    check_requests(answers, flow.request_ids)
    for job in (good, bad):
        [accepted] = [line for line in answers if line["message"] == "accepted" and line["job_id"] == job["id"]]
        assert accepted["request_id"] in flow.request_ids
        steps = [line for line in jobs if line["message"] == "step" and line["job_id"] == job["id"]]
        assert steps[0]["step"] == "send"
        assert (steps[-1]["step"], steps[-1]["outcome"]) in (("fetch", "succeeded"), ("ask", "failed"))
        assert any(line["message"] == "started" and line["job_id"] == job["id"] for line in jobs)


def check_requests(lines: list[dict[str, Any]], request_ids: list[str]) -> None:
    """Check that there is one line for each answer, with the manifest's path."""
    answered = [line for line in lines if line["message"] == "request"]
    assert all(line["request_id"] for line in answered)
    by_id = {line["request_id"]: line for line in answered}
    assert len(by_id) == len(answered)
    assert by_id.keys() >= set(request_ids)
    paths = {route["path"] for route in manifest()}
    for line in answered:
        assert line.keys() >= {"at", "level", "logger", "method", "function", "status", "ms"}
        assert line.get("path") in paths or line["function"] in ("site", "none")
    assert {(line["function"], line["status"]) for line in answered} >= {
        ("signup", 201),
        ("signup", 422),
        ("login", 401),
        ("submit", 202),
        ("status", 200),
        ("picture", 302),
        ("site", 404),
    }


def check_secrets(folder: Path, secrets: list[str]) -> None:
    text = "".join(path.read_text() for path in folder.glob("*.log"))
    assert len(text) > 1000
    assert [secret for secret in secrets if secret in text or urllib.parse.quote(secret) in text] == []


def has_an_error(log: Path) -> bool:
    return "error" in log.read_text().lower()


def test_unavailable_servers_are_logged_without_their_passwords(
    world: World, environment: dict[str, str], generator: FakeGenerator, tmp_path: Path
) -> None:
    """The lines include the libraries' messages about failed connections."""
    settings = environment | {
        "EASEL_GENERATORS": generator.setting,
        "EASEL_DATABASE_URL": f"postgresql://easel:database-password@127.0.0.1:{free_port()}/easel",
        "EASEL_BROKER_URL": f"redis://:broker-password@127.0.0.1:{free_port()}/0",
    }
    port = free_port()
    settings["EASEL_PORT"] = str(port)
    with (
        program(settings, tmp_path / "gateway.log", module="functions.gateway"),
        program(settings, tmp_path / "worker.log", "worker"),
    ):
        until(lambda: http_answers(port, "/v1/presets"), "the gateway")
        base = f"http://127.0.0.1:{port}"
        assert requests.get(f"{base}/v1/health", timeout=30).status_code == 503
        body = {"prompt": PROMPT}
        headers = {"Authorization": f"Bearer easel_{'x' * 43}"}
        assert requests.post(f"{base}/v1/jobs", json=body, headers=headers, timeout=30).status_code == 503
        until(partial(has_an_error, tmp_path / "worker.log"), "the worker's complaint")
    assert {line["level"] for line in lines_of(tmp_path, "gateway", "worker")} <= {"info", "warning", "error"}
    check_secrets(tmp_path, ["database-password", "broker-password", PROMPT, "x" * 43])
