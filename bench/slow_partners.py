"""Jobs per second while one partner is slow or fails, beside the same without the fault.

The generator takes two seconds for a picture and has eight places, so its places limit the rate, and not the machine.
A worker of two processes has made jobs for some seconds before they are counted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from sqlalchemy import text

from bench.faulty_storage import faulty_storage
from bench.ground import Ground
from bench.jobs_through import wait_until
from bench.table import Bound, Row, in_turns
from local.site import worker_answers
from shared.accounts.store import User
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job
from shared.testing.fake_generator import FakeGenerator, Plan

ROUNDS = 3
PLAN, PLACES, SLOW_PLACES = Plan(seconds=2), 8, 40
EXTENSIONS = frozenset({"key", "wait", "cancel"})
JOBS, USERS, SIDE_PX = 600, 60, 64
WARM_S, SECONDS = 15.0, 30.0
CALL_S = 9.0
STORED_S = (1.0, 10.0)


class SlowGenerator(FakeGenerator):
    """Answers each call but those for its health after `CALL_S`, or when the block ends."""

    def __init__(self) -> None:
        super().__init__(max_in_flight=SLOW_PLACES)
        self._ends = Event()

    def __exit__(self, *error: Any) -> None:  # noqa: ANN401 # as the base
        self._ends.set()
        super().__exit__(*error)

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Answer late."""
        if path != "/health":
            self._ends.wait(CALL_S)
        return super().answer(method, path, fields)


@dataclass(frozen=True)
class Fault:
    """What is wrong with the storage, by the parameters of `faulty_storage`, and the least of the rate that is left."""

    name: str
    storage: dict[str, Any] = field(default_factory=dict)
    bound: float | None = None


FAULTS = (
    *(Fault(f"the storage takes {delay_s:g} s for each request", {"delay_s": delay_s}) for delay_s in STORED_S),
    Fault("the storage answers 503 to every other request", {"refuses": True}, 0.5),
    Fault("the storage loses the reply to every other PUT", {"loses_replies": True}, 0.5),
)


def slow_partners(ground: Ground) -> Iterator[Row]:
    """Measure a slow generator beside one that is well, then the faults of the storage."""
    users = [user for user, _ in ground.users(USERS)]

    def measuring(*, slow: bool = False, **storage: Any) -> Callable[[], float]:  # noqa: ANN401 # of `faulty_storage`
        return lambda: _rate(ground, users, slow=slow, **storage)

    figures = in_turns(measuring(slow=True), measuring(), ROUNDS)
    yield Row(f"a generator beside one that takes {CALL_S:g} s a call", "jobs/s", *figures, "alone", Bound(0.8))
    for fault in FAULTS:
        figures = in_turns(measuring(**fault.storage), measuring(), ROUNDS)
        yield Row(fault.name, "jobs/s", *figures, "without", Bound(fault.bound) if fault.bound else None)
    ground.clear_jobs()


def _rate(ground: Ground, users: list[User], *, slow: bool, **storage: Any) -> float:  # noqa: ANN401 # passed on
    """Return how many jobs of the generator that is well succeed in a second."""
    ground.clear_jobs()
    with ExitStack() as stack:
        well = stack.enter_context(FakeGenerator(plan=PLAN, extensions=EXTENSIONS, max_in_flight=PLACES))
        generators = [well, stack.enter_context(SlowGenerator())] if slow else [well]
        endpoint = stack.enter_context(faulty_storage(ground.services.settings.s3_endpoint, **storage))
        env = {
            "EASEL_GENERATORS": ",".join(generator.setting for generator in generators),
            "EASEL_S3_ENDPOINT": endpoint,
        }
        _queue(ground, users)
        stack.enter_context(_worker(ground, env))
        time.sleep(WARM_S)
        before, begin = _count(ground, well), time.monotonic()
        time.sleep(SECONDS)
        return (_count(ground, well) - before) / (time.monotonic() - begin)


def _queue(ground: Ground, users: list[User]) -> None:
    request = JobRequest(prompt="a lighthouse at night", width=SIDE_PX, height=SIDE_PX)
    with ground.services.db.begin() as connection:
        for place in range(JOBS):
            job = new_job(request, None, b"bench")
            submission_store.queue(connection, users[place % USERS].id, job, max_queued=JOBS, jobs_per_day=JOBS)


@contextmanager
def _worker(ground: Ground, env: dict[str, str]) -> Iterator[None]:
    with ground.processes(ground.python("worker", "poller", "worker", "--concurrency", "2", env=env)):
        wait_until(lambda: worker_answers(ground.services.settings.broker_url))
        yield


def _count(ground: Ground, generator: FakeGenerator) -> float:
    query = text("SELECT count(*) FROM jobs WHERE state = 'succeeded' AND generator = :name")
    with ground.services.db.statement() as connection:
        return float(connection.execute(query, {"name": generator.address.name}).scalar_one())
