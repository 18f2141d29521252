"""One worker and one function whose database, storage, generator, mail server and webhooks are behind proxies."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

from sqlalchemy import make_url
from sqlalchemy.engine.url import URL

from shared.accounts.auth import Credential
from shared.clients import storage_connections
from shared.generators import img_generator
from shared.generators.addresses import GeneratorAddress
from shared.generators.img_generator import ImgGenerator
from shared.notify import mail, outbox, posting, webhooks
from shared.polling import garbage
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.audit import Ledger, audit
from tests.support.fault_proxy import CLEAR, FaultProxy, fault_proxy
from tests.support.faults.broker import Broker
from tests.support.mail_server import MailServer
from tests.support.poller import Poller
from tests.support.webhook_receiver import WebhookReceiver
from tests.support.world import World, with_settings

IMPATIENT_S = 0.5
"""The time-outs of the calls that meet silence: nothing else is measured by them."""

FLUSH_S = 20.0
_MAIL_ID = re.compile(rb"Message-ID: <([0-9a-f-]{36})")
_FORGIVE = """
DELETE FROM leases;
UPDATE jobs SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until IS NOT NULL;
UPDATE mails SET due_at = clock_timestamp();
UPDATE webhooks SET due_at = clock_timestamp();
UPDATE garbage SET due_at = clock_timestamp();
UPDATE generators SET failures = 0, retry_at = NULL, refusing_until = NULL, refusals_in_row = 0, loading_s = NULL;
UPDATE jobs SET next_step_at = NULL WHERE state = 'queued'
"""


@dataclass
class Stage:
    """`world` has direct connections, `services` and `poller` meet faults, `impatient` does so with short waits."""

    world: World
    services: Services
    poller: Poller
    impatient: Poller
    generator: FakeGenerator
    mail: MailServer
    receiver: WebhookReceiver
    proxies: dict[str, FaultProxy]
    broker: Broker | None = None
    ledger: Ledger = field(default_factory=Ledger)

    def disconnect_broker(self) -> None:
        """Close what is open for wake-ups, so that the next one connects again."""
        for pool in (self.services.celery.amqp.producer_pool, self.services.celery.pool):
            pool.resize(pool.limit, reset=True)  # type: ignore[attr-defined]

    def submit(self, **request: Any) -> UUID:
        """Queue a job of a new user."""
        user_id = self.world.user()
        job_id = self.world.submit(user_id, **request)
        self.ledger.note_submit(user_id, None, job_id)
        return job_id

    def owner(self, job_id: UUID) -> Credential:
        """Return a new credential of a job's user."""
        return self.world.credential(self.world.row(job_id).user_id)

    def heal(self) -> None:
        """End every fault, and let what it has put off be due."""
        for proxy in self.proxies.values():
            proxy.way = CLEAR
            proxy.reset_all()
        if self.broker is not None:
            self.broker.heal()
        for poller in (self.poller, self.impatient):
            poller.services.db.close()
            poller.pool.close()
            poller.pool._clients.clear()  # they remember what a faulty generator has said of itself
        self.services.flush(FLUSH_S)
        self.services.wake_ups._broken_until = 0.0
        self.forgive()

    def introduce(self) -> None:
        """Send jobs: before its first one a client asks what the generator offers, which would meet the fault."""
        for poller in (self.poller, self.impatient):
            poller.sweep()
            job_id = self.submit()
            poller.start()
            poller.advance(job_id)
            self.world.run(lambda: not self.world.sql("SELECT FROM jobs WHERE finished_at IS NULL"), poller=poller)

    def wake(self) -> None:
        """Send a wake-up, whatever has become of the one before."""
        self.services.wake_ups._broken_until = 0.0
        self.services.wake_ups.wake()

    def forgive(self) -> None:
        """Let leases and pauses end."""
        for statement in _FORGIVE.split(";"):
            self.world.sql(statement)

    def finish_directly(self, job_id: UUID) -> None:
        """Have another worker, whose connections are healthy, take the job over once its lease has ended."""
        self.forgive()
        if self.world.sql("SELECT FROM jobs WHERE id = :id", id=job_id):
            self.world.finish(job_id)

    def settle(self) -> None:
        """Do all that is left without any fault: jobs, messages and garbage."""
        self.heal()
        unfinished = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
        self.world.run(lambda: self.world.sql(unfinished)[0][0] == 0, poller=self.poller)
        self.forgive()
        outbox.send_due(self.services)
        webhooks.send_due(self.services)
        self.forgive()
        while self.world.garbage():
            self.forgive()
            garbage.empty_garbage(self.services)

    def audit(self) -> list[str]:
        """Settle, and return what is broken."""
        self.settle()
        self.ledger.mails = Counter(UUID(_MAIL_ID.findall(mail.content)[0].decode()) for mail in self.mail.mails)
        self.ledger.webhooks = Counter(post.headers["webhook-id"] for post in self.receiver.posts)
        return audit(self.world.services, self.ledger, settled=True)

    def upload(self, user_id: UUID, data: bytes) -> str:
        """Store a start picture of a user; return its key."""
        key = f"uploads/{user_id}/{uuid4()}.png"
        insert = "INSERT INTO uploads (key, user_id, content_type, size_bytes) VALUES (:key, :id, 'image/png', :size)"
        self.world.sql(insert, key=key, id=user_id, size=len(data))
        self.world.services.storage.put(key, data, "image/png")
        return key


