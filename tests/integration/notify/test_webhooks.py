"""Webhooks: signed, sent at least once, retried for a day, and never to an inner address."""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from shared.core import locks
from shared.core.settings import Settings
from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.notify import expiry, webhook_store, webhooks
from shared.notify.webhook_store import WebhookClaim
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.outboxes import are_due
from tests.support.waiting import until
from tests.support.webhook_receiver import WebhookReceiver
from tests.support.world import AnyRow, World, with_settings


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def calling(world: World) -> Iterator[Services]:
    """Return services that also send webhooks to this machine."""
    services = with_settings(world.services, webhook_targets="any", public_url="https://easel.example.com")
    yield services
    services.db.close()


def ending(world: World, job_id: UUID, to: State = State.SUCCEEDED) -> None:
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.GENERATING, Event.STARTED)
        reason = GENERATOR_FAILED if to == State.FAILED else None
        job_store.move(connection, job_id, to, Event(to.value), reason=reason)


def ended(world: World, url: str | None, to: State = State.SUCCEEDED, user_id: UUID | None = None) -> UUID:
    job_id = world.submit(user_id or world.user(), webhook_url=url)
    ending(world, job_id, to)
    return job_id


def verifier(world: World, job_id: UUID) -> Webhook:
    """Return the published library's check with the secret of the job's user."""
    query = "SELECT webhook_secret FROM users JOIN jobs ON jobs.user_id = users.id WHERE jobs.id = :id"
    [row] = world.sql(query, id=job_id)
    return Webhook(f"whsec_{b64encode(row.webhook_secret).decode()}")


def waiting(world: World) -> list[AnyRow]:
    query = "SELECT attempts, extract(epoch FROM due_at - clock_timestamp())::float AS delay_s FROM webhooks"
    return world.sql(query)


def counted(world: World) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in world.sql("SELECT kind, code, failures, given_up FROM delivery_errors ORDER BY code")]


def shown(world: World, job_id: UUID) -> tuple[Any, ...]:
    query = "SELECT webhook_url, webhook_error FROM users JOIN jobs ON jobs.user_id = users.id WHERE jobs.id = :id"
    return tuple(world.sql(query, id=job_id)[0])


def test_it_works(world: World, calling: Services, receiver: WebhookReceiver, generator: FakeGenerator) -> None:
    job_id = world.submit(world.user(), n=2, webhook_url=receiver.url)
    assert not are_due(calling, ["webhooks"])
    world.finish(job_id)
    assert are_due(calling, ["webhooks"])
    assert webhooks.send_due(calling) == 1
    assert (webhooks.send_due(calling), are_due(calling, ["webhooks"]), waiting(world)) == (0, False, [])
    [posted] = receiver.posts
    assert posted.path == "/easel?who=ada"
    assert posted.headers["content-type"] == "application/json"
    said = verifier(world, job_id).verify(posted.body, posted.headers)
    assert said["type"] == "job.succeeded"
    assert said["data"]["id"] == str(job_id)
    assert said["data"]["url"] == f"https://easel.example.com/v1/jobs/{job_id}"
    assert said["data"]["error"] is None
    links = [f"https://easel.example.com/i/{row.id}" for row in world.images(job_id)]
    assert [image["link"] for image in said["data"]["images"]] == links
    assert "prompt" not in said["data"]


def test_a_changed_body_another_secret_and_another_time_are_noticed(
    world: World, calling: Services, receiver: WebhookReceiver
) -> None:
    job_id, other = ended(world, receiver.url), ended(world, None)
    webhooks.send_due(calling)
    [posted] = receiver.posts
    verifier(world, job_id).verify(posted.body, posted.headers)
    for check, body, headers in (
        (verifier(world, job_id), posted.body.replace(b"succeeded", b"failed"), {}),
        (verifier(world, other), posted.body, {}),
        (verifier(world, job_id), posted.body, {"webhook-timestamp": "1"}),
        (verifier(world, job_id), posted.body, {"webhook-id": "x"}),
    ):
        with pytest.raises(WebhookVerificationError):
            check.verify(body, posted.headers | headers)


