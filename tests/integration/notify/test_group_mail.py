"""The mail about a group: written once, by the end of its last job, whatever ends at the same moment."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.jobs import group_store, submission_store
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.jobs.store import Move
from shared.notify import messages, outbox
from shared.notify import store as mail_store
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.mail_server import MailServer, text_of
from tests.support.world import LIMITS, World, with_settings


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mailing(world: World, server: MailServer) -> Iterator[Services]:
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


def make_group(world: World, count: int, user_id: UUID | None = None, **request: Any) -> tuple[UUID, list[UUID]]:
    """Return a new group that asks for mail, and its jobs."""
    jobs = [world.new_job(**{"notify": "email", "prompt": f"number {index}"} | request) for index in range(count)]
    with world.services.db.statement() as connection:
        queued = submission_store.queue_all(connection, user_id or world.user(), jobs, is_group=True, **LIMITS)
    assert queued is not None
    assert queued.group_id is not None
    return queued.group_id, list(queued.ids)


def end(world: World, job_id: UUID, to: State = State.SUCCEEDED) -> None:
    reason = GENERATOR_FAILED if to == State.FAILED else None
    with world.services.db.begin() as connection:
        if to != State.CANCELLED:
            job_store.move(connection, job_id, State.GENERATING, Event.STARTED)
        job_store.move(connection, job_id, to, Event(to.value), reason=reason)


def waiting(world: World) -> list[UUID]:
    """Return the groups with a mail, after a check that none of their jobs has one of its own."""
    assert world.sql("SELECT FROM mails") == []
    return [row.group_id for row in world.sql("SELECT group_id FROM group_mails")]


def test_it_works(world: World, mailing: Services, server: MailServer, generator: FakeGenerator) -> None:
    group_id, jobs = make_group(world, 3)
    world.finish(*jobs[:2])
    world.finish(*jobs)
    assert world.poller.has_mail()
    world.poller.send_mail()
    world.poller.send_mail()
    assert not world.poller.has_mail()
    [received] = server.mails
    message = received.message
    assert message["Subject"] == "Your 3 pictures are ready: number 0"
    assert message["Message-ID"] == f"<{group_id}@example.com>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for job_id in jobs:
        assert f"https://easel.example.com/pictures/{job_id}" in text_of(message)
    related = message.get_body(("related",))
    assert related is not None
    assert len(list(related.iter_attachments())) == 3
    stored = [world.services.storage.get(world.images(job_id)[0].key, 10**7) for job_id in jobs]
    assert [part.get_content() for part in message.iter_attachments()] == stored
    assert waiting(world) == []


@pytest.mark.parametrize(
    ("ends", "has_mail"),
    [
        ([State.SUCCEEDED, State.FAILED], True),
        ([State.FAILED, State.FAILED], True),
        ([State.SUCCEEDED, State.CANCELLED], True),
        ([State.CANCELLED, State.SUCCEEDED], True),
        ([State.CANCELLED, State.CANCELLED], False),
    ],
)
def test_the_last_end_writes_it(world: World, mailing: Services, ends: Sequence[State], has_mail: bool) -> None:
    group_id, jobs = make_group(world, 2)
    end(world, jobs[0], ends[0])
    assert waiting(world) == []
    end(world, jobs[1], ends[1])
    assert waiting(world) == ([group_id] if has_mail else [])


def test_jobs_without_mail_are_waited_for_and_not_reported(world: World, mailing: Services) -> None:
    user_id = world.user()
    jobs = [world.new_job(notify="email"), world.new_job(notify="none")]
    with world.services.db.statement() as connection:
        queued = submission_store.queue_all(connection, user_id, jobs, is_group=True, **LIMITS)
    assert queued is not None
    asked, silent = queued.ids
    end(world, asked)
    assert waiting(world) == []
    end(world, silent)
    assert waiting(world) == [queued.group_id]
    with mailing.db.statement() as connection:
        claim = mail_store.claim(connection, "group_mails")
    assert claim is not None
    assert [job.id for job in claim.jobs] == [str(asked)]
    silent_group, silent_jobs = make_group(world, 1, notify="none")
    end(world, silent_jobs[0])
    assert silent_group not in waiting(world)


def test_jobs_that_end_at_the_same_moment_write_one_mail(world: World, mailing: Services) -> None:
    """Four workers end jobs of one group: none takes the others' for unfinished, none writes a second mail."""
    for _ in range(5):
        world.sql("DELETE FROM group_mails")
        group_id, jobs = make_group(world, 8)
        with world.services.db.begin() as connection:
            job_store.move_all(connection, [Move(job_id, State.GENERATING, Event.STARTED) for job_id in jobs])
        together = threading.Barrier(4)

        def work(mine: list[UUID], together: threading.Barrier = together) -> None:
            together.wait(30)
            with world.services.db.begin() as connection:
                moves = [Move(job_id, State.SUCCEEDED, Event.SUCCEEDED) for job_id in mine]
                assert len(job_store.move_all(connection, moves)) == 2

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, [jobs[number::4] for number in range(4)]))
        assert waiting(world) == [group_id]


