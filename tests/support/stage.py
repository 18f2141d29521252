"""What surrounds a process that dies: clients with their ledger, a generator, receivers, and a healthy worker."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from sqlalchemy import text

from shared.accounts.tokens import new_token, token_hash
from shared.notify import outbox, webhooks
from shared.polling import garbage
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.audit import Ledger, audit
from tests.support.mail_server import MailServer
from tests.support.poller import Poller
from tests.support.waiting import until
from tests.support.webhook_receiver import WebhookReceiver
from tests.support.world import SMALL, World, with_settings

PASSWORD = "seven green lanterns drift"
_PASSWORD_HASH = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(PASSWORD)

_MAIL_ID = re.compile(rb"Message-ID: <([0-9a-f-]{36})")
_PAST = "clock_timestamp() - interval '1 second'"
# What its worker's death leaves behind counts for as long as its lease; here that is over at once.
_EXPIRE = f"""
DELETE FROM leases;
UPDATE jobs SET lease_until = {_PAST} WHERE lease_until IS NOT NULL;
UPDATE mails SET due_at = {_PAST};
UPDATE group_mails SET due_at = {_PAST};
UPDATE webhooks SET due_at = {_PAST};
UPDATE exports SET due_at = {_PAST} WHERE due_at IS NOT NULL;
"""
# A process may freeze in one thread while the statement of another runs, which then leaves an open transaction behind.
_END_TRANSACTIONS = text("""
SELECT state LIKE 'idle in transaction%' AND pg_terminate_backend(pid, 20000) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND state <> 'idle'
""")


class Stage:
    """The scenery. `environment` has the settings of the processes that die, `world` has a healthy poller."""

    def __init__(
        self,
        services: Services,
        environment: dict[str, str],
        generator: FakeGenerator,
        mail: MailServer,
        receiver: WebhookReceiver,
    ) -> None:
        own = {"mail_url": mail.url, "webhook_targets": "any", "verify_email": "off"}
        self.environment = environment | {f"EASEL_{name.upper()}": value for name, value in own.items()}
        self.environment["EASEL_GENERATORS"] = generator.setting
        self.services = with_settings(services, **own)
        self.poller = Poller(self.services, (generator.address,))
        self.world = World(self.services, self.poller)
        self.generator = generator
        self._mail = mail
        self._receiver = receiver
        self.ledger = Ledger()

    def close(self) -> None:
        """Close the healthy worker's connections."""
        self.poller.close()

    def user(self) -> tuple[UUID, str]:
        """Make a user with a password; return the id, and a session's token."""
        user_id = self.world.user()
        self.world.sql(
            "UPDATE users SET password_hash = :hash, webhook_url = :url WHERE id = :id",
            hash=_PASSWORD_HASH,
            url=self._receiver.url,
            id=user_id,
        )
        return user_id, self.token(user_id)

    def token(self, user_id: UUID) -> str:
        """Return a new token of a user's."""
        token = new_token()
        insert = "INSERT INTO tokens (user_id, hash, kind) VALUES (:id, :hash, 'session')"
        self.world.sql(insert, id=user_id, hash=token_hash(token))
        return token

    def submit(self, **request: Any) -> UUID:
        """Queue a job of a new user, who gets mail."""
        user_id, _ = self.user()
        job_id = self.world.submit(user_id, notify="email", **request)
        self.ledger.note_submit(user_id, None, job_id)
        return job_id

    def finished(self, **request: Any) -> UUID:
        """Make a job that has just succeeded, of which nothing was sent yet."""
        job_id = self.submit(**request)
        self.world.finish(job_id)
        return job_id

    def expire(self) -> None:
        """Let every lease end, and Postgres end the sessions that do nothing in a transaction, as it does after 2 s."""

        def have_ended() -> bool:
            with self.services.db.statement() as connection:
                return all(connection.execute(_END_TRANSACTIONS).scalars())

        until(have_ended, "no transaction is left", 60, 0.02)
        self.world.sql(_EXPIRE)

    def work(self) -> None:
        """Have the healthy worker do everything that is left, but for deleting objects."""
        self.expire()
        unfinished = "SELECT count(*) FROM jobs WHERE finished_at IS NULL"
        self.world.run(lambda: self.world.sql(unfinished)[0][0] == 0)
        outbox.send_due(self.services)
        webhooks.send_due(self.services)

    def collect(self) -> None:
        """Delete what nothing refers to, an hour later; a collection has a limited time for closed accounts."""
        self.world.sql("UPDATE garbage SET due_at = clock_timestamp()")

        def has_deleted_accounts() -> bool:
            self.poller.collect()
            return not self.world.sql("SELECT FROM users WHERE deleted_at IS NOT NULL")

        until(has_deleted_accounts, "closed accounts are deleted", 120)
        while garbage.empty_garbage(self.services).objects or self.world.garbage():
            self.world.sql("UPDATE garbage SET due_at = clock_timestamp()")

    def audit(self) -> list[str]:
        """Return what is broken once everything has settled."""
        self.work()
        self.collect()
        self.ledger.mails = Counter(UUID(_MAIL_ID.findall(mail.content)[0].decode()) for mail in self._mail.mails)
        self.ledger.webhooks = Counter(post.headers["webhook-id"] for post in self._receiver.posts)
        keys = {str(request["key"]) for request in self.generator.requests if "key" in request}
        self.ledger.starts = Counter(UUID(key.partition(":")[0].partition(".")[0]) for key in keys)
        return audit(self.services, self.ledger, settled=True)


@contextmanager
def staged(services: Services, environment: dict[str, str]) -> Iterator[Stage]:
    """Yield a stage with room for many jobs at the generator, and receivers of mail and webhooks."""
    room = FakeGenerator(extensions=("key", "cancel"), max_in_flight=200)
    with room as generator, MailServer() as mail, WebhookReceiver() as receiver:
        stage = Stage(services, environment, generator, mail, receiver)
        try:
            stage.poller.sweep()
            yield stage
        finally:
            stage.close()


def api_call(token: str, function: str, method: str, path: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of the operation `call`."""
    return {"token": token, "function": function, "method": method, "path": path, **more}


def submission(token: str) -> dict[str, Any]:
    """Return the arguments of a submit with its own key."""
    headers = {"idempotency-key": str(uuid4())}
    return api_call(token, "submit", "POST", "/v1/jobs", body=SMALL, headers=headers)