def test_the_accounts_address_is_the_default_and_an_empty_one_means_none(
    world: World, calling: Services, receiver: WebhookReceiver
) -> None:
    user_id = world.user()
    world.sql("UPDATE users SET webhook_url = :url WHERE id = :id", url=receiver.url, id=user_id)
    ended(world, None, State.FAILED, user_id)
    ended(world, None, State.CANCELLED, user_id)
    ended(world, "", State.SUCCEEDED, user_id)
    ended(world, None)
    assert webhooks.send_due(calling) == 2
    bodies = [json.loads(posted.body) for posted in receiver.posts]
    assert [body["type"] for body in bodies] == ["job.failed", "job.cancelled"]
    assert bodies[0]["data"]["error"]["code"] == GENERATOR_FAILED.code


@pytest.mark.parametrize(
    ("status", "headers", "code", "delay_s"),
    [
        (500, {}, "webhook_down", 5),
        (404, {}, "webhook_refused", 5),
        (302, {"Location": "http://127.0.0.1:1/"}, "webhook_redirected", 5),
        (503, {"Retry-After": "600"}, "webhook_down", 600),
        (429, {"Retry-After": "999999"}, "webhook_refused", 7200),
    ],
)
def test_a_refused_webhook_is_sent_again(
    world: World,
    calling: Services,
    receiver: WebhookReceiver,
    status: int,
    headers: dict[str, str],
    code: str,
    delay_s: float,
) -> None:
    receiver.status, receiver.headers = status, headers
    job_id = ended(world, receiver.url)
    assert webhooks.send_due(calling) == 0
    [row] = waiting(world)
    assert row.attempts == 1
    assert delay_s - 5 < row.delay_s <= delay_s
    assert shown(world, job_id) == (None, code)
    assert counted(world) == [("webhook", code, 1, 0)]
    world.sql("UPDATE webhooks SET due_at = clock_timestamp()")
    receiver.status, receiver.headers = 204, {}
    assert webhooks.send_due(calling) == 1
    first, again = receiver.posts
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])
    assert (shown(world, job_id), waiting(world)) == ((None, None), [])


def test_delays_grow_to_two_hours(world: World, calling: Services, receiver: WebhookReceiver) -> None:
    receiver.status = 500
    ended(world, receiver.url)
    delays = []
    for attempts in (0, 1, 2, 5, 6, 40):
        world.sql("UPDATE webhooks SET due_at = clock_timestamp(), attempts = :attempts", attempts=attempts)
        webhooks.send_due(calling)
        delays.append(round(waiting(world)[0].delay_s, -1) if attempts > 1 else round(waiting(world)[0].delay_s))
    assert delays == [5, 20, 80, 5120, 7200, 7200]


def test_a_receiver_that_is_gone_gets_no_more(world: World, calling: Services, receiver: WebhookReceiver) -> None:
    receiver.status = 410
    user_id = world.user()
    world.sql("UPDATE users SET webhook_url = :url WHERE id = :id", url=receiver.url, id=user_id)
    job_id = ended(world, None, State.SUCCEEDED, user_id)
    webhooks.send_due(calling)
    assert (waiting(world), shown(world, job_id)) == ([], (None, "webhook_gone"))
    assert counted(world) == [("webhook", "webhook_gone", 1, 1)]


def test_an_old_webhook_is_given_up(world: World, calling: Services) -> None:
    ended(world, "https://example.com/")
    expiry.give_up_old(calling)
    assert len(waiting(world)) == 1
    world.sql("UPDATE webhooks SET created_at = clock_timestamp() - interval '25 hours'")
    expiry.give_up_old(calling)
    assert (waiting(world), counted(world)) == ([], [("webhook", "webhook_expired", 0, 1)])


def test_who_does_not_answer_holds_up_only_their_own(
    world: World, calling: Services, receiver: WebhookReceiver
) -> None:
    receiver.open.clear()
    slow = world.user()
    with WebhookReceiver() as quick, ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            ended(world, receiver.url, State.SUCCEEDED, slow)
        for _ in range(2):
            ended(world, quick.url)
        sending = pool.submit(webhooks.send_due, calling)
        until(lambda: len(quick.posts) == 2, "the others got theirs", every_s=0.02)
        assert len(receiver.posts) == 1
        receiver.open.set()
        assert sending.result(30) == 5