def _through(url: str, port: int) -> str:
    """Return the address of a database or broker as seen through a proxy."""
    found: URL = make_url(url)
    return found.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)


def _socket(url: str) -> str:
    folder = make_url(url).query["host"]
    return f"{folder}/.s.PGSQL.5432"


@contextmanager
def staged(services: Services, environment: dict[str, str]) -> Iterator[Stage]:
    """Yield a stage on this database and storage, without any fault."""
    database = environment["EASEL_DATABASE_URL"]
    with ExitStack() as stack:
        room = FakeGenerator(extensions=("key", "cancel"), max_in_flight=500)
        generator, mail_server = stack.enter_context(room), stack.enter_context(MailServer())
        receiver = stack.enter_context(WebhookReceiver())
        targets: dict[str, tuple[str | int, bool]] = {
            "postgres": (_socket(database), False),
            "storage": (int(environment["EASEL_S3_ENDPOINT"].rpartition(":")[2]), True),
            "generator": (int(generator.url.rpartition(":")[2]), True),
            "mail": (mail_server.port, False),
            "webhook": (int(receiver.url.partition("?")[0].rsplit(":", 1)[1].split("/")[0]), True),
            "broker": (make_url(environment["EASEL_BROKER_URL"]).port or 0, False),
        }
        proxies = {
            name: stack.enter_context(fault_proxy(target, http=http)) for name, (target, http) in targets.items()
        }
        address = GeneratorAddress("img_generator", f"http://127.0.0.1:{proxies['generator'].port}", 500)
        far = with_settings(
            services,
            generators=f"{address.protocol}+{address.url}?max_in_flight={address.max_in_flight}",
            database_url=_through(database, proxies["postgres"].port),
            s3_endpoint=f"http://127.0.0.1:{proxies['storage'].port}",
            broker_url=_through(environment["EASEL_BROKER_URL"], proxies["broker"].port),
            mail_url=f"smtp://127.0.0.1:{proxies['mail'].port}",
            webhook_targets="any",
            verify_email="off",
        )
        poller = Poller(far, (address,))
        with impatience():
            hasty = with_settings(far)
            _ = hasty.storage
        impatient = Poller(hasty, (address,), _impatient)
        for one in (poller, impatient):
            stack.callback(one.close)
        stack.callback(far.celery.close)
        stage = Stage(
            World(services, Poller(services, (address,))),
            far,
            poller,
            impatient,
            generator,
            mail_server,
            receiver,
            proxies,
        )
        stack.callback(stage.world.poller.close_clients)
        # Whether a client asks first what the generator offers is part of a pair, however slow the machine is.
        stack.enter_context(patch.object(img_generator, "FRESH_S", 3600.0))
        poller.sweep()
        yield stage


@contextmanager
def impatience() -> Iterator[None]:
    """Let calls of the block wait for half a second only, and storages that are made in it always."""
    with ExitStack() as stack:
        for module, name in (
            (storage_connections, "READ_LIMIT_S"),
            (mail, "ANSWER_TIMEOUT_S"),
            (posting, "ANSWER_TIMEOUT_S"),
        ):
            stack.enter_context(patch.object(module, name, IMPATIENT_S))
        yield


def _impatient(address: GeneratorAddress) -> ImgGenerator:
    return ImgGenerator(address, answer_timeout_s=IMPATIENT_S, result_timeout_s=IMPATIENT_S)
