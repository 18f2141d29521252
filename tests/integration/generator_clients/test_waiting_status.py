"""The extension `wait` of img_generator: one suite for the shipped fake and the reference service."""

import json
import math
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from shared.generators import connect, img_generator
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    Generator,
    GeneratorError,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
    Progress,
)
from shared.generators.img_generator import SMALL_ANSWER_BYTES, ImgGenerator
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.orders import order
from tests.support.reference_generator import reference_generator
from tests.support.waiting import until

LARGE = order(width=512, height=512, steps=150, n=8)
ENDLESS = Plan(seconds=math.inf)


@dataclass(frozen=True)
class Waiting:
    """A server whose requests take long, and how many of its calls wait."""

    address: GeneratorAddress
    calls: Callable[[], int]


@pytest.fixture(scope="module", params=["fake", "reference"])
def server(request: pytest.FixtureRequest) -> Iterator[Waiting]:
    if request.param == "fake":
        with FakeGenerator(plan=ENDLESS, extensions=ALL_EXTENSIONS) as fake:
            yield Waiting(fake.address, lambda: fake.waiting)
        return
    with reference_generator() as url:

        def watching() -> int:
            with urllib.request.urlopen(f"{url}/health", timeout=20) as response:
                return int(json.load(response)["watching"])

        yield Waiting(GeneratorAddress("img_generator", url), watching)


@pytest.fixture(scope="module")
def address(server: Waiting) -> GeneratorAddress:
    return server.address


@pytest.fixture
def queued(generator: Generator) -> Iterator[str]:
    """Queue a request behind one that is processed, so that its status does not change."""
    ahead = generator.start(LARGE)
    until(lambda: generator.status(ahead).phase is Phase.PROCESSING, "the first request is processed")
    queued = generator.start(LARGE)
    yield queued
    generator.cancel(queued)
    generator.cancel(ahead)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_it_is_known_after_the_first_question(generator: Generator, queued: str) -> None:
    client = connect(GeneratorAddress("img_generator", "http://127.0.0.1:1"))
    assert not client.waits
    generator.status(queued, wait_s=0.05)
    assert generator.waits


def test_it_answers_when_the_request_ends(
    generator: Generator, queued: str, server: Waiting, threads: ThreadPoolExecutor
) -> None:
    call = threads.submit(generator.status, queued, wait_s=20)
    until(lambda: server.calls() == 1, "the call waits", 60, 0.01)
    generator.cancel(queued)
    assert call.result(30) == Progress(Phase.FAILED)
    assert server.calls() == 0
    assert generator.status(queued, wait_s=20).phase is Phase.FAILED


def test_it_answers_after_the_time(generator: Generator, queued: str, server: Waiting) -> None:
    assert generator.status(queued, wait_s=0.1).phase in (Phase.QUEUED, Phase.PROCESSING)
    assert server.calls() == 0


@pytest.mark.parametrize("wait_s", [0, 20])
def test_a_stopped_call_ends(generator: Generator, queued: str, wait_s: float) -> None:
    with pytest.raises(GeneratorStopped):
        generator.status(queued, wait_s=wait_s, stop=lambda: True)
    assert generator.status(queued).phase in (Phase.QUEUED, Phase.PROCESSING)


