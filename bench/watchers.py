"""Pages that watch their jobs: what thousands of long polls cost the gateway and Postgres."""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import psutil  # type: ignore[import-untyped]
from sqlalchemy import text

from bench.ground import Ground
from bench.table import machine
from bench.web_requests import gateway, get
from local.ports import free_port
from shared.accounts import token_store
from shared.accounts.tokens import new_token, token_hash

SECONDS = 100.0
HOLD_S = 20
SETTLE_S = 60.0
CONNECT_LIMIT_S = 60.0
LIMIT_S = 400.0
LOOK_S = 0.2
OTHER_EVERY_S = 0.1
SPARE_FILES = 200

_WATCHED = "SELECT id, user_id FROM jobs WHERE state = 'queued' ORDER BY user_id LIMIT :count"


Plan: TypeAlias = dict[str, Any]
"""What `bench.load` is to do."""


@dataclass(frozen=True)
class Cost:
    """What one second costs: processor seconds, and transactions of the database (mostly single statements).

    The percentiles are those of another request, for one job, that is sent ten times a second meanwhile.
    """

    gateway_s: float
    postgres_s: float
    transactions: float
    p50_ms: float
    p99_ms: float


def watch(ground: Ground, watchers: int, start_one: Callable[[], None]) -> Iterator[str]:
    """Yield the lines of a Markdown table: the costs while the queue rests, and while it moves.

    start_one: starts one job; it is called every 0.2 s while the queue moves.

    Raises:
        RuntimeError: This system allows too few open files for so many connections.
    """
    if watchers + SPARE_FILES > (limit := resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        raise RuntimeError(
            f"{watchers} watchers need as many open files and {SPARE_FILES} more; 'ulimit -n' is {limit}"
        )
    port = free_port()
    yield f"| {watchers:,} watchers, for one second | gateway | Postgres | transactions | another call, p50 | p99 |"
    yield "|---|---:|---:|---:|---:|---:|"
    with ground.processes(gateway(ground, "gateway", port)), _connected(ground, port, watchers) as other:
        for name, act in (("the queue rests", _nothing), (f"a job starts every {LOOK_S} s", start_one)):
            print(f"bench: {watchers:,} watchers, {name} ...", file=sys.stderr, flush=True)
            cost = _measure(ground, act, other)
            if _count_connections() < watchers:
                raise RuntimeError("watchers have ended before their time; the answer that ended them is in their log")
            yield (
                f"| {name} | {cost.gateway_s:.2f} s | {cost.postgres_s:.2f} s | {cost.transactions:,.0f} "
                f"| {cost.p50_ms:.0f} ms | {cost.p99_ms:,.0f} ms |"
            )
    yield ""
    yield f"Processor time on {machine()}. Each watcher waits up to {HOLD_S} s for its job to change, and asks again."


def _nothing() -> None:
    pass


def _requests(ground: Ground, watchers: int) -> list[str]:
    tokens: dict[object, str] = {}
    requests = []
    with ground.services.db.statement() as connection:
        for job in connection.execute(text(_WATCHED), {"count": watchers}).all():
            if job.user_id not in tokens:
                tokens[job.user_id] = token = new_token()
                token_store.create_token(
                    connection, job.user_id, token_hash(token) or b"", kind="api", name="bench", lifetime_s=None
                )
            requests.append(get(f"/v1/jobs/{job.id}?wait={HOLD_S}", tokens[job.user_id]))
    return requests


@contextmanager
def _connected(ground: Ground, port: int, watchers: int) -> Iterator[Plan]:
    """Run the watchers in a process; the block starts when all are connected, with the plan of another call."""
    requests = _requests(ground, watchers)
    plan: Plan = {
        "port": port,
        "seconds": LIMIT_S,
        "connections": watchers,
        "status": 200,
        "requests": requests,
        "follows": True,
    }
    path = ground.home / "watchers.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    with ground.processes(ground.python("watchers", "bench.load", str(path))):
        end = time.monotonic() + CONNECT_LIMIT_S
        while _count_connections() < watchers:
            if time.monotonic() > end:
                raise RuntimeError(f"the watchers did not connect within {CONNECT_LIMIT_S:.0f} s")
            time.sleep(LOOK_S)
        other = [requests[-1].replace(f"?wait={HOLD_S}", "")]
        yield plan | {
            "seconds": SECONDS,
            "connections": 1,
            "requests": other,
            "every_s": OTHER_EVERY_S,
            "follows": False,
        }


def _measure(ground: Ground, act: Callable[[], None], other: Plan) -> Cost:
    """Measure once every watcher has asked at least once more."""
    _act_for(SETTLE_S, act)
    with ThreadPoolExecutor(1) as beside:
        before, begin = _spent(ground), time.monotonic()
        waited = beside.submit(ground.run, "-m", "bench.load", given=json.dumps(other))
        _act_for(SECONDS, act)
        after, passed = _spent(ground), time.monotonic() - begin
        found = json.loads(waited.result())
    gateway_s, postgres_s, transactions = ((late - early) / passed for early, late in zip(before, after, strict=True))
    return Cost(gateway_s, postgres_s, transactions, found["p50_ms"], found["p99_ms"])


def _act_for(seconds: float, act: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        act()
        time.sleep(LOOK_S)


def _spent(ground: Ground) -> tuple[float, float, float]:
    """Return the processor seconds of the gateway and of Postgres, and the transactions, up to now."""
    postgres = [one for one in psutil.Process().children(recursive=True) if "postgres" in one.name()]
    with ground.services.db.statement() as connection:
        query = text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        transactions = int(connection.execute(query).scalar_one())
    return _cpu_s(_gateway()), sum(map(_cpu_s, postgres)), transactions


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _count_connections() -> int:
    return len(_gateway().net_connections("tcp"))


def _gateway() -> psutil.Process:
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended since
            if one.cmdline()[1:] == ["-m", "functions.gateway"]:
                return one
    raise RuntimeError("the gateway has ended")
