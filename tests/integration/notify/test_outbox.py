"""The mail at the end of a job: written in the same transaction, sent once, and never delaying a job."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from shared.accounts import store as user_store
from shared.generators.base import never_stop
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.notify import messages, outbox
from shared.notify import store as mail_store
from shared.polling import periodic
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.mail_server import MailServer, text_of
from tests.support.world import World, with_settings

GONE = "clock_timestamp() - interval '1 second'"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mailing(world: World, server: MailServer) -> Iterator[Services]:
    """Return services whose mail goes to the server."""
    services = with_settings(
        world.services,
        mail_url=server.url,
        mail_from="Easel <easel@example.com>",
        public_url="https://easel.example.com",
        verify_email="off",
    )
    world.poller.services = services
    yield services
    services.db.close()


def end(world: World, to: State = State.SUCCEEDED, **request: Any) -> UUID:
    """Create a job with mail requested that has just ended."""
    job_id = world.submit(world.user(), notify="email", **request)
    ending(world, job_id, to)
    return job_id


def ending(world: World, job_id: UUID, to: State) -> None:
    reason = GENERATOR_FAILED if to == State.FAILED else None
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.GENERATING, Event.STARTED)
        job_store.move(connection, job_id, to, Event(to.value), reason=reason)


def waiting_mails(world: World) -> dict[UUID, int]:
    """Return the waiting mails with the attempts of each."""
    return {row.job_id: row.attempts for row in world.sql("SELECT job_id, attempts FROM mails")}


def address(world: World, job_id: UUID) -> str:
    [row] = world.sql("SELECT email FROM users JOIN jobs ON jobs.user_id = users.id WHERE jobs.id = :id", id=job_id)
    return str(row.email)


def said(caplog: pytest.LogCaptureFixture) -> str:
    """Return what Easel logged, without the lines of the test's server."""
    return "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("shared."))


def make_due(world: World) -> None:
    world.sql(f"UPDATE mails SET due_at = {GONE}")


def test_it_works(world: World, mailing: Services, server: MailServer, generator: FakeGenerator) -> None:
    job_id = world.submit(world.user(), notify="email", n=2, prompt="a lighthouse at night")
    assert not world.poller.has_mail()
    world.finish(job_id)
    assert world.poller.has_mail()
    world.poller.send_mail()
    assert not world.poller.has_mail()
    [received] = server.mails
    assert (received.sender, received.recipient) == ("easel@example.com", address(world, job_id))
    message = received.message
    assert message["From"] == "Easel <easel@example.com>"
    assert message["To"] == address(world, job_id)
    assert message["Subject"] == "Your 2 pictures are ready: a lighthouse at night"
    assert message["Message-ID"] == f"<{job_id}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    first, second = (row.id for row in world.images(job_id))
    assert text_of(message).splitlines() == [
        "Your 2 pictures are ready.",
        "",
        "    a lighthouse at night",
        "",
        "The job, with its recipe and its timeline:",
        f"https://easel.example.com/pictures/{job_id}",
        "",
        "Links that never expire:",
        f"https://easel.example.com/i/{first}",
        f"https://easel.example.com/i/{second}",
        "",
        "You asked Easel for this mail. Your account at https://easel.example.com turns it off.",
    ]
    world.poller.send_mail()
    assert len(server.mails) == 1


def test_a_failed_job_shows_its_reason(
    world: World, mailing: Services, server: MailServer, generator: FakeGenerator
) -> None:
    generator.plan = Plan(ending="error")
    job_id = world.submit(world.user(), notify="email")
    world.finish(job_id)
    world.poller.send_mail()
    [received] = server.mails
    assert received.message["Subject"].startswith("Your picture could not be made: ")
    text = text_of(received.message)
    assert world.row(job_id).error_message in text
    assert f"/pictures/{job_id}" in text
    assert "/i/" not in text


def test_only_jobs_with_notify_send_mail_and_cancelled_ones_never(world: World, mailing: Services) -> None:
    silent = world.submit(world.user())
    ending(world, silent, State.SUCCEEDED)
    end(world, State.CANCELLED)
    assert waiting_mails(world) == {}
    ended = {end(world), end(world, State.FAILED)}
    assert set(waiting_mails(world)) == ended


