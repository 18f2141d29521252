"""A poller in the tests' process, without Celery: the tests call its steps themselves."""

from collections.abc import Callable, Sequence
from uuid import UUID

from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator
from shared.generators.discovery import Discovery
from shared.metrics.process import MeasureStep, unmeasured
from shared.notify import outbox
from shared.notify.outbox_rows import MAIL_OUTBOXES
from shared.polling import dispatch, periodic
from shared.polling.client_pool import ClientPool
from shared.polling.sweep import sweep
from shared.polling.worker import Taken, Worker
from shared.services import Services
from tests.support.outboxes import are_due


class Poller:
    """The work of a worker, as method calls."""

    def __init__(
        self,
        services: Services,
        addresses: Sequence[GeneratorAddress],
        connect: Callable[[GeneratorAddress], Generator] = connect,
        measure: MeasureStep = unmeasured,
        discovery: Discovery | None = None,
    ) -> None:
        self.pool = ClientPool(addresses, connect, discovery or Discovery())
        self.worker = Worker(services, self.pool, measure)

    @property
    def services(self) -> Services:
        return self.worker.services

    @services.setter
    def services(self, services: Services) -> None:
        self.worker.services = services

    @property
    def addresses(self) -> Sequence[GeneratorAddress]:
        return self.pool.addresses

    @addresses.setter
    def addresses(self, addresses: Sequence[GeneratorAddress]) -> None:
        self.pool.addresses = addresses

    def start(self) -> list[UUID]:
        return dispatch.start(self.services, self.pool.count_ignored())

    def sweep(self) -> list[UUID]:
        return sweep(self.services, self.pool)

    def claim(self, job_id: UUID) -> Taken | None:
        return self.worker.claim(job_id)

    def work(self, claim: Taken) -> float | None:
        return self.worker.work(claim)

    def advance(self, job_id: UUID) -> float | None:
        """Do the step that is due. Returns None also if there is nothing to do."""
        claim = self.claim(job_id)
        return None if claim is None else self.work(claim)

    def collect(self) -> int:
        return periodic.collect(self.services)

    def report(self) -> None:
        periodic.report(self.services)

    def has_mail(self) -> bool:
        return self.services.sends_mail and are_due(self.services, MAIL_OUTBOXES)

    def send_mail(self) -> None:
        outbox.send_due(self.services, self.worker.stopping.is_set)

    def stop(self) -> None:
        self.worker.stopping.set()

    def close_clients(self) -> None:
        self.pool.close()

    def close(self) -> None:
        self.pool.close()
        self.services.db.close()
