"""The cost of a cold start: importing each function beside its four libraries, and the time to a first answer."""

import json
import subprocess
import time
from collections.abc import Iterator
from statistics import median
from typing import Any
from uuid import uuid4

from bench.ground import OURS, Build, Ground
from bench.table import Bound, Row, in_turns
from functions.http.manifest import manifest

ROUNDS = 5
RIVAL_ROUNDS = 10
THE_FOUR = "import fastapi, mangum, psycopg2, sqlalchemy"

_FIRST_ANSWER = """
import json, sys
from functions.{name} import handler
answer = handler(json.loads(sys.argv[1]), None)
assert answer["statusCode"] == {status}, answer
"""


def imports(ground: Ground) -> Iterator[Row]:
    """Measure a new interpreter that imports one module and exits. The first round only warms the disk cache."""
    names = list(dict.fromkeys(route["name"] for route in manifest()))
    if ground.rival is not None:
        yield from _beside_rival(ground, ground.rival, names)
        return
    programs = {name: f"import functions.{name}" for name in names} | {THE_FOUR: THE_FOUR}
    found: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(ROUNDS + 1):
        for name, program in programs.items():
            took_s = _seconds(ground, program)
            if turn:
                found[name].append(took_s)
    theirs = median(found.pop(THE_FOUR)) * 1000
    for name, times in found.items():
        yield Row(f"import functions.{name}", "ms", median(times) * 1000, theirs, THE_FOUR, Bound(1.35, at_most=True))


def _beside_rival(ground: Ground, rival: Build, names: list[str]) -> Iterator[Row]:
    for name in names:
        program = f"import functions.{name}"
        figures = in_turns(
            lambda program=program: 1000 * _seconds(ground, program),  # type: ignore[misc]
            lambda program=program: 1000 * _seconds(ground, program, build=rival),  # type: ignore[misc]
            RIVAL_ROUNDS,
        )
        yield Row.beside_rival(f"import functions.{name}", "ms", figures, less_is_better=True)


def first_answer(ground: Ground) -> Iterator[Row]:
    """Measure a new interpreter that answers one event through the Lambda handler.

    Submit also starts the broker's client.
    """
    [(_, token)] = ground.users(1)
    calls = {
        "submit": (event("POST", "/v1/jobs", token, {"prompt": "a lighthouse at night"}), 202),
        "status": (event("GET", f"/v1/jobs/{uuid4()}", token), 404),
    }
    for name, (asked, status) in calls.items():
        program = _FIRST_ANSWER.format(name=name, status=status)
        times = [_seconds(ground, program, asked) for _ in range(ROUNDS + 1)][1:]
        yield Row(f"first answer of {name}, from nothing", "ms", median(times) * 1000, None, "")
    ground.clear_jobs()


def _seconds(ground: Ground, program: str, *argv: str, build: Build = OURS) -> float:
    """Return the seconds from the start of the process to the end of its output.

    `capture_output` waits for the pipes; waiting for the exit with a timeout would poll only 20 times per second.
    """
    begin = time.perf_counter()
    command = [build.python, "-c", program, *argv]
    subprocess.run(command, env=ground.env, cwd=build.root, check=True, capture_output=True, timeout=60)
    return time.perf_counter() - begin


def event(method: str, path: str, token: str, body: dict[str, Any] | None = None) -> str:
    """Return an event of an API Gateway HTTP API, payload 2.0, as JSON."""
    request = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "bench"}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"authorization": f"Bearer {token}", "content-type": "application/json", "host": "127.0.0.1"},
        "requestContext": {"http": request, "stage": "$default", "requestId": "bench", "timeEpoch": 0},
        "body": json.dumps(body) if body else None,
        "isBase64Encoded": False,
    }
    return json.dumps(event)
