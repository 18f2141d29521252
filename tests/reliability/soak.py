"""`python -m tests.reliability.soak`: many jobs through one worker, whose memory, files and connections must stay flat.

The result is 1 if the memory has grown by more than 5 % since the first jobs, if files or connections are left open, or
if a promise is broken.

With `--unruly` wake-ups are dropped, doubled and delayed at random between the submits and the worker.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psutil  # type: ignore[import-untyped]
from sqlalchemy import text

from bench.ground import Ground, prepared
from local.process import Process
from shared.accounts.store import User
from shared.api.schemas import JobRequest
from shared.jobs import submission_store
from shared.jobs.resolution import new_job
from shared.testing.fake_generator import FakeGenerator
from tests.support.audit import Ledger, audit
from tests.support.unruly import Unruly
from tests.support.waiting import until

JOBS, WARM_JOBS, SLICES = 20_000, 2_000, 10
USERS, IN_FLIGHT, SIDE_PX = 50, 64, 64
SLICE_LIMIT_S = 1800.0
MOST_GROWTH, MOST_MORE = 0.05, 16
"""By what part the memory may grow, and how many files or connections more there may be."""


@dataclass(frozen=True)
class Sample:
    """What the worker's processes have after so many jobs. Memory is private to them, in bytes."""

    jobs: int
    memory_bytes: int
    files: int
    connections: int
    jobs_per_s: float

    def has_grown(self, first: "Sample") -> bool:
        """Return whether there is so much more than in the first sample that something leaks."""
        more = max(self.files - first.files, self.connections - first.connections)
        return self.growth(first) > MOST_GROWTH or more > MOST_MORE

    def growth(self, first: "Sample") -> float:
        """Return by what part there is more memory than in the first sample."""
        return self.memory_bytes / first.memory_bytes - 1


def _measure(ground: Ground, worker: Process, jobs: int, jobs_per_s: float) -> Sample:
    guard = psutil.Process(worker._guard.pid)
    processes = [one for one in guard.children(recursive=True) if "poller" in one.cmdline()]
    with ground.services.db.statement() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'easel' AND pid <> pg_backend_pid()"
        connections = connection.execute(text(query)).scalar_one()
    memory = sum(one.memory_full_info().uss for one in processes)
    return Sample(jobs, memory, sum(one.num_fds() for one in processes), connections, jobs_per_s)


@contextmanager
def _worker(ground: Ground, fake: FakeGenerator) -> Iterator[Process]:
    env = {"EASEL_GENERATORS": fake.setting}
    part = ground.python("worker", "poller", "worker", "--concurrency", "1", env=env)
    process = Process(part, ground.home / "log" / "worker.log", lambda *_: None)
    try:
        yield process
    finally:
        process.stop()
        until(lambda: process.exit_code is not None, "the worker has ended", 90)
        process.close()


def run(
    ground: Ground, jobs: int, warm: int, slices: int, *, unruly: bool, seed: int
) -> tuple[list[Sample], list[str]]:
    """Submit and finish so many jobs, after `warm` ones; return a sample of each slice, and the broken promises."""
    users, ledger = [user for user, _ in ground.users(USERS)], Ledger()
    usual = ground.services.wake_ups
    wake_ups = Unruly(usual, seed) if unruly else usual
    samples = []
    with FakeGenerator(max_in_flight=IN_FLIGHT, extensions=("key",)) as fake, _worker(ground, fake) as worker:
        done = 0
        for count in (warm, *[jobs // slices] * slices):
            began = time.monotonic()
            for number in range(count):
                _submit(ground, users[number % USERS], ledger)
                wake_ups.wake()
            done += count
            until(lambda: _count_finished(ground) >= done, "the jobs are done", SLICE_LIMIT_S, every_s=0.2)  # noqa: B023
            samples.append(_measure(ground, worker, done, count / (time.monotonic() - began)))
            _show(samples[-1])
    return samples, audit(ground.services, ledger, contents=False)


def _show(one: Sample) -> None:
    memory = f"{one.memory_bytes / 1e6:.1f} MB"
    sys.stdout.write(f"| {one.jobs} | {memory} | {one.files} | {one.connections} | {one.jobs_per_s:.1f} |\n")
    sys.stdout.flush()


def _submit(ground: Ground, user: User, ledger: Ledger) -> None:
    job = new_job(JobRequest(prompt="a lighthouse at night", width=SIDE_PX, height=SIDE_PX), None, b"soak")
    with ground.services.db.statement() as connection:
        queued = submission_store.queue(connection, user.id, job, max_queued=100_000, jobs_per_day=1_000_000)
    assert queued is not None
    ledger.note_submit(user.id, None, UUID(queued.id))


def _count_finished(ground: Ground) -> int:
    with ground.services.db.statement() as connection:
        return int(connection.execute(text("SELECT count(finished_at) FROM jobs")).scalar_one())


def main() -> int:
    """Run, and print a table; return 1 if memory grew too much or a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soak", description=__doc__)
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--unruly", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    warm = min(WARM_JOBS, arguments.jobs // 10)
    sys.stdout.write("| jobs | memory | files | connections | jobs/s |\n|---:|---:|---:|---:|---:|\n")
    with prepared() as ground:
        samples, violations = run(ground, arguments.jobs, warm, SLICES, unruly=arguments.unruly, seed=arguments.seed)
    first, last = samples[0], samples[-1]
    grown = f"Memory grew by {100 * last.growth(first):.1f} % after {first.jobs} jobs. Seed {arguments.seed}."
    sys.stdout.write("\n".join(["", grown, f"Violations: {len(violations)}", *violations[:20], ""]))
    return 1 if violations or (last.has_grown(first) and not arguments.unruly) else 0


if __name__ == "__main__":
    sys.exit(main())
