"""What the poller does, free of Celery: start the jobs whose turn it is, advance one by a step, sweep, collect.

No call waits on a job: each does what is due, writes it, and says what is to be looked at next, and when.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.core import garbage
from shared.core.errors import Unavailable
from shared.core.log import fields as log_fields
from shared.core.log import job_id as log_job_id
from shared.generators import connect
from shared.generators.abilities import kinds_for
from shared.generators.base import Generator, GeneratorAddress, GeneratorError
from shared.generators.discovery import Discovery
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_REMOVED, WORKER_DIED, Reason
from shared.jobs.states import FIRST_POLL_S, LEASE_RENEWAL_S, LOST_OBJECTS_KEPT_S, MAX_CRASHES, Event, State
from shared.metrics import store as metrics_store
from shared.metrics.process import MeasureStep, unmeasured
from shared.notify import outbox
from shared.polling import claims as claim_store
from shared.polling import garbage as collection
from shared.polling import generators as generator_store
from shared.polling.steps import Step, objects_of
from shared.services import Services

STARTS_AT_ONCE = 64
DUE_AT_ONCE = 100

_log = logging.getLogger(__name__)


class _Rooms:
    """The places that are free, while the dispatcher gives them away."""

    def __init__(self, rows: list[Row[Any]]) -> None:
        self._room: dict[str, int] = {row.name: row.room for row in rows if row.room > 0}
        self._protocol: dict[str, str] = {row.name: row.protocol for row in rows}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of jobs for which there is a place; none when all are taken."""
        return kinds_for(frozenset(self._protocol[name] for name in self._room))

    def take(self, protocols: str) -> str:
        """Give a job that these protocols can make a place, and return whose. Generators that follow more of an order
        come first; those that leave settings out get what the others have no room for. Among equals, the roomiest."""
        able = protocols.split(",")
        fit = [name for name in self._room if self._protocol[name] in able]
        chosen = min(fit, key=lambda name: (able.index(self._protocol[name]), -self._room[name], name))
        self._room[chosen] -= 1
        if not self._room[chosen]:
            del self._room[chosen]
        return chosen


