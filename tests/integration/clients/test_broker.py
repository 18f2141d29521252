"""Wake-ups: few per burst, none lost, and never an error, even if the broker fails."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from moto.server import ThreadedMotoServer

from shared.clients import broker as queue
from shared.clients.broker import QUEUE, WakeUps, celery_app
from shared.core.errors import Unavailable
from shared.services import Services
from tests.support.own_redis import own_redis
from tests.support.world import with_settings


@pytest.fixture
def broker(session_services: Services) -> Iterator[redis.Redis]:
    """Return a client of the broker, which is emptied."""
    client = redis.Redis.from_url(session_services.settings.broker_url)
    client.flushall()
    yield client
    client.flushall()
    client.close()


@pytest.fixture
def wake_ups(session_services: Services) -> WakeUps:
    return WakeUps(celery_app(session_services.settings))


class Clock:
    """A clock that the test advances."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(queue, "time", clock)
    return clock


def test_a_burst_is_sent_as_few_wake_ups(wake_ups: WakeUps, broker: redis.Redis) -> None:
    for _ in range(1000):
        wake_ups.soon()
    wake_ups.flush(10)
    assert 1 <= broker.llen(QUEUE) < 100


def test_every_call_is_followed_by_a_wake_up(wake_ups: WakeUps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each wake-up is held while it is sent, and the poller is asked for again meanwhile."""
    began, release = threading.Semaphore(0), threading.Semaphore(0)

    def send(*_sent: object, **_options: object) -> None:
        began.release()
        assert release.acquire(timeout=10)

    monkeypatch.setattr(wake_ups._app, "send_task", send)
    wake_ups.soon()
    for _ in range(5):
        assert began.acquire(timeout=10)
        wake_ups.soon()
        wake_ups.soon()
        release.release()
    assert began.acquire(timeout=10), "the last calls came after the fifth wake-up had begun"
    release.release()
    wake_ups.flush(10)
    assert not began.acquire(blocking=False), "nothing was asked for after the sixth"


def test_a_flush_waits_for_a_wake_up_that_is_being_sent(wake_ups: WakeUps, monkeypatch: pytest.MonkeyPatch) -> None:
    began, release = threading.Event(), threading.Event()

    def send(*_sent: object, **_options: object) -> None:
        began.set()
        assert release.wait(10)

    monkeypatch.setattr(wake_ups._app, "send_task", send)
    wake_ups.soon()
    assert began.wait(10)
    wake_ups.flush(0.01)
    assert wake_ups._sending
    with ThreadPoolExecutor(1) as pool:
        flushed = pool.submit(wake_ups.flush, 10)
        release.set()
        flushed.result(timeout=10)
    assert not wake_ups._sending


def test_wake_ups_go_on_after_an_unexpected_error(
    wake_ups: WakeUps, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(wake_ups._app, "send_task", None)
        broken.setattr(threading, "excepthook", lambda _: None)
        wake_ups.soon()
        wake_ups.flush(10)
        assert wake_ups._sender is not None
        wake_ups._sender.join(10)
    wake_ups.soon()
    wake_ups.flush(10)
    assert broker.llen(QUEUE) == 1


def test_a_cancelled_job_wakes_the_poller_immediately(wake_ups: WakeUps, broker: redis.Redis) -> None:
    wake_ups.wake()
    wake_ups.wake()
    assert broker.llen(QUEUE) == 2


def test_a_broker_that_is_down_is_not_retried_immediately(
    session_services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", pauses.append)
    wake_ups = WakeUps(celery_app(with_settings(session_services, broker_url="redis://127.0.0.1:9/0").settings))
    tries = []
    send = wake_ups._app.send_task

    def counted(*args: Any, **named: Any) -> Any:
        tries.append(args)
        return send(*args, **named)

    monkeypatch.setattr(wake_ups._app, "send_task", counted)
    for _ in range(50):
        wake_ups.wake()
        wake_ups.wake()
    assert len(tries) == 1
    clock.now += WakeUps.AFTER_FAILURE_S
    wake_ups.wake()
    assert len(tries) == 2
    assert pauses == []
    with pytest.raises(Unavailable):
        wake_ups.check()


def test_a_broker_that_refuses_is_no_error(session_services: Services) -> None:
    """A full Redis answers, but accepts no writes."""
    with own_redis() as (url, server):
        wake_ups = WakeUps(celery_app(with_settings(session_services, broker_url=url).settings))
        wake_ups.wake()
        server.config_set("maxmemory", 1)
        wake_ups._broken_until = 0
        wake_ups.wake()
        wake_ups.wake()
        assert server.llen(QUEUE) == 1
        server.config_set("maxmemory", 0)
        wake_ups._broken_until = 0
        wake_ups.wake()
        assert server.llen(QUEUE) == 2


def test_a_missing_queue_is_no_error(
    session_services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "sqs+http://{}:{}/000000000000/none".format(*server.get_host_and_port())
        WakeUps(celery_app(with_settings(session_services, broker_url=url).settings)).wake()
    finally:
        server.stop()
    assert "no wake-up sent" in caplog.text


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-central-1.amazonaws.com", "eu-central-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("eu-west-1.queue.amazonaws.com", "eu-west-1"),
        ("queue.amazonaws.com", "us-east-1"),
        ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a1b2c-3d4e5f.sqs.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"),
    ],
)
def test_the_region_is_that_of_the_queues_address(session_services: Services, host: str, region: str) -> None:
    app = celery_app(with_settings(session_services, broker_url=f"sqs://{host}/123456789012/easel").settings)
    assert app.conf.broker_transport_options["region"] == region


def test_a_broker_that_answers_is_healthy(wake_ups: WakeUps, broker: redis.Redis) -> None:
    wake_ups.check()
