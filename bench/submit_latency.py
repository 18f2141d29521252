"""How long a submit takes while the poller is busy: the 99th percentile, beside that of an idle site."""

import json
import time
from collections.abc import Iterator

from sqlalchemy import text

from bench.ground import Ground
from bench.jobs_through import IN_FLIGHT, running_poller
from bench.table import Bound, Row, in_turns
from bench.web_requests import PROMPT, gateway, post
from local.ports import free_port
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job
from shared.testing.fake_generator import FakeGenerator

ROUNDS = 3
SECONDS = 10.0
CONNECTIONS = 2
EVERY_S = 0.05
USERS = 64
WAITING = 2000
"""Jobs that the poller begins a round with: more than it finishes in that time."""


def submit_p99(ground: Ground) -> Iterator[Row]:
    """Measure 40 submits per second, with a poller that starts and finishes jobs as fast as it can, and without one.

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
        with (
            FakeGenerator(max_in_flight=IN_FLIGHT) as fake,
            running_poller(ground, [user for user, _ in users], fake),
        ):
            ground.clear_jobs()
            _queue(ground)
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


def _p99_ms(ground: Ground, plan: dict[str, object]) -> float:
    return float(json.loads(ground.run("-m", "bench.load", given=json.dumps(plan)))["p99_ms"])


def _queue(ground: Ground) -> None:
    request = JobRequest(prompt="a lighthouse at night", width=64, height=64)
    others = ground.users(USERS)
    with ground.services.db.statement() as connection:
        for place in range(WAITING):
            user, _ = others[place % USERS]
            job = new_job(request, None, b"bench")
            submission_store.queue(connection, user.id, job, max_queued=WAITING, jobs_per_day=WAITING)
        connection.execute(text("ANALYZE jobs, users"))
    ground.services.wake_ups.wake()


def _count_finished(ground: Ground) -> int:
    with ground.services.db.statement() as connection:
        return int(connection.execute(text("SELECT count(*) FROM jobs WHERE state = 'succeeded'")).scalar_one())
