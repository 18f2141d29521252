"""What other users see while one caller attacks: `make attack`, only on this machine, ended after some seconds each.

The latency of users who read, or submit small jobs, is measured before and during each load. The pictures of the first
loads are valid, have as many pixels as are allowed, and take a second to decode.
"""

import http.client
import io
import json
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from typing import Any

import psutil  # type: ignore[import-untyped]
from PIL import Image
from sqlalchemy import text

from bench.ground import Ground, prepared
from bench.jobs_through import running_poller, wait_until
from bench.table import machine
from bench.web_requests import gateway, get
from local.ports import free_port
from shared.accounts.store import User
from shared.api.schemas import JobRequest
from shared.core.settings import Settings
from shared.jobs import submission_store, upload_store
from shared.jobs.resolution import new_job
from shared.testing.fake_generator import FakeGenerator

SECONDS, WARM_S = 8.0, 3.0
VICTIMS, EVERY_S = 4, 0.05
PICTURE_PX = 8192, 6144
ANSWER_LIMIT_S = 60
LIMITS = ("max_queued", "codes_per_hour", "logins_per_account", "logins_per_address")
Request = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """What attackers do, and what it is measured by.

    Attributes:
        requests: Makes what each connection sends again and again; empty for heads that are sent slowly.
        status: What the site answers to the first of them, so that no load of refused requests is measured.
        limited: The site has its usual limits, instead of none.
        jobs: The time of small jobs of another user is measured, instead of the time of `GET /v1/me`.
    """

    name: str
    connections: int
    requests: Callable[[Ground], list[Request]]
    status: int = 0
    limited: bool = False
    jobs: bool = False


@dataclass(frozen=True)
class Figures:
    """The percentiles of what victims waited for, and the most memory that gateway and worker had, jails included."""

    p50_ms: float
    p99_ms: float
    memory_mb: float


def _request(method: str, path: str, body: object = None, token: str | None = None) -> Request:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return {"method": method, "path": path, "body": body, "headers": headers}


