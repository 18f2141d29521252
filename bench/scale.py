"""`python -m bench.scale [--sizes 1000,100000] [--finished 10000000] [--watchers 5000]`: how costs grow with the queue.

Every statement of the functions and the poller is run by the stores' own functions on the embedded Postgres, with
queues of these lengths, and the medians are printed with their growth from the shortest queue to the longest.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from uuid import UUID

from sqlalchemy import text

from bench.ground import Ground, prepared
from bench.queue_fill import USERS, add_finished, count_published, fill
from bench.table import machine
from bench.watchers import watch
from shared.accounts import store as user_store
from shared.accounts.auth import Credential
from shared.accounts.tokens import token_hash
from shared.admin import job_overview
from shared.api.schemas import JobRequest
from shared.gallery import store as gallery_store
from shared.generators.addresses import GeneratorAddress
from shared.jobs import store as job_store
from shared.jobs import submission, watch_store
from shared.jobs.records import StoredImage
from shared.metrics import store as metrics_store
from shared.polling import claims, dispatch, lease_store, outcomes, periodic
from shared.polling import generators as generator_store
from shared.polling.claims import ClaimedJob
from shared.polling.client_pool import ClientPool
from shared.polling.outcomes import Decision, Sent, Succeeded
from shared.polling.sweep import sweep
from shared.testing.fake_generator import FakeGenerator

BOUND = 1.5
"""The largest growth from the shortest queue to the longest."""

ROUNDS = 15
"""How often each statement runs, with each queue, after one round to warm up."""

WATCHED = 1000
PAGE = 20
DELETED = 100
"""Jobs of a closed account that one transaction deletes: in all rounds together, fewer than the account has."""


@dataclass
class Queue:
    """A filled queue, one generator with a single place, and a user whose jobs are at the end."""

    ground: Ground
    size: int
    address: GeneratorAddress
    pool: ClientPool
    credential: Credential
    user_id: UUID
    times_ms: dict[str, list[float]] = field(default_factory=dict)

    def measure(self) -> None:
        """Run every statement once."""
        for name, call in self._calls():
            begin = time.perf_counter()
            call()
            self.times_ms.setdefault(name, []).append(1000 * (time.perf_counter() - begin))

    def _calls(self) -> Iterator[tuple[str, Callable[[], object]]]:
        services, db = self.ground.services, self.ground.services.db
        request = JobRequest(prompt="a lighthouse at night", width=512, height=512)
        made: list[UUID] = []
        yield "submit", lambda: made.append(UUID(submission.submit(services, self.credential, request, None).id))
        front, end = self._ends()
        yield "status of the first job", lambda: self._view(front)
        yield "status of the last job", lambda: self._view(end)
        yield f"list of {PAGE} waiting jobs", lambda: self._search("")
        yield "search for a rare word in a long history", lambda: self._search("zeppelin")
        ids = self._some_ids()
        with db.statement() as connection:
            signs = watch_store.list_changed_signs(connection, [(job_id, None) for job_id in ids])
            known = [(job_id, sign) for (job_id, _), sign in signs.items()]
            yield (
                f"signs of {WATCHED:,} jobs for long polls",
                lambda: watch_store.list_changed_signs(connection, known),
            )
        yield "cancel", lambda: submission.cancel(services, self.credential, made[0])
        yield from self._poller_calls()
        yield "report", lambda: periodic.report(services)
        yield "scrape", self._scrape
        # The pictures of deleted jobs take a request to the storage each, which is not measured.
        with db.statement() as connection:
            connection.execute(text("DELETE FROM garbage"))
        yield "collect", lambda: periodic.collect(services)
        yield "easel jobs list", lambda: job_overview.list_jobs(services, limit=50)
        yield "gallery, first page", lambda: self._gallery(None)
        deep = self._deep_in_the_gallery()
        yield "gallery, a page near its end", lambda: self._gallery(deep)
        [(leaver, _)] = self.ground.users(1)
        yield "closing an account", lambda: self._close(leaver.id)
        yield f"deleting {DELETED} of its jobs", self._delete_some

    def _poller_calls(self) -> Iterator[tuple[str, Callable[[], object]]]:
        services, db = self.ground.services, self.ground.services.db
        claimed: list[ClaimedJob] = []

        def claim() -> None:
            with db.statement() as connection:
                claimed[:] = claims.claim_due(connection, claims.new_tokens(64))

        def renew() -> None:
            with db.statement() as connection:
                lease_store.renew(connection, claimed)

        def succeed() -> None:
            image = StoredImage(0, f"{claimed[0].prefix}0.png", f"{claimed[0].prefix}0.webp", 512, 512, 10**6, 7, None)
            outcomes.write(db, [(claimed[0], Decision(Succeeded((image,))))])

        yield "dispatch", lambda: dispatch.start(services, {self.address.name: 0})
        yield "claim", claim
        yield "release", lambda: outcomes.write(db, [(claimed[0], Decision(Sent("1", 0)))])
        claim()
        yield "renewal of the lease", renew
        yield "succeed", succeed
        dispatch.start(services, {self.address.name: 0})
        yield "sweep", lambda: sweep(services, self.pool)
        self._record("a failure")
        yield "sweep at which an outage begins", lambda: sweep(services, self.pool)
        self._record(None)
        yield "sweep at which it ends", lambda: sweep(services, self.pool)
        claim()
        succeed()

    def start_one(self) -> None:
        """Start the next job and finish it, which moves the queue on."""
        services = self.ground.services
        dispatch.start(services, {self.address.name: 0})
        with services.db.statement() as connection:
            claimed = claims.claim_due(connection, claims.new_tokens(1))
        for job in claimed:
            image = StoredImage(0, f"{job.prefix}0.png", f"{job.prefix}0.webp", 512, 512, 10**6, 7, None)
            outcomes.write(services.db, [(job, Decision(Succeeded((image,))))])

    def _record(self, error: str | None) -> None:
        with self.ground.services.db.statement() as connection:
            if error is None:
                generator_store.record_success(connection, self.address.name)
            else:
                generator_store.record_failure(connection, self.address.name, error)

    def _view(self, job: tuple[UUID, UUID]) -> None:
        with self.ground.services.db.statement() as connection:
            if job_store.find_view(connection, *job) is None:
                raise RuntimeError("the job is gone")

    def _search(self, words: str) -> None:
        submission.list_jobs(self.ground.services, self.credential, state=None, search=words, before=None, limit=PAGE)

    def _gallery(self, after: tuple[datetime, UUID] | None) -> None:
        with self.ground.services.db.statement() as connection:
            if len(gallery_store.list_shown(connection, after=after, limit=PAGE)) < PAGE:
                raise RuntimeError("the gallery is too short")

    def _deep_in_the_gallery(self) -> tuple[datetime, UUID]:
        query = "SELECT published_at, id FROM jobs WHERE published_at IS NOT NULL ORDER BY published_at DESC, id DESC"
        with self.ground.services.db.statement() as connection:
            offset = count_published(self.size) * 4 // 5
            row = connection.execute(text(f"{query} OFFSET :offset LIMIT 1"), {"offset": offset}).one()
        return row.published_at, row.id

    def _close(self, user_id: UUID) -> None:
        with self.ground.services.db.begin() as connection:
            user_store.close(connection, user_id)

    def _delete_some(self) -> None:
        with self.ground.services.db.begin() as connection:
            if not user_store.delete_some(connection, self.user_id, DELETED):
                raise RuntimeError("the account's history is too short")

    def _scrape(self) -> None:
        with self.ground.services.db.begin() as connection:
            metrics_store.read(connection)

    def _ends(self) -> tuple[tuple[UUID, UUID], tuple[UUID, UUID]]:
        """Return (id, user) of the first and of the last job of the queue."""
        query = "SELECT id, user_id FROM jobs WHERE state = 'queued' ORDER BY turn {0}, id {0} LIMIT 1"
        with self.ground.services.db.statement() as connection:
            first, last = (connection.execute(text(query.format(order))).one() for order in ("ASC", "DESC"))
        return (first.id, first.user_id), (last.id, last.user_id)

    def _some_ids(self) -> list[UUID]:
        with self.ground.services.db.statement() as connection:
            query = text("SELECT id FROM jobs WHERE state = 'queued' LIMIT :count")
            return list(connection.execute(query, {"count": WATCHED}).scalars())


@contextmanager
def filled(ground: Ground, size: int, finished: int = 0) -> Iterator[Queue]:
    """Fill the queue in a separate database, and run one generator beside it."""
    with ground.beside(f"queue_{size}_{finished}") as beside, FakeGenerator(max_in_flight=1) as fake:
        begin = time.monotonic()
        [(user, token)] = beside.users(1)
        fill(beside, size, user.id)
        if finished:
            add_finished(beside, finished)
        _say(f"filled a queue of {size:,} jobs, and {finished:,} finished ones, in {time.monotonic() - begin:.0f} s")
        pool = ClientPool((fake.address,))
        sweep(beside.services, pool)
        # The sweep has started a job, which would keep the only place.
        with beside.services.db.begin() as connection:
            connection.execute(text("DELETE FROM jobs WHERE state = 'generating'"))
            connection.execute(text("UPDATE users SET running = 0 WHERE running > 0"))
        hashed = token_hash(token)
        assert hashed is not None
        yield Queue(beside, size, fake.address, pool, Credential(hashed), user.id)
        pool.close()


def main() -> None:
    """Run and print the tables; progress goes to stderr. Ctrl-C ends the run and cleans up."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="Measure growth with the queue.")
    parser.add_argument("--sizes", default="1000,100000,1000000", help="lengths of the queue")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each statement is measured")
    parser.add_argument("--finished", type=int, default=0, help="finished jobs in the table, for a last column")
    parser.add_argument("--watchers", type=int, default=0, help="pages that wait for jobs of the longest queue")
    arguments = parser.parse_args()
    sizes = sorted(int(size) for size in arguments.sizes.split(","))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with prepared() as ground, ExitStack() as stack:
            columns = {f"{size:,}": stack.enter_context(filled(ground, size)) for size in sizes}
            if arguments.finished:
                head = f"{sizes[0]:,} and {arguments.finished:,} finished"
                columns[head] = stack.enter_context(filled(ground, sizes[0], arguments.finished))
            _measure(list(columns.values()), arguments.rounds)
            print("\n".join(table({head: queue.times_ms for head, queue in columns.items()}, len(sizes))), flush=True)
            if arguments.watchers:
                queue = columns[f"{sizes[-1]:,}"]
                print("\n".join(["", *watch(queue.ground, arguments.watchers, queue.start_one)]))
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; everything it started has stopped")


