"""What the poller does, free of Celery: start the jobs whose turn it is, advance one by a step, sweep, collect.

No call waits on a job: each does what is due, writes it, and says what is to be looked at next, and when.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared import claim_store, generator_store, job_store
from shared.errors import Unavailable
from shared.generators import connect
from shared.generators.base import Generator, GeneratorAddress, GeneratorError
from shared.jobs import FIRST_LOOK_S, LEASE_RENEWAL_S, MAX_CRASHES, Event, State
from shared.log import job_id as log_job_id
from shared.services import Services
from shared.steps import LOST_OBJECTS_KEPT_S, Step, objects_of

STARTS_AT_ONCE = 64
DUE_AT_ONCE = 100
GARBAGE_AT_ONCE = 50

_log = logging.getLogger(__name__)


@dataclass
class Poller:
    """A poller's process: the services, and a client for each configured generator, made at its first use."""

    services: Services
    addresses: tuple[GeneratorAddress, ...]
    connect: Callable[[GeneratorAddress], Generator] = connect
    _clients: dict[str, Generator] = field(default_factory=dict)

    def start(self) -> list[UUID]:
        """Give queued jobs places at the generators, in fair order; return those that got one."""
        started: list[UUID] = []
        with self.services.db.begin() as connection:
            claim_store.lock_clock(connection)
            rooms = {row.name: row.room for row in generator_store.list_rooms(connection)}
            while len(started) < STARTS_AT_ONCE and rooms:
                roomiest = max(rooms, key=lambda name: rooms[name])
                if rooms[roomiest] <= 0:
                    break
                job_id = claim_store.find_next(connection, max_running=self.services.settings.max_running)
                if job_id is None:
                    break
                moved = job_store.move(connection, job_id, State.GENERATING, Event.STARTED, generator=roomiest)
                claim_store.advance_clock(connection, user_id=moved.user_id, turn=moved.turn, cost=moved.cost)
                rooms[roomiest] -= 1
                started.append(job_id)
        if started:
            _log.info("started %d jobs", len(started))
        return started

    def advance(self, job_id: UUID) -> float | None:
        """Do the step that is due for a job. Returns the seconds until the next one; None when the job left the
        generator, or when there was nothing to do."""
        with self.services.db.statement() as connection:
            claim = claim_store.claim(connection, job_id)
        if claim is None:
            return None
        log_job_id.set(str(job_id))
        try:
            if claim.crashed and self._gave_up(claim):
                return None
            generator = self._client(claim.generator)
            if generator is None:
                return self._evict(claim)
            with self._kept(claim):
                return Step(self.services, claim, generator).run()
        except job_store.Lost:
            _log.info("another worker has taken over this job")
            return None
        except Unavailable:
            # The outcome could not be written. Let go of the claim, so that the next sweep need not wait for the lease
            # to run out and take this worker for dead.
            with suppress(job_store.Lost, Unavailable), self.services.db.begin() as connection:
                claim_store.release(connection, claim.id, claim.attempt_token, FIRST_LOOK_S)
                job_store.discard(connection, objects_of(claim.id, claim.attempt_token), in_s=LOST_OBJECTS_KEPT_S)
            raise
        finally:
            log_job_id.set(None)

    def sweep(self) -> list[UUID]:
        """Find what nobody is working on although it is due, start what has a place; return both."""
        with self.services.db.begin() as connection:
            generator_store.register(connection, self.addresses)
        self._probe()
        with self.services.db.statement() as connection:
            due = claim_store.list_due(connection, DUE_AT_ONCE)
        started = self.start()
        with self.services.db.statement() as connection:
            if reason := generator_store.find_reason_for_waiting(connection):
                claim_store.explain_wait(connection, reason)
        return due + started

    def collect(self) -> int:
        """Delete objects that nobody refers to any more; return how many."""
        with self.services.db.begin() as connection:
            claim_store.retire(connection)
        with self.services.db.begin() as connection:
            prefixes = claim_store.claim_garbage(connection, GARBAGE_AT_ONCE)
            return sum(self.services.storage.delete_prefix(prefix) for prefix in prefixes)

    def close(self) -> None:
        """Let go of every connection."""
        for client in self._clients.values():
            client.close()
        self.services.db.close()

    def _probe(self) -> None:
        """Ask failed generators, whose time alone is over, whether they are back. No job is risked on that."""
        with self.services.db.statement() as connection:
            names = generator_store.claim_probes(connection)
            for name in names:
                client = self._client(name)
                if client is None:
                    continue
                try:
                    client.health()
                except GeneratorError as error:
                    generator_store.note_failure(connection, name, error.message, probed=True)
                else:
                    generator_store.note_success(connection, name)

    def _client(self, name: str) -> Generator | None:
        if name not in self._clients:
            address = next((address for address in self.addresses if address.name == name), None)
            if address is None:
                return None
            self._clients[name] = self.connect(address)
        return self._clients[name]

    def _gave_up(self, claim: Row[Any]) -> bool:
        """Note that a worker died under this job; True when it was once too often."""
        with self.services.db.begin() as connection:
            job_store.discard(connection, objects_of(claim.id, claim.lost_token), in_s=LOST_OBJECTS_KEPT_S)
            if claim.crashes < MAX_CRASHES:
                claim_store.tell(connection, claim.id, Event.RECOVERED, "Its worker died; another one took over.")
                return False
            message = f"The worker died {MAX_CRASHES} times while it worked on this job."
            job_store.move(
                connection,
                claim.id,
                State.FAILED,
                Event.FAILED,
                detail=message,
                token=claim.attempt_token,
                error=("crashed_worker", message),
            )
            return True

    def _evict(self, claim: Row[Any]) -> None:
        """The job's generator is no longer configured: it goes back into the queue for another one."""
        detail = "Its generator was taken out of service."
        with self.services.db.begin() as connection:
            job_store.leave(
                connection, claim.id, State.QUEUED, Event.RETRYING, detail=detail, token=claim.attempt_token
            )

    @contextmanager
    def _kept(self, claim: Row[Any]) -> Iterator[None]:
        """Renew the claim every 5 s for as long as the step runs."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(LEASE_RENEWAL_S):
                try:
                    with self.services.db.statement() as connection:
                        if not claim_store.renew(connection, claim.id, claim.attempt_token):
                            return
                except Unavailable:
                    _log.warning("the claim could not be renewed; trying again")

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
