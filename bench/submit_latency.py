"""How long a submit takes while 200 jobs a second pass, and how long the 200 jobs of a group take.

The first is the 99th percentile, beside that of an idle site. The poller's steps do nothing (see
`bench.instant_poller`), because two cores do not draw, send and store 200 pictures a second.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from statistics import median
from threading import Event, Thread

from sqlalchemy import text

from bench.ground import Ground
from bench.instant_poller import instant_poller
from bench.table import Bound, Row, in_turns
from bench.web_requests import PROMPT, gateway, post
from local.ports import free_port
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job

ROUNDS = 3
SECONDS = 10.0
CONNECTIONS = 2
EVERY_S = 0.05
USERS = 64
PER_S = 200
TICK_S = 0.05
GROUP_JOBS = 200
GROUP_LIMIT_S = 2.0
GENERATORS = "img_generator+http://127.0.0.1:9,sdapi+http://127.0.0.1:13"
"""What the jobs are checked against; nothing listens there."""


def submit_p99(ground: Ground) -> Iterator[Row]:
    """Measure 40 submits per second while `PER_S` jobs of other users come and pass, and without a poller.

    An idle site has no poller, since a submitted job would wake it.
    """
    port, users, passed = free_port(), ground.users(USERS), []
    plan = {
        "port": port,
        "seconds": SECONDS,
        "connections": CONNECTIONS,
        "status": 202,
        "every_s": EVERY_S,
        "requests": [post("/v1/jobs", {"prompt": PROMPT}, token) for _, token in users],
    }

    def idle() -> float:
        ground.clear_jobs()
        return _p99_ms(ground, plan)

    def busy() -> float:
        ground.clear_jobs()
        with ground.processes(*instant_poller(ground, "--no-pictures")), _jobs_coming(ground):
            _p99_ms(ground, plan | {"seconds": 2})
            begin, before = time.monotonic(), _count_finished(ground)
            found = _p99_ms(ground, plan)
            passed.append((_count_finished(ground) - before) / (time.monotonic() - begin))
            return found

    with ground.processes(gateway(ground, "gateway", port)):
        _p99_ms(ground, plan | {"seconds": 2})
        figures = in_turns(busy, idle, ROUNDS)
    name = f"submit, 99th percentile while {min(passed):.0f} jobs/s pass"
    yield Row(name, "ms", *figures, "without a poller", Bound(2, at_most=True))
    ground.clear_jobs()


def group(ground: Ground) -> Iterator[Row]:
    """Measure a group in one call beside as many single calls, and as the first call of a new gateway."""
    alone = [{"prompt": f"{PROMPT}, {place}"} for place in range(GROUP_JOBS)]
    port, env = free_port(), {"EASEL_GENERATORS": GENERATORS}
    [(_, token)] = ground.users(1)

    def together() -> float:
        ground.clear_jobs()
        return _calls_s(port, token, "/v1/batches", [{"requests": alone}])

    def one_by_one() -> float:
        ground.clear_jobs()
        return _calls_s(port, token, "/v1/jobs", alone)

    first = []
    for _ in range(ROUNDS):
        with ground.processes(gateway(ground, "gateway", port, env=env)):
            first.append(together())
    with ground.processes(gateway(ground, "gateway", port, env=env)):
        together()
        figures = in_turns(together, one_by_one, ROUNDS)
    name = f"a group of {GROUP_JOBS} jobs"
    yield Row(name, "s", *figures, f"{GROUP_JOBS} single submits", Bound(0.5, at_most=True))
    yield Row(
        f"{name}, first call of a gateway", "s", median(first), GROUP_LIMIT_S, "the target", Bound(1, at_most=True)
    )
    ground.clear_jobs()


def _calls_s(port: int, token: str, path: str, bodies: Sequence[Mapping[str, object]]) -> float:
    """Return how long these calls take, one after the other over one connection."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.connect()
        begin = time.monotonic()
        for body in bodies:
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 202:
                raise RuntimeError(f"unexpected answer: {said[:1000]!r}")
        return time.monotonic() - begin


def _p99_ms(ground: Ground, plan: dict[str, object]) -> float:
    return float(json.loads(ground.run("-m", "bench.load", given=json.dumps(plan)))["p99_ms"])


@contextmanager
def _jobs_coming(ground: Ground) -> Iterator[None]:
    """Queue `PER_S` jobs of other users per second."""
    request, others, stop = JobRequest(prompt=PROMPT, width=64, height=64), ground.users(USERS), Event()

    def queue_them() -> None:
        due, place = time.monotonic(), 0
        while not stop.wait(max(0.0, due - time.monotonic())):
            with ground.services.db.statement() as connection:
                for _ in range(round(PER_S * TICK_S)):
                    user, _ = others[place % USERS]
                    job = new_job(request, None, b"bench")
                    submission_store.queue(connection, user.id, job, max_queued=10**6, jobs_per_day=10**6)
                    place += 1
            ground.services.wake_ups.soon()
            due += TICK_S

    thread = Thread(target=queue_them, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _count_finished(ground: Ground) -> int:
    with ground.services.db.statement() as connection:
        return int(
            connection.execute(
                text("SELECT coalesce(sum(count), 0) FROM tallies WHERE name = 'succeeded'")
            ).scalar_one()
        )