@pytest.mark.parametrize("wait_s", ["-1", "20.5", '"5"', "true", "null", "[1]", "1e400", "NaN"])
def test_a_wrong_time_is_refused(address: GeneratorAddress, queued: str, wait_s: str) -> None:
    body = f'{{"id": {queued}, "wait_s": {wait_s}}}'.encode()
    request = urllib.request.Request(f"{address.url}/check_status", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    with caught.value as answer:
        assert (answer.code, json.load(answer)["parameter"]) == (422, "wait_s")


def test_a_longer_wait_than_the_protocol_allows_is_shortened(
    generator: Generator, queued: str, server: Waiting, threads: ThreadPoolExecutor
) -> None:
    call = threads.submit(generator.status, queued, wait_s=3600)
    until(lambda: server.calls() == 1, "the call waits", 60, 0.01)
    generator.cancel(queued)
    assert call.result(30).phase is Phase.FAILED


def test_a_stopped_call_ends_while_it_waits(threads: ThreadPoolExecutor) -> None:
    stop = threading.Event()
    with FakeGenerator(plan=ENDLESS, extensions=["wait"]) as fake:
        client = connect(fake.address)
        call = threads.submit(client.status, client.start(order()), wait_s=20, stop=stop.is_set)
        until(lambda: fake.waiting == 1, "the call waits", 60, 0.01)
        stop.set()
        with pytest.raises(GeneratorStopped):
            call.result(15)
        client.close()


def test_the_answer_may_take_as_much_longer() -> None:
    with FakeGenerator(plan=ENDLESS, extensions=["wait"]) as fake:
        client = ImgGenerator(fake.address, answer_timeout_s=2)
        assert client.status(client.start(order()), wait_s=2.5) == Progress(Phase.PROCESSING)
        client.close()


def test_a_request_that_the_test_finishes_is_reported(threads: ThreadPoolExecutor) -> None:
    with FakeGenerator(plan=ENDLESS, extensions=["wait"]) as fake:
        client = connect(fake.address)
        remote_id = client.start(order())
        call = threads.submit(client.status, remote_id, wait_s=20)
        until(lambda: fake.waiting == 1, "the call waits", 60, 0.01)
        fake.finish(int(remote_id))
        assert call.result(15).phase is Phase.FINISHED
        assert len(client.result(remote_id, order()).images) == 1
        assert fake.in_flight == 0
        client.close()


def test_a_fake_ends_its_waiting_calls_with_the_block(threads: ThreadPoolExecutor) -> None:
    with FakeGenerator(plan=ENDLESS, extensions=["wait"]) as fake:
        client = connect(fake.address)
        call = threads.submit(client.status, client.start(order()), wait_s=20)
        until(lambda: fake.waiting == 1, "the call waits", 60, 0.01)
    assert fake.waiting == 0
    assert call.exception(15) is None or isinstance(call.exception(), GeneratorError)
    client.close()


def test_the_time_is_sent_only_where_it_is_listed() -> None:
    with FakeGenerator(plan=Plan(polls=3), extensions=["key"]) as fake:
        client = connect(fake.address)
        assert client.status(client.start(order()), wait_s=20).phase is Phase.QUEUED
        assert not client.waits
        client.close()


class _Watched(FakeGenerator):
    """Counts the questions for its extensions, answered with `health` if that is set, and the calls that may wait."""

    health: tuple[int, Any] | None = None

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        with self._lock:
            self.counts["health"] += path == "/health"
            self.counts["waits"] += "wait_s" in fields
        if path != "/health":
            return super().answer(method, path, fields)
        return self.health or super().answer(method, path, fields)


BAD_HEALTH = {
    "busy": (503, {"error": "no health"}),
    "too large": (200, b" " * (SMALL_ANSWER_BYTES + 1)),
    "no JSON": (200, b"<html>"),
    "no list": (200, {"extensions": "wait"}),
    "missing": (404, {}),
}


@pytest.mark.parametrize("health", BAD_HEALTH.values(), ids=BAD_HEALTH)
def test_a_failing_question_means_no_for_a_while(health: tuple[int, Any]) -> None:
    with _Watched(plan=Plan(polls=9), extensions=ALL_EXTENSIONS) as fake:
        fake.health = health
        client = connect(fake.address)
        remote_id = client.start(order())
        for _ in range(3):
            client.status(remote_id, wait_s=20)
        assert (fake.counts["health"], fake.counts["waits"], client.waits) == (1, 0, False)
        client.close()


def test_a_failure_replaces_what_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    with _Watched(plan=Plan(polls=9), extensions=["wait"]) as fake:
        client = ImgGenerator(fake.address)

        def waits() -> bool:
            return client.waits

        remote_id = client.start(order())
        client.status(remote_id, wait_s=20)
        assert waits()
        monkeypatch.setattr(client, "_asked_at", float("-inf"))
        fake.health = BAD_HEALTH["busy"]
        client.status(remote_id, wait_s=20)
        assert not waits()
        with pytest.raises(GeneratorUnavailable):
            client.health()
        fake.health = None
        client.health()
        assert waits()
        client.close()


def test_many_threads_wait_with_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(img_generator, "FRESH_S", 3600.0)  # a busy machine may take longer to start so many
    count = 128
    with _Watched(plan=ENDLESS, extensions=["wait"]) as fake, ThreadPoolExecutor(count) as threads:
        client = connect(fake.address)
        ids = [client.start(order(seed=seed)) for seed in range(count)]
        phases = {progress.phase for progress in threads.map(lambda one: client.status(one, wait_s=0.01), ids)}
        assert (phases, fake.counts["health"]) == ({Phase.PROCESSING}, 1), "one thread asks for all"
        calls = [threads.submit(client.status, remote_id, wait_s=20) for remote_id in ids]
        until(lambda: fake.waiting == count, "the calls wait", 60, 0.01)
        before = time.time()
        for remote_id in ids:
            fake.finish(int(remote_id))
        assert {call.result(15).phase for call in calls} == {Phase.FINISHED}
        assert all(before <= fake.ended_at(int(remote_id)) <= time.time() for remote_id in ids)
        client.close()
