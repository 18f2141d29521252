"""What SES reports stops mail: through a real SNS topic and SQS queues with dead letters, as moto serves them."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import boto3
import pytest
from moto.server import ThreadedMotoServer

from cli import check_peers
from cli.checks import Level
from shared.accounts import store as user_store
from shared.clients import sqs
from shared.jobs import store as job_store
from shared.jobs.states import Event, State
from shared.notify import bounces
from shared.services import Services
from tests.support.ses_messages import bounce, complaint
from tests.support.world import World, with_settings

MOST_RECEIVES = 3
LATER = "2099-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Feedback:
    """A topic with a queue and its dead letters."""

    sns: Any
    sqs: Any
    topic: str
    queue: str
    dead: str

    def publish(self, *messages: object) -> None:
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            self.sns.publish(TopicArn=self.topic, Message=text)

    def count(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(value) for value in found.values())

    @property
    def waiting(self) -> int:
        return self.count(self.queue)

    @property
    def dead_letters(self) -> int:
        return self.count(self.dead)


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@pytest.fixture(params=["true", "false"], ids=["raw", "in an envelope"])
def feedback(aws: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feedback]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    sns = boto3.client("sns", endpoint_url=aws, region_name="us-east-1")
    queues = boto3.client("sqs", endpoint_url=aws, region_name="us-east-1")

    def arn(queue: str) -> str:
        names = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(names["Attributes"]["QueueArn"])

    dead = queues.create_queue(QueueName="dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": arn(dead), "maxReceiveCount": MOST_RECEIVES}
    attributes = {"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "0"}
    queue = queues.create_queue(QueueName="events", Attributes=attributes)["QueueUrl"]
    topic = sns.create_topic(Name="events")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn(queue), Attributes={"RawMessageDelivery": str(request.param)}
    )
    yield Feedback(sns, queues, topic, queue, dead)
    sns.delete_topic(TopicArn=topic)
    for url in (queue, dead):
        queues.delete_queue(QueueUrl=url)
    sns.close()
    queues.close()


@pytest.fixture
def listening(world: World, feedback: Feedback, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setattr(sqs, "WAIT_S", 0)  # moto is one server
    services = with_settings(world.services, mail_events_url=feedback.queue.replace("http://", "sqs+http://"))
    yield services
    services.db.close()


def new_user(world: World) -> tuple[UUID, str]:
    user_id = world.user()
    [row] = world.sql("SELECT email FROM users WHERE id = :id", id=user_id)
    return user_id, row.email


def stopped(world: World, user_id: UUID) -> str | None:
    [row] = world.sql("SELECT mail_stopped FROM users WHERE id = :id", id=user_id)
    why: str | None = row.mail_stopped
    return why


def counted(world: World) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in world.sql("SELECT code, failures, given_up FROM delivery_errors ORDER BY code")]


@pytest.mark.parametrize("kind", ["notificationType", "eventType"])
def test_a_bounce_and_a_complaint_stop_mail(world: World, feedback: Feedback, listening: Services, kind: str) -> None:
    (first, bounced), (second, complained), (other, _) = (new_user(world) for _ in range(3))
    job_id = world.submit(first, notify="email")
    with world.services.db.begin() as connection:
        job_store.move(connection, job_id, State.GENERATING, Event.STARTED)
        job_store.move(connection, job_id, State.SUCCEEDED, Event.SUCCEEDED)
    assert world.sql("SELECT job_id FROM mails") == [(job_id,)]
    feedback.publish(bounce(bounced, kind=kind), complaint(complained, kind=kind))
    assert bounces.take(listening) == 2
    assert [stopped(world, user) for user in (first, second, other)] == ["bounced", "complained", None]
    assert world.sql("SELECT FROM mails") == []
    assert feedback.waiting == feedback.dead_letters == 0
    assert counted(world) == [("mail_bounced", 1, 0), ("mail_complained", 1, 0)]


def test_what_may_pass_stops_nothing(world: World, feedback: Feedback, listening: Services) -> None:
    user, email = new_user(world)
    feedback.publish(bounce(email, bounce_type="Transient"), complaint(email, feedback="not-spam"))
    feedback.publish(bounce("nobody@example.com"), "Successfully validated SNS topic for Amazon SES event publishing.")
    assert bounces.take(listening) == 0
    assert stopped(world, user) is None
    assert feedback.waiting == feedback.dead_letters == 0
    assert counted(world) == []


def test_a_message_twice_is_harmless(world: World, feedback: Feedback, listening: Services) -> None:
    user, email = new_user(world)
    feedback.publish(bounce(email))
    assert bounces.take(listening) == 1
    with world.services.db.begin() as connection:
        assert user_store.set_notify(connection, user, "email").mail_stopped is None
    feedback.publish(bounce(email, sent_at="2020-01-01T00:00:00.000Z"))
    assert bounces.take(listening) == 0
    assert stopped(world, user) is None, "that mail is from before the user asked for mail again"
    feedback.publish(bounce(email, sent_at=LATER), bounce(email, sent_at=LATER), complaint(email, sent_at=LATER))
    bounces.take(listening)
    assert stopped(world, user) == "complained"
    feedback.publish(bounce(email, sent_at=LATER))
    assert bounces.take(listening) == 0
    assert stopped(world, user) == "complained"


def test_an_unreadable_message_becomes_a_dead_letter(
    world: World, feedback: Feedback, listening: Services, caplog: pytest.LogCaptureFixture
) -> None:
    user, email = new_user(world)
    feedback.publish("hello ada@example.com", bounce(email))
    with caplog.at_level(logging.DEBUG, logger="shared"):
        for _ in range(MOST_RECEIVES + 2):
            bounces.take(listening)
    assert stopped(world, user) == "bounced"
    assert (feedback.waiting, feedback.dead_letters) == (0, 1)
    assert counted(world) == [("mail_bounced", 1, 0), ("mail_event_unreadable", 1, 0)]
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("shared."))
    assert "a mail event cannot be read: it is not JSON" in said
    assert "@" not in said


def test_a_queue_without_dead_letters_does_not_loop(world: World, feedback: Feedback, listening: Services) -> None:
    feedback.sqs.set_queue_attributes(QueueUrl=feedback.queue, Attributes={"RedrivePolicy": ""})
    feedback.publish("hello")
    for _ in range(bounces.MOST_RECEIVES + 2):
        bounces.take(listening)
    assert feedback.waiting == 0
    assert counted(world) == [("mail_event_unreadable", 1, 1)]


def test_a_round_is_bounded_and_can_be_stopped(
    world: World, feedback: Feedback, listening: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounces, "MOST_BATCHES", 2)
    feedback.publish(*[bounce("nobody@example.com")] * 25)
    bounces.take(listening, stop=lambda: True)
    assert feedback.waiting == 25
    bounces.take(listening)
    assert feedback.waiting == 5


def test_a_queue_that_cannot_be_reached_waits(world: World, caplog: pytest.LogCaptureFixture) -> None:
    services = with_settings(world.services, mail_events_url="sqs+http://127.0.0.1:9/1/events")
    with caplog.at_level(logging.WARNING):
        assert bounces.take(services) == 0
    services.db.close()
    assert "mail events wait: The queue of mail events cannot be reached" in caplog.text


def test_the_check_looks_at_the_queue_and_takes_nothing(world: World, feedback: Feedback, listening: Services) -> None:
    feedback.publish("hello")
    for _ in range(MOST_RECEIVES + 1):
        *_, seen = check_peers.mail(listening, None)
        assert (seen.level, "waiting: 1." in seen.message) == (Level.OK, True)
    assert (feedback.waiting, feedback.dead_letters) == (1, 0)
    gone = with_settings(world.services, mail_events_url=f"{listening.settings.mail_events_url}-gone")
    *_, missing = check_peers.mail(gone, None)
    assert missing.level == Level.WRONG
    assert "provision.py mail-events` makes a missing queue" in missing.message
    nowhere = with_settings(world.services, mail_events_url="sqs+http://127.0.0.1:9/1/events")
    *_, silent = check_peers.mail(nowhere, None)
    assert (silent.level, "cannot be reached" in silent.message) == (Level.WRONG, True)