@dataclass
class Poller:
    """A poller's process: the services, and a client for each configured generator, made at its first use."""

    services: Services
    addresses: tuple[GeneratorAddress, ...]
    connect: Callable[[GeneratorAddress], Generator] = connect
    measure: MeasureStep = unmeasured
    discovery: Discovery = field(default_factory=Discovery)
    _clients: dict[str, Generator] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _mailing: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[UUID]:
        """Give queued jobs places at the generators, in fair order; return those that got one."""
        started: list[UUID] = []
        # The table may still hold generators of an earlier configuration, at which no step could be done.
        names = [address.name for address in self._known_addresses()]
        with self.services.db.begin() as connection:
            claim_store.lock_clock(connection)
            rooms = _Rooms(generator_store.list_rooms(connection, names))
            while len(started) < STARTS_AT_ONCE and (kinds := rooms.kinds):
                found = claim_store.find_next(connection, max_running=self.services.settings.max_running, kinds=kinds)
                if found is None:
                    break
                taken = rooms.take(found.protocols)
                moved = job_store.move(connection, found.id, State.GENERATING, Event.STARTED, generator=taken)
                claim_store.advance_clock(connection, user_id=moved.user_id, turn=moved.turn, cost=moved.cost)
                started.append(found.id)
        for job_id in started:
            _log.info("started", extra=log_fields(job_id=str(job_id)))
        return started

    def advance(self, job_id: UUID) -> float | None:
        """Do the step that is due for a job. Returns the seconds until the next one; None when the job left the
        generator, or when there was nothing to do."""
        claim = self.claim(job_id)
        return None if claim is None else self.work(claim)

    def claim(self, job_id: UUID) -> Row[Any] | None:
        """Take the job, if a step of it is due and nobody has it. Whoever gets a claim goes on with `work` at once."""
        with self.services.db.statement() as connection:
            return claim_store.claim(connection, job_id)

    def takes_long(self, claim: Row[Any]) -> bool:
        """Whether the claimed step may last for minutes, since its generator draws while the step waits."""
        client = self._client(claim.generator)
        return client is not None and client.synchronous and claim.remote_id is not None

    def work(self, claim: Row[Any]) -> float | None:
        """Do the claimed step; returns what `advance` does. Threads may work on several claims at once."""
        log_job_id.set(str(claim.id))
        try:
            if claim.crashed and self._gave_up(claim):
                return None
            generator, address = self._client(claim.generator), self._address(claim.generator)
            if generator is None or address is None:
                return self._evict(claim)
            with self._kept(claim) as unwanted:
                stops = (unwanted, self._stopping)
                step = Step(
                    self.services,
                    claim,
                    generator,
                    address.protocol,
                    stop=lambda: any(event.is_set() for event in stops),
                )
                return self._measured(step)
        except job_store.Lost:
            return None
        except Unavailable:
            # The outcome could not be written. Let go of the claim, so that the next sweep need not wait for the lease
            # to run out and take this worker for dead.
            with suppress(job_store.Lost, Unavailable), self.services.db.begin() as connection:
                claim_store.release(connection, claim.id, claim.attempt_token, FIRST_POLL_S)
                garbage.discard(connection, objects_of(claim.id, claim.attempt_token), in_s=LOST_OBJECTS_KEPT_S)
            raise
        finally:
            log_job_id.set(None)

    def _measured(self, step: Step) -> float | None:
        """Run the step; count it and log it, with what it came to."""
        begin, outcome = time.perf_counter(), None
        try:
            return step.run()
        except job_store.Lost:
            outcome = "lost"
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        finally:
            seconds, outcome = time.perf_counter() - begin, outcome or step.outcome
            self.measure(step.kind, outcome, seconds)
            # A job is asked about again and again; what changes nothing is told to those who look closely.
            level = logging.DEBUG if (step.kind, outcome) == ("ask", "goes_on") else logging.INFO
            fields = log_fields(step=step.kind, outcome=outcome, ms=round(seconds * 1000, 1))
            _log.log(level, "step", extra=fields)

    def sweep(self) -> list[UUID]:
        """Find what nobody is working on although it is due, start what has a place; return both."""
        known = self._known_addresses()
        with self.services.db.begin() as connection:
            generator_store.register(connection, known)
        for gone in self._clients.keys() - {address.name for address in known}:
            self._clients.pop(gone, None)  # whoever still works with it keeps it until then
        self._probe()
        with self.services.db.statement() as connection:
            due = claim_store.list_due(connection, DUE_AT_ONCE)
        started = self.start()
        with self.services.db.statement() as connection:
            for reason, kinds in list(generator_store.list_reasons_for_waiting(connection)):
                claim_store.explain_wait(connection, reason, kinds)
            claim_store.note_sweep(connection)
        return due + started

    def collect(self) -> int:
        """Delete objects that nobody refers to any more, and mail that could not be sent for a day; return how many
        objects."""
        outbox.give_up_old(self.services)
        with self.services.db.statement() as connection:
            metrics_store.compact(connection)
        collection.retire(self.services)
        return collection.empty_garbage(self.services).objects

    def report(self) -> None:
        """Log how the queue stands: the line that alarms are made from where nobody asks for metrics. Its failures are
        those since the last such line of any process, so that they can be added up."""
        with self.services.db.begin() as connection:
            claim_store.lock_clock(connection)
            report = metrics_store.report(connection)
        _log.info("queue", extra=log_fields(**asdict(report)))

    def has_mail(self) -> bool:
        """Whether a mail about a finished job is to be sent."""
        return outbox.are_due(self.services)

    def send_mail(self) -> None:
        """Send the mail that is due, unless another thread is at it: a mail server that hangs must not gather more of
        them with each sweep. Jobs go on meanwhile."""
        if not self._mailing.acquire(blocking=False):
            return
        try:
            if sent := outbox.send_due(self.services, self._stopping.is_set):
                _log.info("mails sent: %d", sent)
        finally:
            self._mailing.release()

    def stop(self) -> None:
        """Have steps that wait for a picture end soon: their jobs go on at another worker, without a lost attempt."""
        self._stopping.set()

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
            address = self._address(name)
            if address is None:
                return None
            self._clients[name] = self.connect(address)
        return self._clients[name]

    def _known_addresses(self) -> tuple[GeneratorAddress, ...]:
        return self.discovery.expand(self.addresses)

    def _address(self, name: str) -> GeneratorAddress | None:
        return next((address for address in self._known_addresses() if address.name == name), None)

    def _gave_up(self, claim: Row[Any]) -> bool:
        """Note that a worker died under this job; True when it was once too often."""
        _log.warning("a worker died under this job", extra=log_fields(crashes=claim.crashes))
        with self.services.db.begin() as connection:
            garbage.discard(connection, objects_of(claim.id, claim.lost_token), in_s=LOST_OBJECTS_KEPT_S)
            if claim.crashes < MAX_CRASHES:
                claim_store.tell(connection, claim.id, Event.RECOVERED, WORKER_DIED)
                return False
            message = f"The worker died {MAX_CRASHES} times while it worked on this job."
            job_store.move(
                connection,
                claim.id,
                State.FAILED,
                Event.FAILED,
                reason=Reason("crashed_worker", message),
                attempt_token=claim.attempt_token,
            )
            return True

    def _evict(self, claim: Row[Any]) -> None:
        """The job's generator is no longer configured: it goes back into the queue for another one."""
        with self.services.db.begin() as connection:
            job_store.end_attempt(
                connection,
                claim.id,
                State.QUEUED,
                Event.RETRYING,
                reason=GENERATOR_REMOVED,
                attempt_token=claim.attempt_token,
            )

    @contextmanager
    def _kept(self, claim: Row[Any]) -> Iterator[threading.Event]:
        """Renew the claim every 2 s for as long as the step runs. The event is set once the step's outcome is no longer
        wanted: the job is to be cancelled, or the claim is lost."""
        done, unwanted = threading.Event(), threading.Event()

        def renew() -> None:
            while not done.wait(LEASE_RENEWAL_S):
                try:
                    with self.services.db.statement() as connection:
                        kept = claim_store.renew(connection, claim.id, claim.attempt_token)
                except Unavailable:
                    _log.warning("the claim could not be renewed; trying again")
                    continue
                if kept is None or kept.cancelling:
                    unwanted.set()
                if kept is None:
                    return

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield unwanted
        finally:
            done.set()
            thread.join()