def test_a_name_that_leads_inside_is_not_connected_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the name service says, nothing is sent to an inner address; the refusal is counted with its code."""
    connected: list[Any] = []
    real = socket.socket.connect

    def connect(sock: socket.socket, address: Any) -> None:
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            connected.append(address)
        real(sock, address)

    inner = ["169.254.169.254", "10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00::1", "127.0.0.1"]
    for address in inner:
        job_id = ended(world, "https://metadata.example.com/latest")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        answer = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", lambda *_, answer=answer, **__: answer)
            patch.setattr(socket.socket, "connect", connect)
            assert webhooks.send_due(world.services) == 0
        assert (waiting(world), shown(world, job_id)) == ([], (None, "webhook_not_public"))
    assert connected == []
    assert counted(world) == [("webhook", "webhook_not_public", len(inner), len(inner))]


def test_a_name_with_one_inner_address_is_refused_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.215.14", "169.254.169.254")]
    ended(world, "https://mixed.example.com/")
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        webhooks.send_due(world.services)
    assert counted(world) == [("webhook", "webhook_not_public", 1, 1)]


@pytest.mark.parametrize("url", ["http://name.example.com/", "http://169.254.169.254/latest", "http://[fe80::1]/"])
def test_nothing_is_sent_to_the_link_whatever_the_setting_says(
    world: World, calling: Services, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    ended(world, url)
    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        assert webhooks.send_due(calling) == 0
    assert counted(world) == [("webhook", "webhook_not_public", 1, 1)]


def test_a_setting_that_changed_counts_for_what_waits(world: World, receiver: WebhookReceiver) -> None:
    ended(world, receiver.url)
    webhooks.send_due(world.services)
    assert (receiver.posts, counted(world)) == ([], [("webhook", "webhook_not_public", 1, 1)])


def test_no_one_listens(world: World, calling: Services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    ended(world, url)
    webhooks.send_due(calling)
    assert counted(world) == [("webhook", "webhook_unreachable", 1, 0)]


def test_a_requeued_job_ends_again(world: World, calling: Services, receiver: WebhookReceiver) -> None:
    job_id = ended(world, receiver.url, State.FAILED)
    webhooks.send_due(calling)
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED)
    ending(world, job_id)
    webhooks.send_due(calling)
    assert [json.loads(posted.body)["type"] for posted in receiver.posts] == ["job.failed", "job.succeeded"]
    assert len({posted.headers["webhook-id"] for posted in receiver.posts}) == 2


def test_the_second_end_of_a_requeued_job_is_not_lost(
    world: World, calling: Services, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first is being sent, the job is requeued and ends again, and whoever sends that dies."""
    job_id = ended(world, receiver.url, State.FAILED)
    post = webhooks.post

    def end_again(claim: WebhookClaim, settings: Settings) -> None:
        post(claim, settings)
        with world.services.db.begin() as connection:
            job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED)
        ending(world, job_id)
        with world.services.db.statement() as connection:
            assert webhook_store.claim(connection, ())

    with monkeypatch.context() as patch:
        patch.setattr(webhooks, "post", end_again)
        assert webhooks.send_due(calling) == 1
    world.sql("UPDATE webhooks SET due_at = clock_timestamp()")
    assert webhooks.send_due(calling) == 1
    assert [json.loads(posted.body)["type"] for posted in receiver.posts] == ["job.failed", "job.succeeded"]


def test_a_webhook_is_dropped_after_the_user_is_locked(
    world: World, calling: Services, receiver: WebhookReceiver
) -> None:
    """Whoever deletes the job locks its user first, then the webhook."""
    user_id = world.user()
    ended(world, receiver.url, user_id=user_id)
    world.sql("UPDATE users SET webhook_error = 'webhook_refused'")
    with ThreadPoolExecutor(1) as threads, world.services.db.begin() as other:
        locks.lock_users(other, [user_id])
        sending = threads.submit(webhooks.send_due, calling)
        world.until_one_waits()
        assert len(list(other.execute(text("SELECT FROM webhooks FOR UPDATE NOWAIT")))) == 1
        other.rollback()
        assert sending.result() == 1
    assert waiting(world) == []