def _measure(queues: list[Queue], rounds: int) -> None:
    """Measure the queues in turns, so that a busy moment of the machine is the same for all."""
    for turn in range(1 + rounds):
        _say(f"round {turn} of {rounds}" if turn else "warming up")
        for queue in queues if turn % 2 else reversed(queues):
            queue.measure()
            if turn == 0:
                queue.times_ms.clear()


def _say(what: str) -> None:
    print(f"bench: {what} ...", file=sys.stderr, flush=True)


def table(columns: dict[str, dict[str, list[float]]], sizes: int) -> Iterator[str]:
    """Yield the lines of a Markdown table of milliseconds, with the growth over the first `sizes` columns.

    columns: for each queue the times of each statement, one for each round. The growth is the median of the rounds', so
    that a slow round counts for both of its queues.
    """
    heads = list(columns)
    yield f"| queued jobs of {USERS:,} users | {' | '.join(heads)} | growth | |"
    yield f"|---|{'---:|' * (len(heads) + 1)}---|"
    for name, first in columns[heads[0]].items():
        growth = median(late / early for early, late in zip(first, columns[heads[sizes - 1]][name], strict=True))
        cells = " | ".join(f"{median(columns[head][name]):.2f} ms" for head in heads)
        yield f"| {name} | {cells} | {growth:.2f} | {'**missed**' if growth > BOUND else ''} |"
    rounds = len(next(iter(columns[heads[0]].values())))
    yield ""
    yield f"Medians of {rounds}, measured in turns on {machine()}. The bound of the growth is {BOUND:g}."


if __name__ == "__main__":
    main()
