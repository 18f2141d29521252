"""Web Push: readable by the browser alone, signed, sent once per job or group, and never to an inner address."""

import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.jobs import store as job_store
from shared.jobs.reasons import GENERATOR_FAILED
from shared.jobs.states import Event, State
from shared.notify import expiry, posting, push_keys, push_store, pushes
from shared.services import Services
from tests.support.outboxes import are_due
from tests.support.waiting import until
from tests.support.webhook_receiver import Posted, WebhookReceiver
from tests.support.world import World, with_settings


class Browser:
    """A browser with its keys, as RFC 8291 wants them. http_ece, which reads for it, shares no code with Easel."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    @property
    def public_key(self) -> str:
        return unpadded(self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    def read(self, posted: Posted) -> dict[str, Any]:
        assert posted.headers["content-encoding"] == "aes128gcm"
        said = http_ece.decrypt(posted.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        value: dict[str, Any] = json.loads(said)
        return value


def unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        receiver.status = 201
        yield receiver


@pytest.fixture
def notifying(world: World) -> Iterator[Services]:
    """Return services that also send to this machine."""
    services = with_settings(world.services, webhook_targets="any", mail_from="Easel <easel@example.com>")
    yield services
    services.db.close()


def subscribe(world: World, user_id: UUID, endpoint: str, browser: Browser | None = None) -> Browser:
    browser = browser or Browser()
    world.sql(
        "INSERT INTO push_subscriptions (user_id, endpoint, p256dh, auth) VALUES (:user, :endpoint, :key, :auth)",
        user=user_id,
        endpoint=endpoint,
        key=browser.public_key,
        auth=unpadded(browser.auth),
    )
    return browser


def end(world: World, job_id: UUID, to: State = State.SUCCEEDED) -> None:
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.GENERATING, Event.STARTED)
        reason = GENERATOR_FAILED if to == State.FAILED else None
        job_store.move(connection, job_id, to, Event(to.value), reason=reason)


def waiting(world: World) -> list[tuple[int, float]]:
    rows = world.sql("SELECT attempts, extract(epoch FROM due_at - clock_timestamp())::float FROM pushes")
    return [(row[0], row[1]) for row in rows]


def counted(world: World) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in world.sql("SELECT kind, code, failures, given_up FROM delivery_errors ORDER BY code")]


def browsers(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM push_subscriptions")[0][0])


def test_only_the_browser_reads_it(world: World, notifying: Services, receiver: WebhookReceiver) -> None:
    user = world.user()
    browser = subscribe(world, user, receiver.url)
    job_id = world.submit(user)
    assert not are_due(notifying, ["pushes"])
    world.finish(job_id)
    assert are_due(notifying, ["pushes"])
    assert pushes.send_due(notifying) == 1
    assert (pushes.send_due(notifying), are_due(notifying, ["pushes"]), waiting(world)) == (0, False, [])
    [posted] = receiver.posts
    said = browser.read(posted)
    assert said == {
        "title": "Your picture is ready.",
        "url": f"/pictures/{job_id}",
        "tag": f"easel-{job_id}",
        "lang": "en",
    }
    assert posted.headers["ttl"] == "86400"
    assert posted.headers["topic"] == job_id.hex
    assert b"picture" not in posted.body
    other = Browser()
    with pytest.raises(http_ece.ECEException):
        other.read(posted)


def test_the_push_service_knows_the_site_by_its_signature(
    world: World, notifying: Services, receiver: WebhookReceiver
) -> None:
    user = world.user()
    subscribe(world, user, receiver.url)
    end(world, world.submit(user))
    pushes.send_due(notifying)
    scheme, _, fields = receiver.posts[0].headers["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in fields.split(","))
    assert scheme == "vapid"
    assert parts["k"] == push_keys.ensure(notifying).application_key
    point = urlsafe_b64decode(parts["k"] + "=")
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    said = jwt.decode(parts["t"], key, algorithms=["ES256"], audience="http://127.0.0.1")
    assert said["sub"] == "mailto:easel@example.com"
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(parts["t"], stranger, algorithms=["ES256"], audience="http://127.0.0.1")


def test_all_processes_share_one_pair_of_keys(world: World) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: push_keys.ensure(world.services), range(8)))
    assert len(made) == 1


@pytest.mark.parametrize(
    ("to", "language", "title"),
    [
        (State.FAILED, "en", "A picture could not be made."),
        (State.SUCCEEDED, "ru", "Картинка готова."),
        (State.FAILED, "ru", "Картинку сделать не удалось."),
    ],
)
def test_it_speaks_the_language_of_the_account(
    world: World, notifying: Services, receiver: WebhookReceiver, to: State, language: str, title: str
) -> None:
    user = world.user()
    world.sql("UPDATE users SET language = :language", language=language)
    browser = subscribe(world, user, receiver.url)
    end(world, world.submit(user), to)
    assert pushes.send_due(notifying) == 1
    assert browser.read(receiver.posts[0])["title"] == title


def test_every_browser_of_the_user_is_told_and_no_other(
    world: World, notifying: Services, receiver: WebhookReceiver
) -> None:
    user, other = world.user(), world.user()
    subscribed = [subscribe(world, user, f"{receiver.url}&{number}") for number in range(3)]
    subscribe(world, other, f"{receiver.url}&other")
    end(world, world.submit(user))
    end(world, world.submit(user), State.CANCELLED)
    assert pushes.send_due(notifying) == 3
    by_path = {posted.path[-1]: posted for posted in receiver.posts}
    assert [subscribed[number].read(by_path[str(number)])["lang"] for number in range(3)] == ["en"] * 3


def test_a_group_is_told_once_when_all_of_it_has_ended(
    world: World, notifying: Services, receiver: WebhookReceiver
) -> None:
    user = world.user()
    browser = subscribe(world, user, receiver.url)
    jobs = [world.submit(user) for _ in range(3)]
    world.sql(
        "WITH g AS (INSERT INTO job_groups (user_id) VALUES (:user) RETURNING id)"
        " UPDATE jobs SET group_id = (SELECT id FROM g)",
        user=user,
    )
    end(world, jobs[0])
    assert (pushes.send_due(notifying), waiting(world)) == (0, [])
    end(world, jobs[1], State.FAILED)
    end(world, jobs[2])
    assert pushes.send_due(notifying) == 1
    [posted] = receiver.posts
    assert browser.read(posted)["title"] == "Your pictures are ready."


@pytest.mark.parametrize(
    ("status", "headers", "code", "delay_s"),
    [
        (500, {}, "push_down", 5),
        (403, {}, "push_refused", 5),
        (307, {"Location": "http://127.0.0.1:1/"}, "push_redirected", 5),
        (429, {"Retry-After": "600"}, "push_refused", 600),
        (429, {"Retry-After": "999999"}, "push_refused", 7200),
    ],
)
def test_a_refused_push_is_sent_again(
    world: World,
    notifying: Services,
    receiver: WebhookReceiver,
    status: int,
    headers: dict[str, str],
    code: str,
    delay_s: float,
) -> None:
    user = world.user()
    subscribe(world, user, receiver.url)
    end(world, world.submit(user))
    receiver.status, receiver.headers = status, headers
    assert pushes.send_due(notifying) == 0
    [(attempts, left_s)] = waiting(world)
    assert attempts == 1
    assert delay_s - 5 < left_s <= delay_s
    assert (counted(world), browsers(world)) == ([("push", code, 1, 0)], 1)
    world.sql("UPDATE pushes SET due_at = now()")
    receiver.status, receiver.headers = 201, {}
    assert (pushes.send_due(notifying), waiting(world)) == (1, [])


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(
    world: World, notifying: Services, receiver: WebhookReceiver, status: int
) -> None:
    user = world.user()
    subscribe(world, user, receiver.url)
    end(world, world.submit(user))
    receiver.status = status
    assert pushes.send_due(notifying) == 0
    assert (waiting(world), browsers(world)) == ([], 0)
    assert counted(world) == [("push", "push_gone", 1, 1)]


def test_one_service_that_hangs_holds_up_no_other_user(
    world: World, notifying: Services, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "ANSWER_TIMEOUT_S", 3.0)
    slow, quick = world.user(), world.user()
    subscribe(world, slow, f"{receiver.url}&slow")
    end(world, world.submit(slow))
    receiver.open.clear()
    with WebhookReceiver() as other, ThreadPoolExecutor(1) as threads:
        subscribe(world, quick, other.url)
        end(world, world.submit(quick))
        sent = threads.submit(pushes.send_due, notifying)
        until(lambda: other.posts, "the other push service is asked", 60, 0.02)
        assert sent.result(30) == 1
    assert counted(world) == [("push", "push_timeout", 1, 0)]
    assert browsers(world) == 2


def test_an_inner_address_gets_nothing(world: World, receiver: WebhookReceiver) -> None:
    user = world.user()
    subscribe(world, user, receiver.url)
    end(world, world.submit(user))
    assert pushes.send_due(world.services) == 0
    assert (receiver.posts, browsers(world)) == ([], 0)
    assert counted(world) == [("push", "push_not_public", 1, 1)]


def test_keys_that_are_none_are_forgotten(world: World, notifying: Services, receiver: WebhookReceiver) -> None:
    user = world.user()
    subscribe(world, user, receiver.url)
    world.sql("UPDATE push_subscriptions SET p256dh = :key", key="B" + "A" * 86)
    end(world, world.submit(user))
    assert pushes.send_due(notifying) == 0
    assert (counted(world), browsers(world)) == ([("push", "push_bad_key", 1, 1)], 0)


def test_a_requeued_job_notifies_of_its_latest_end(
    world: World, notifying: Services, receiver: WebhookReceiver
) -> None:
    user = world.user()
    browser = subscribe(world, user, receiver.url)
    job_id = world.submit(user)
    end(world, job_id, State.FAILED)
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED)
    assert waiting(world) == []
    end(world, job_id)
    assert pushes.send_due(notifying) == 1
    assert browser.read(receiver.posts[0])["title"] == "Your picture is ready."


def test_what_was_not_accepted_for_a_day_is_given_up(
    world: World, notifying: Services, receiver: WebhookReceiver
) -> None:
    user = world.user()
    subscribe(world, user, receiver.url)
    end(world, world.submit(user))
    world.sql("UPDATE pushes SET created_at = now() - interval '25 hours'")
    expiry.give_up_old(notifying)
    assert (waiting(world), browsers(world)) == ([], 1)
    assert counted(world) == [("push", "push_expired", 0, 1)]


def test_the_second_end_of_a_requeued_job_is_told(world: World, notifying: Services, receiver: WebhookReceiver) -> None:
    """The first was being told while the job was requeued and ended again, and the second when its sender died."""
    user = world.user()
    subscribe(world, user, receiver.url)
    job_id = world.submit(user)
    end(world, job_id, State.FAILED)
    with notifying.db.statement() as connection:
        first = push_store.claim(connection, ())
    assert first is not None
    with notifying.db.begin() as connection:
        job_store.move(connection, job_id, State.QUEUED, Event.REQUEUED)
    end(world, job_id)
    with notifying.db.statement() as connection:
        assert push_store.claim(connection, ())
        push_store.drop(connection, first)
    world.sql("UPDATE pushes SET due_at = clock_timestamp()")
    assert (pushes.send_due(notifying), len(receiver.posts)) == (1, 1)