def _picture_requests(ground: Ground, accounts: int) -> list[Request]:
    """Store valid pictures of the most pixels; return submits that start from them."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(PICTURE_PX).convert("RGB").save(buffer, "PNG")
    data = buffer.getvalue()
    requests = []
    for user, token in ground.users(accounts):
        key = f"uploads/{user.id}/large.png"
        with ground.services.db.begin() as connection:
            upload_store.create(connection, user.id, key, "image/png", len(data))
        ground.services.storage.put(key, data, "image/png")
        requests.append(_request("POST", "/v1/jobs", {"prompt": "a lighthouse", "source_images": [key]}, token))
    return requests


def _plain_requests(ground: Ground) -> list[Request]:
    """Return the submits of `_picture_requests` without pictures: what they cost beside the pictures."""
    [(_, token)] = ground.users(1)
    return [_request("POST", "/v1/jobs", {"prompt": "a lighthouse", "width": 2048, "height": 1536}, token)]


def _wrong_logins(_ground: Ground) -> list[Request]:
    return [
        _request("POST", "/v1/login", {"email": f"nobody-{number}@example.com", "password": "four wrong words here"})
        for number in range(60)
    ]


def _beyond_limits(ground: Ground) -> list[Request]:
    """Return log-ins to one account and guesses of codes, nearly all of them beyond the limits."""
    [(user, token)] = ground.users(1)
    guesses = [_request("GET", f"/v1/likenesses/{secrets.randbelow(10**8):08}", token=token) for _ in range(50)]
    login = _request("POST", "/v1/login", {"email": user.email, "password": "four wrong words here"})
    return guesses + [login] * 50


LOADS = (
    Load("submits without start pictures, 1 account", 8, _plain_requests, 202, True, True),
    Load("submits of 50-megapixel pictures, 1 account", 8, partial(_picture_requests, accounts=1), 202, True, True),
    Load("the same from 8 accounts", 8, partial(_picture_requests, accounts=8), 202, True, True),
    Load("wrong log-ins, 60 connections", 60, _wrong_logins, 401),
    Load("log-ins and codes beyond their limits, 16 connections", 16, _beyond_limits, 404, limited=True),
    Load("heads of one character a second, 200 connections", 200, lambda _ground: []),
)


def measure(ground: Ground, load: Load) -> tuple[Figures, Figures]:
    """Run a separate site for a load; return what victims saw before and during it."""
    port, fields = free_port(), Settings.model_fields
    limits = {f"EASEL_{name.upper()}": str(fields[name].default) for name in LIMITS} if load.limited else {}
    requests, file = load.requests(ground), ground.home / "requests.json"
    file.write_text(json.dumps(requests), encoding="utf-8")
    given = [str(file)] if requests else []
    attackers = ground.python("attackers", "bench.attackers", str(port), str(load.connections), *given)
    users = ground.users(VICTIMS)
    with FakeGenerator() as fake, running_poller(ground, [user for user, _ in users], fake):
        env = limits | {"EASEL_GENERATORS": fake.setting}
        with ground.processes(gateway(ground, "gateway", port, env=env)):
            look = _jobs_of(ground, users[0][0]) if load.jobs else _reads_of(ground, port, [one for _, one in users])
            look(WARM_S)
            idle = _figures(look)
            _try(port, load, requests)
            with ground.processes(attackers):
                look(WARM_S)
                attacked = _figures(look)
    ground.clear_jobs()
    return idle, attacked


def _try(port: int, load: Load, requests: list[Request]) -> None:
    """Send the first request of a load. Raises RuntimeError if the answer is not what the load is about."""
    for request in requests[:1]:
        with closing(http.client.HTTPConnection("127.0.0.1", port, ANSWER_LIMIT_S)) as connection:
            connection.request(request["method"], request["path"], json.dumps(request["body"]), request["headers"])
            answer = connection.getresponse()
            if answer.status != load.status:
                raise RuntimeError(f"{load.name}: {answer.status} {answer.read(500)!r}")
            answer.read()


def _figures(look: Callable[[float], tuple[float, float]]) -> Figures:
    with _memory() as peak:
        p50_ms, p99_ms = look(SECONDS)
    return Figures(p50_ms, p99_ms, peak[0])


def _reads_of(ground: Ground, port: int, tokens: list[str]) -> Callable[[float], tuple[float, float]]:
    requests = [get("/v1/me", token) for token in tokens]

    def look(seconds: float) -> tuple[float, float]:
        plan = {"port": port, "seconds": seconds, "connections": len(tokens), "status": 200, "every_s": EVERY_S}
        found = json.loads(ground.run("-m", "bench.load", given=json.dumps(plan | {"requests": requests})))
        return found["p50_ms"], found["p99_ms"]

    return look


def _jobs_of(ground: Ground, user: User) -> Callable[[float], tuple[float, float]]:
    """Return a function that has one small job after the other made, and returns the percentiles of their times."""

    def look(seconds: float) -> tuple[float, float]:
        times_ms: list[float] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(times_ms) < 2:
            job = new_job(JobRequest(prompt="a lighthouse at night", width=64, height=64), None, b"bench")
            with ground.services.db.begin() as connection:
                queued = submission_store.queue(connection, user.id, job, max_queued=10, jobs_per_day=100_000)
            assert queued is not None
            ground.services.wake_ups.wake()
            times_ms.append(_time_ms(ground, queued.id))
        return median(times_ms), quantiles(times_ms, n=100, method="inclusive")[98]

    return look


def _time_ms(ground: Ground, job_id: str) -> float:
    """Wait until a job has ended; return how long it took."""
    query = text("SELECT extract(epoch FROM finished_at - created_at)::float * 1000 FROM jobs WHERE id = :id")

    def ended() -> float | None:
        with ground.services.db.statement() as connection:
            found: float | None = connection.execute(query, {"id": job_id}).scalar_one()
            return found

    wait_until(lambda: ended() is not None)
    return ended() or 0.0


@contextmanager
def _memory() -> Iterator[list[float]]:
    """Yield a list whose only number is the most MB that gateway, worker and their children had so far."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            peak[0] = max(peak[0], _memory_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _memory_mb() -> float:
    total = 0
    for parent in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended since
            if parent.cmdline()[1:3] in (["-m", "functions.gateway"], ["-m", "poller"]):
                total += sum(one.memory_info().rss for one in (parent, *_others(parent)))
    return total / 1e6


def _others(parent: psutil.Process) -> list[psutil.Process]:
    """Return what a process has started that runs another program, such as a jail."""
    return [one for one in parent.children() if one.cmdline()[1:3] != parent.cmdline()[1:3]]


def main() -> None:
    """Print a table: for each load the victims' latency and the memory, before it and meanwhile."""
    print("| load | measured | idle p50 / p99 | under attack p50 / p99 | memory idle / under attack |")
    print("|---|---|---:|---:|---:|", flush=True)
    with prepared() as ground:
        for load in LOADS:
            print(f"attack: {load.name} ...", file=sys.stderr, flush=True)
            idle, attacked = measure(ground, load)
            times = [f"{one.p50_ms:,.0f} / {one.p99_ms:,.0f} ms" for one in (idle, attacked)]
            memory = f"{idle.memory_mb:,.0f} / {attacked.memory_mb:,.0f} MB"
            measured = "a small job of another user" if load.jobs else "`GET /v1/me` of others"
            print(f"| {load.name} | {measured} | {times[0]} | {times[1]} | {memory} |", flush=True)
    print(f"\nOn {machine()}.")


if __name__ == "__main__":
    main()
