"""The demo with a small server that answers as the API does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.config import CHECKOUT
from local.demo import USAGE, Api, DemoError, describe, main, make_pictures

PROMPT = 'Маяк "ночью", `$5`'
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


class FakeApi(ThreadingHTTPServer):
    """Answers each path from a list of (status, body), the last one repeatedly. Records its requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.seen: list[tuple[str, str, dict[str, Any], str | None]] = []
        picture = {"index": 0, "url": f"{self.url}/stored.png"}
        self.answers: dict[str, list[tuple[int, Any]]] = {
            "GET /v1/health": [(503, {}), (200, {"status": "ok"})],
            "POST /v1/signup": [(201, {"token": "easel_secret", "user": {}})],
            "POST /v1/jobs": [(202, job("queued", queue_position=2, eta_seconds=5))],
            "GET /v1/jobs/0198-abcdefgh?wait=20": [
                (200, job("generating", progress=0.5, eta_seconds=1)),
                (200, job("succeeded", images=[picture])),
            ],
            "POST /v1/jobs/0198-abcdefgh/cancel": [(200, job("cancelled"))],
            "GET /stored.png": [(200, PNG)],
        }


class Answers(BaseHTTPRequestHandler):
    server: FakeApi

    def do_GET(self) -> None:
        call = f"{self.command} {self.path}"
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        self.server.seen.append((self.command, self.path, body, self.headers.get("Authorization")))
        answers = self.server.answers[call]
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET  # noqa: N815 # http.server's name

    def log_message(self, *arguments: object) -> None:
        return


def job(state: str, **fields: Any) -> dict[str, Any]:
    return {"id": "0198-abcdefgh", "state": state, "progress": None, "error": None, "images": [], **fields}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    server = FakeApi()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_works(api: FakeApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = make_pictures(Api(api.url), "A lighthouse, at night!", tmp_path)
    assert [path.name for path in paths] == ["a-lighthouse-at-night-abcdefgh-0.png"]
    assert paths[0].read_bytes() == PNG
    assert capsys.readouterr().out.splitlines() == [
        f"[{'.' * 30}]   0% queued, number 2 in the queue, about 5 s to go",
        f"[{'#' * 15}{'.' * 15}]  50% generating, about 1 s to go",
        f"[{'#' * 30}] 100% succeeded",
    ]
    sent = {path: (body, token) for _, path, body, token in api.seen}
    assert sent["/v1/jobs"] == ({"prompt": "A lighthouse, at night!"}, "Bearer easel_secret")
    assert sent["/v1/signup"][0]["email"].endswith("@example.com")
    assert sent["/stored.png"] == ({}, None)


def test_a_site_that_confirms_addresses_is_explained(api: FakeApi, tmp_path: Path) -> None:
    api.answers["POST /v1/signup"] = [(202, {"status": "accepted"})]
    with pytest.raises(DemoError, match="EASEL_VERIFY_EMAIL=off"):
        make_pictures(Api(api.url), "a lighthouse", tmp_path)


def test_a_proxy_of_the_network_is_not_asked(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    [path] = make_pictures(Api(api.url), "x", tmp_path)
    assert path.read_bytes() == PNG


@pytest.mark.parametrize(
    ("reader", "printed"), [("", "100% succeeded"), ("| head -n 1", "0% queued"), (">&-", ""), ("| true", "")]
)
def test_what_becomes_of_the_output_does_not_matter(api: FakeApi, tmp_path: Path, reader: str, printed: str) -> None:
    """The terminal has only ASCII, or its reader goes away; there is no home folder."""
    program = (
        "import contextlib, pathlib, sys; from local import demo;"
        f" demo.reachable_site = lambda config: contextlib.nullcontext({api.url!r});"
        f" demo.CHECKOUT = pathlib.Path({str(tmp_path)!r}); sys.exit(demo.main([]))"
    )
    done = subprocess.run(
        ["sh", "-c", f'"$PYTHON" -c "$PROGRAM" {reader}'],
        env={
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "PROGRAM": program,
            "DEMO_PROMPT": PROMPT,
            "PYTHONIOENCODING": "ascii",
        },
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    [path] = (tmp_path / "results").iterdir()
    assert path.name == "маяк-ночью-5-abcdefgh-0.png"
    assert {path: body for _, path, body, _ in api.seen}["/v1/jobs"] == {"prompt": PROMPT}
    if reader == "":
        assert done.stdout.splitlines()[-1] == str(path).encode("ascii", "backslashreplace").decode()
    assert printed in done.stdout


def test_a_file_system_without_these_letters(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ascii_only(name: str) -> bytes:
        return name.encode("ascii")

    monkeypatch.setattr("local.demo.os.fsencode", ascii_only)
    [path] = make_pictures(Api(api.url), PROMPT, tmp_path)
    assert path.name == "picture-abcdefgh-0.png"


def test_a_refusal_is_shown_in_the_words_of_the_api(api: FakeApi, tmp_path: Path) -> None:
    problem = {"code": "invalid", "detail": "Look again.", "errors": [{"field": "prompt", "message": "is too long"}]}
    api.answers["POST /v1/jobs"] = [(422, problem)]
    with pytest.raises(DemoError, match=r"refused \(invalid\): Look again. prompt: is too long"):
        make_pictures(Api(api.url), "x", tmp_path)


def test_a_failed_job_is_reported_with_its_reason(api: FakeApi, tmp_path: Path) -> None:
    api.answers["POST /v1/jobs"] = [
        (202, job("failed", error={"code": "bad_picture", "message": "It was no picture."}))
    ]
    with pytest.raises(DemoError, match="The job is failed: It was no picture"):
        make_pictures(Api(api.url), "x", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_in_place_of_a_picture_is_not_saved(api: FakeApi, tmp_path: Path) -> None:
    api.answers["GET /stored.png"] = [(200, b"<html>")]
    with pytest.raises(DemoError, match="did not return a PNG file"):
        make_pictures(Api(api.url), "x", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_cancels_the_job(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: Api, job: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Api, "next_change", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make_pictures(Api(api.url), "x", tmp_path)
    assert ("POST", "/v1/jobs/0198-abcdefgh/cancel") in [(method, path) for method, path, *_ in api.seen]


def test_another_program_on_the_port_is_reported(api: FakeApi, tmp_path: Path) -> None:
    api.answers["POST /v1/signup"] = [(200, b"hello")]
    with pytest.raises(DemoError, match="Is another program running there"):
        make_pictures(Api(api.url), "x", tmp_path)


@pytest.mark.parametrize("arguments", [[], [""], ["  "]])
def test_a_missing_prompt_shows_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.strip() == USAGE


def test_a_job_without_estimates_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert describe(job("cancelled")) == f"[{'.' * 30}]   0% cancelled"