def test_the_accounts_default_applies(world: World, mailing: Services) -> None:
    user_id = world.user()
    with world.services.db.begin() as connection:
        user_store.set_notify(connection, user_id, "email")
    job_id = world.submit(user_id)
    ending(world, job_id, State.SUCCEEDED)
    assert set(waiting_mails(world)) == {job_id}


def test_a_lost_transition_writes_no_mail(world: World, mailing: Services) -> None:
    job_id = end(world)
    world.sql("DELETE FROM mails")
    with world.services.db.begin() as connection, pytest.raises(job_store.Lost):
        job_store.move(connection, job_id, State.SUCCEEDED, Event.SUCCEEDED)
    world.sql("UPDATE users SET running = 0")
    assert waiting_mails(world) == {}


def test_an_outage_is_survived(world: World, mailing: Services, caplog: pytest.LogCaptureFixture) -> None:
    """The server is unavailable at first; delays grow; when it recovers, the mail arrives once."""
    job_id = end(world)
    with MailServer() as later:
        world.poller.services = with_settings(mailing, mail_url=later.url)
    delays = []
    for attempts in range(1, 9):
        make_due(world)
        with caplog.at_level(logging.WARNING):
            world.poller.send_mail()
        assert waiting_mails(world) == {job_id: attempts}
        [row] = world.sql("SELECT extract(epoch FROM due_at - clock_timestamp())::float AS delay_s FROM mails")
        delays.append(round(row.delay_s / 15))
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60]
    assert not world.poller.has_mail()
    assert address(world, job_id) not in said(caplog)
    world.poller.services.db.close()
    with later:
        make_due(world)
        world.poller.send_mail()
        make_due(world)
        world.poller.send_mail()
    assert [received.recipient for received in later.mails] == [address(world, job_id)]
    assert waiting_mails(world) == {}


def test_an_unavailable_server_is_tried_once_per_round(world: World, mailing: Services, server: MailServer) -> None:
    jobs = [end(world) for _ in range(5)]
    server.on_sender = "451 later"
    world.poller.send_mail()
    assert sorted(waiting_mails(world).values()) == [0, 0, 0, 0, 1]
    server.on_sender = "250 OK"
    make_due(world)
    world.poller.send_mail()
    assert len(server.mails) == len(jobs)


@pytest.mark.parametrize(("answer", "left"), [("550 no such user", 0), ("450 greylisted", 1)])
def test_a_refused_address_does_not_delay_other_mail(
    world: World, mailing: Services, server: MailServer, caplog: pytest.LogCaptureFixture, answer: str, left: int
) -> None:
    refused, taken = end(world), end(world)
    world.sql(f"UPDATE mails SET due_at = {GONE} WHERE job_id = :id", id=refused)
    asked: list[str] = []
    usual = server.handle_RCPT

    async def handle(_server: Any, _session: Any, envelope: Any, recipient: str, options: Any) -> str:
        asked.append(recipient)
        if recipient == address(world, refused):
            return f"{answer} {recipient}"
        return await usual(_server, _session, envelope, recipient, options)

    server.handle_RCPT = handle  # type: ignore[assignment,method-assign]
    with caplog.at_level(logging.DEBUG):
        world.poller.send_mail()
        world.poller.send_mail()
    assert asked == [address(world, refused), address(world, taken)]
    assert len(server.of(address(world, taken))) == 1
    assert waiting_mails(world) == ({refused: 1} if left else {})
    assert "@example.com" not in said(caplog)


@pytest.mark.parametrize(
    "email", ["nobody", "a@b@c", "a b@example.com", "a@example.com\r\nBcc: b@example.com", "@", ""]
)
def test_mail_to_an_invalid_address_is_given_up(
    world: World, mailing: Services, server: MailServer, caplog: pytest.LogCaptureFixture, email: str
) -> None:
    end(world)
    world.sql("UPDATE users SET email = :email", email=email)
    with caplog.at_level(logging.DEBUG):
        world.poller.send_mail()
    assert (server.mails, waiting_mails(world)) == ([], {})
    assert not email or email not in said(caplog)


