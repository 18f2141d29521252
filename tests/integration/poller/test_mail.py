"""Mail sent by real workers: each once, and a hanging mail server delays no job. They read what SES reports, too."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
import redis
from moto.server import ThreadedMotoServer

from shared.core.settings import Settings
from shared.generators.base import never_stop
from shared.jobs import submission_store
from shared.polling import periodic
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.mail_server import MailServer, text_of
from tests.support.processes import program
from tests.support.ses_messages import bounce, enveloped
from tests.support.waiting import until
from tests.support.world import LIMITS, World


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def settings(environment: dict[str, str], generator: FakeGenerator, server: MailServer) -> dict[str, str]:
    redis.Redis.from_url(environment["EASEL_BROKER_URL"]).flushall()
    generator.plan = Plan(polls=1)
    return environment | {"EASEL_GENERATORS": generator.setting, "EASEL_MAIL_URL": server.url}


def finished(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM jobs WHERE state = 'succeeded'")[0][0])


def waiting(world: World) -> int:
    return int(world.sql("SELECT count(*) FROM mails")[0][0])


def test_two_workers_send_each_mail_once(
    world: World, settings: dict[str, str], server: MailServer, tmp_path: Path
) -> None:
    users = [world.user() for _ in range(10)]
    for user in users:
        world.submit(user, notify="email")
    with (
        program(settings, tmp_path / "worker.log", "worker") as worker,
        program(settings, tmp_path / "worker2.log", "worker") as other,
    ):
        until(lambda: finished(world) == 10 and waiting(world) == 0, "the jobs and their mail")
        assert [worker.stop(), other.stop()] == [0, 0]
    recipients = [row.email for row in world.sql("SELECT email FROM users")]
    assert sorted(mail.recipient for mail in server.mails) == sorted(recipients)
    logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert not [email for email in recipients if email in logs]


def test_a_hanging_mail_server_delays_no_job(
    world: World, settings: dict[str, str], server: MailServer, tmp_path: Path
) -> None:
    """The worker has only one process: if that waited for the mail server, nothing else could run."""
    server.holding = True
    first = world.submit(world.user(), notify="email")
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
        until(lambda: world.sql("SELECT attempts FROM mails") == [(1,)], "the mail is at the server")
        others = [world.submit(world.user(), notify="email") for _ in range(5)]
        until(lambda: finished(world) == 6, "the other jobs")
        assert waiting(world) == 6
        server.holding = False
        until(lambda: waiting(world) == 0, "the mail")
        assert worker.stop() == 0
    assert len(server.mails) == 1 + len(others)
    assert world.state(first) == "succeeded"


def test_a_group_gets_its_one_mail_though_workers_die(
    world: World, settings: dict[str, str], server: MailServer, tmp_path: Path
) -> None:
    """A worker is killed while the group's mail is at the server, another one finishes what is left."""
    user = world.user()
    server.holding = True
    with world.services.db.statement() as connection:
        jobs = [world.new_job(notify="email", prompt=f"number {index}") for index in range(3)]
        queued = submission_store.queue_all(connection, user, jobs, is_group=True, **LIMITS)
    assert queued is not None
    with program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
        until(lambda: world.sql("SELECT attempts FROM group_mails") == [(1,)], "the mail is at the server")
        os.killpg(worker.process.pid, signal.SIGKILL)
    server.holding = False
    world.sql("UPDATE group_mails SET due_at = clock_timestamp()")
    with program(settings, tmp_path / "worker2.log", "worker") as other:
        until(lambda: not world.sql("SELECT FROM group_mails"), "the mail is sent")
        assert other.stop() == 0
    assert finished(world) == 3
    assert {received.message["Message-ID"].partition("@")[0] for received in server.mails} == {f"<{queued.group_id}"}
    assert all(f"/pictures/{job_id}" in text_of(server.mails[-1].message) for job_id in queued.ids)
    assert waiting(world) == 0


def test_a_worker_reads_what_ses_reports(
    world: World, settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    [row] = world.sql("SELECT id, email FROM users WHERE id = :id", id=world.user())
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    try:
        sqs = boto3.client("sqs", endpoint_url="http://{}:{}".format(*aws.get_host_and_port()), region_name="us-east-1")
        queue = sqs.create_queue(QueueName="events")["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody=enveloped(bounce(row.email)))
        given = settings | keys | {"EASEL_MAIL_EVENTS_URL": queue.replace("http://", "sqs+http://")}
        with program(given, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker:
            bounced = "SELECT id FROM users WHERE mail_stopped = 'bounced'"
            until(lambda: world.sql(bounced) == [(row.id,)], "the mail is stopped")
            until(lambda: "addresses stopped: 1" in (tmp_path / "worker.log").read_text(), "it is logged")
            assert worker.stop() == 0
        left = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        assert left["ApproximateNumberOfMessages"] == left["ApproximateNumberOfMessagesNotVisible"] == "0"
        sqs.close()
    finally:
        aws.stop()
    assert row.email not in (tmp_path / "worker.log").read_text()


def test_reports_are_read_only_where_there_is_a_queue(environment: dict[str, str]) -> None:
    found = []
    for given in ({}, {"EASEL_MAIL_EVENTS_URL": "sqs://sqs.eu-central-1.amazonaws.com/1/events"}):
        services = Services(Settings.from_environment(environment | {"EASEL_GENERATORS": ""} | given))
        found.append("addresses" in {sender.kind for sender in periodic.list_senders(services, never_stop)})
    assert found == [False, True]