def test_a_cancelled_group_sends_one_mail_about_what_was_made(
    world: World, mailing: Services, server: MailServer
) -> None:
    _, jobs = make_group(world, 5)
    end(world, jobs[0])
    with world.services.db.begin() as connection:
        job_store.move_all(connection, [Move(job_id, State.CANCELLED, Event.CANCELLED) for job_id in jobs[1:]])
    world.poller.send_mail()
    [received] = server.mails
    assert "Cancelled jobs: 4." in text_of(received.message)
    assert waiting(world) == []


def test_a_failed_source_ends_the_group(world: World, mailing: Services, generator: FakeGenerator) -> None:
    """As of a photo that could not be described: its styles end when they are released."""
    first = world.new_job(notify="email")
    with world.services.db.statement() as connection:
        queued = submission_store.queue_all(
            connection, world.user(), [first, replace(first, held_by=0)], is_group=True, **LIMITS
        )
    assert queued is not None
    end(world, queued.ids[0], State.FAILED)
    assert waiting(world) == []
    world.finish(queued.ids[1])
    assert waiting(world) == [queued.group_id]


def test_a_deleted_group_sends_none(world: World, mailing: Services, server: MailServer) -> None:
    group_id, jobs = make_group(world, 2)
    emptied, others = make_group(world, 1)
    for job_id in (*jobs, *others):
        end(world, job_id)
    with world.services.db.begin() as connection:
        group_store.delete(connection, group_id)
        job_store.delete(connection, others[0])
    assert waiting(world) == [emptied]
    world.poller.send_mail()
    assert (server.mails, waiting(world)) == ([], [])


def test_a_requeued_job_makes_another_mail(world: World, mailing: Services, server: MailServer) -> None:
    group_id, jobs = make_group(world, 2)
    end(world, jobs[0])
    end(world, jobs[1], State.FAILED)
    with world.services.db.begin() as connection:
        job_store.move(connection, jobs[1], State.QUEUED, Event.REQUEUED)
    assert waiting(world) == []
    end(world, jobs[1])
    world.poller.send_mail()
    [received] = server.mails
    assert received.message["Message-ID"] == f"<{group_id}.1@example.com>"


def test_the_mail_of_a_dead_sender_is_sent_by_the_next(world: World, mailing: Services, server: MailServer) -> None:
    """It was written in the transaction of the last end, so it outlives the poller that ended that job, too."""
    _, jobs = make_group(world, 2)
    for job_id in jobs:
        end(world, job_id)
    with mailing.db.statement() as connection:
        claim = mail_store.claim(connection, "group_mails")
    assert claim is not None
    assert not world.poller.has_mail()
    server_took = messages.compose(claim, mailing.settings)
    world.sql("UPDATE group_mails SET due_at = clock_timestamp() - interval '1 second'")
    world.poller.send_mail()
    [received] = server.mails
    assert received.message["Message-ID"] == server_took["Message-ID"]
    assert text_of(received.message).splitlines() == text_of(server_took).splitlines()
    assert waiting(world) == []


def test_a_stop_of_mail_stops_that_of_groups(world: World, mailing: Services) -> None:
    user_id = world.user()
    _, jobs = make_group(world, 1, user_id)
    other, others = make_group(world, 1)
    _, later = make_group(world, 1, user_id)
    end(world, jobs[0])
    end(world, others[0])
    with world.services.db.begin() as connection:
        mail_store.stop(connection, user_id, "unsubscribed")
    end(world, later[0])
    assert waiting(world) == [other]


def test_groups_take_turns_with_single_jobs(world: World, mailing: Services, server: MailServer) -> None:
    group_id, jobs = make_group(world, 1)
    end(world, jobs[0])
    world.sql("UPDATE group_mails SET due_at = clock_timestamp()")
    for _ in range(5):
        end(world, world.submit(world.user(), notify="email"))
    assert outbox.send_due(mailing, stop=lambda: len(server.mails) == 2) == 2
    assert f"<{group_id}@example.com>" in [received.message["Message-ID"] for received in server.mails]


def test_an_old_mail_is_given_up(world: World, mailing: Services) -> None:
    _, jobs = make_group(world, 1)
    end(world, jobs[0])
    world.sql("UPDATE group_mails SET created_at = clock_timestamp() - interval '25 hours'")
    world.poller.collect()
    assert waiting(world) == []
    assert world.sql("SELECT kind, code, given_up FROM delivery_errors") == [("mail", "mail_expired", 1)]