def test_two_pollers_at_once_send_each_mail_once(world: World, mailing: Services, server: MailServer) -> None:
    jobs = [end(world) for _ in range(30)]
    others = [with_settings(mailing) for _ in range(3)]
    together = threading.Barrier(4)

    def work(services: Services) -> int:
        together.wait(30)
        return outbox.send_due(services)

    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(work, [mailing, *others]))
    for services in others:
        services.db.close()
    assert sum(sent) == len(jobs)
    assert sorted(received.recipient for received in server.mails) == sorted(address(world, job) for job in jobs)
    assert waiting_mails(world) == {}


def test_mail_of_a_dead_sender_is_sent_by_the_next(world: World, mailing: Services, server: MailServer) -> None:
    """It may have died before or after the server accepted the mail: then the mail arrives again with the same id."""
    job_id = end(world)
    with mailing.db.statement() as connection:
        claim = mail_store.claim(connection)
        assert claim is not None
    assert not world.poller.has_mail(), "it is claimed"
    server_took = messages.compose(claim, mailing.settings)
    make_due(world)
    world.poller.send_mail()
    [received] = server.mails
    assert received.message["Message-ID"] == server_took["Message-ID"]
    assert text_of(received.message).splitlines() == text_of(server_took).splitlines()
    assert waiting_mails(world) == {}
    assert job_id == claim.id


def test_a_frozen_sender_does_not_postpone_the_mail_of_another(world: World, mailing: Services) -> None:
    end(world)
    with mailing.db.statement() as connection:
        frozen = mail_store.claim(connection)
        assert frozen is not None
        make_due(world)
        assert mail_store.claim(connection) is not None
        before = world.sql("SELECT * FROM mails")
        mail_store.postpone(connection, frozen)
    assert world.sql("SELECT * FROM mails") == before


def test_a_requeued_job_sends_another_mail(world: World, mailing: Services, server: MailServer) -> None:
    """The first mail was being sent while the job was requeued and ended again, and the second when its sender died."""
    job_id = end(world, State.FAILED)
    with mailing.db.statement() as connection:
        first = mail_store.claim(connection)
    assert first is not None
    with mailing.db.begin() as connection:
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED)
    assert waiting_mails(world) == {}
    ending(world, job_id, State.SUCCEEDED)
    with mailing.db.statement() as connection:
        mail_store.drop(connection, first)
        assert waiting_mails(world) == {job_id: 0}
        assert mail_store.claim(connection)
        before = world.sql("SELECT * FROM mails")
        mail_store.postpone(connection, first)
        mail_store.drop(connection, first)
    assert world.sql("SELECT * FROM mails") == before
    make_due(world)
    world.poller.send_mail()
    [received] = server.mails
    assert received.message["Message-ID"] == f"<{job_id}.1@example.com>"
    assert messages.compose(first, mailing.settings)["Message-ID"] == f"<{job_id}@example.com>"


def test_deletion_deletes_the_mail(world: World, mailing: Services, server: MailServer) -> None:
    job, of_leaver, claimed = end(world), end(world), end(world)
    with mailing.db.begin() as connection:
        job_store.delete(connection, job)
        user_store.close(connection, world.row(of_leaver).user_id)
        user_store.delete_some(connection, world.row(of_leaver).user_id)
    assert set(waiting_mails(world)) == {claimed}
    with mailing.db.statement() as connection:
        claim = mail_store.claim(connection)
        assert claim is not None
        job_store.delete(connection, claimed)
        mail_store.drop(connection, claim)
        mail_store.postpone(connection, claim)
    world.poller.send_mail()
    assert (server.mails, waiting_mails(world)) == ([], {})


