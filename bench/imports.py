"""What a cold start costs: importing each function beside its four libraries, and the time to a first answer."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any
from uuid import uuid4

from bench.ground import ROOT, Ground
from bench.table import Bound, Row
from functions.gateway import manifest

ROUNDS = 5
THE_FOUR = "import fastapi, mangum, psycopg2, sqlalchemy"

_FIRST_ANSWER = """
import json, sys
from functions.{name} import handler
answer = handler(json.loads(sys.argv[1]), None)
assert answer["statusCode"] == {status}, answer
"""


def imports(ground: Ground) -> Iterator[Row]:
    """A fresh interpreter that imports one module and ends, from start to end. A first round only warms the disk."""
    names = list(dict.fromkeys(route["name"] for route in manifest()))
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


def first_answer(ground: Ground) -> Iterator[Row]:
    """A fresh interpreter that answers one event through the Lambda handler: submit also starts the broker's client."""
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


def _seconds(ground: Ground, program: str, *argv: str) -> float:
    """From the start to the end of the process, seen by its pipes: waiting for it with a time-out looks only 20 times a
    second."""
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", program, *argv], env=ground.env, cwd=ROOT, check=True, capture_output=True, timeout=60
    )
    return time.perf_counter() - begin


def event(method: str, path: str, token: str, body: dict[str, Any] | None = None) -> str:
    """An event of an API Gateway HTTP API, payload 2.0, as JSON."""
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
