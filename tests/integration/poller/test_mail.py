"""Mail sent by real workers: each once, and a hanging mail server delays no job."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.mail_server import MailServer
from tests.support.processes import program
from tests.support.waiting import until
from tests.support.world import World


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
        program(settings, tmp_path / "beat.log", "beat") as beat,
    ):
        until(lambda: finished(world) == 10 and waiting(world) == 0, "the jobs and their mail")
        assert [beat.stop(), worker.stop(), other.stop()] == [0, 0, 0]
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
    with (
        program(settings, tmp_path / "worker.log", "worker", "--concurrency", "1") as worker,
        program(settings, tmp_path / "beat.log", "beat"),
    ):
        until(lambda: world.sql("SELECT attempts FROM mails") == [(1,)], "the mail is at the server")
        others = [world.submit(world.user(), notify="email") for _ in range(5)]
        until(lambda: finished(world) == 6, "the other jobs")
        assert waiting(world) == 6
        server.holding = False
        until(lambda: waiting(world) == 0, "the mail")
        assert worker.stop() == 0
    assert len(server.mails) == 1 + len(others)
    assert world.state(first) == "succeeded"