def test_mail_is_given_up_after_a_day(
    world: World, mailing: Services, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    old, young = end(world), end(world)
    who = address(world, old)
    world.sql("UPDATE mails SET created_at = clock_timestamp() - interval '25 hours' WHERE job_id = :id", id=old)
    with caplog.at_level(logging.WARNING):
        world.poller.collect()
    assert set(waiting_mails(world)) == {young}
    assert str(old) in said(caplog)
    assert who not in said(caplog)


def test_a_round_ends_when_stopped(world: World, mailing: Services, server: MailServer) -> None:
    for _ in range(3):
        end(world)
    assert outbox.send_due(mailing, stop=lambda: len(server.mails) == 2) == 2
    assert len(waiting_mails(world)) == 1


def test_without_mail_nothing_is_sent(world: World) -> None:
    services = with_settings(world.services, mail_url="")
    kinds = {sender.kind for sender in periodic.list_senders(services, never_stop)}
    assert kinds == {"webhooks", "pushes", "files of exports"}


def test_the_pictures_are_in_the_mail(
    world: World, mailing: Services, server: MailServer, generator: FakeGenerator
) -> None:
    job_id = world.submit(world.user(), notify="email", n=2)
    world.finish(job_id)
    world.poller.send_mail()
    message = server.mails[0].message
    related = message.get_body(("related",))
    assert related is not None
    assert [part.get_content_type() for part in related.iter_attachments()] == ["image/jpeg"] * 2
    stored = [world.services.storage.get(row.key, 10**7) for row in world.images(job_id)]
    assert [part.get_content() for part in message.iter_attachments()] == stored


def test_a_refused_address_gets_no_more_mail(world: World, mailing: Services, server: MailServer) -> None:
    server.on_recipient = "550 no such user"
    user_id = world.user()
    for _ in range(2):
        ending(world, world.submit(user_id, notify="email"), State.SUCCEEDED)
    other = end(world)
    world.sql("UPDATE mails SET due_at = due_at + interval '1 hour' WHERE job_id = :id", id=other)
    world.poller.send_mail()
    assert waiting_mails(world) == {other: 0}
    assert world.sql("SELECT mail_stopped FROM users WHERE id = :id", id=user_id) == [("refused",)]
    assert world.sql("SELECT kind, code, failures, given_up FROM delivery_errors") == [
        ("mail", "mail_recipient_refused", 1, 1)
    ]
    ending(world, world.submit(user_id, notify="email"), State.SUCCEEDED)
    assert waiting_mails(world) == {other: 0}
    with world.services.db.begin() as connection:
        assert user_store.set_notify(connection, user_id, "email").mail_stopped is None
    job_id = world.submit(user_id, notify="email")
    ending(world, job_id, State.SUCCEEDED)
    assert job_id in waiting_mails(world)


def test_a_refused_mail_does_not_stop_the_next(world: World, mailing: Services, server: MailServer) -> None:
    server.on_data = "554 looks like spam"
    end(world)
    world.poller.send_mail()
    assert world.sql("SELECT mail_stopped FROM users") == [(None,)]
    assert world.sql("SELECT code, given_up FROM delivery_errors") == [("mail_refused", 1)]


def test_an_address_gets_so_many_mails_a_day(world: World, mailing: Services, server: MailServer) -> None:
    limited = with_settings(mailing, mails_per_day=2)
    user = world.user()
    jobs = [world.submit(user, notify="email") for _ in range(4)]
    for job_id in jobs:
        ending(world, job_id, State.SUCCEEDED)
    other = end(world)
    assert outbox.send_due(limited) == 3
    assert len({mail.recipient for mail in server.mails}) == 2
    waiting = waiting_mails(world)
    assert len(waiting) == 2
    make_due(world)
    assert outbox.send_due(limited) == 0, "not before a part of the day is over"
    for job_id in [*jobs, other]:
        lines = [(entry.event, entry.code) for entry in world.timeline(job_id)]
        assert lines.count(("mail_delayed", "mail_limit")) == (job_id in waiting), "once"
    [row] = world.sql("SELECT min(due_at) > clock_timestamp() + interval '1 hour' AS is_later FROM mails")
    assert row.is_later
    world.sql("UPDATE rate_limits SET full_at = full_at - interval '1 day'")
    make_due(world)
    assert outbox.send_due(limited) == 2
    assert waiting_mails(world) == {}
    limited.db.close()


def test_a_mail_that_the_server_postpones_counts_once(world: World, mailing: Services, server: MailServer) -> None:
    limited = with_settings(mailing, mails_per_day=1)
    away = with_settings(limited, mail_url="smtp://127.0.0.1:9")
    end(world)
    for _ in range(3):
        assert outbox.send_due(away) == 0
        make_due(world)
    assert outbox.send_due(limited) == 1
    for services in (limited, away):
        services.db.close()
