"""The extension `wait`: a status call that responds when the status changes."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from fake_engine import FakeEngine
from httpx import Response
from serving import PATIENCE_S, Serve, Service


def waiting_calls(service: Service) -> int:
    queue = service.client.app.state.queue  # type: ignore[attr-defined]
    return sum(not watcher.done() for job in queue._jobs.values() for watcher in job.watchers)


def until(true: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(100 * PATIENCE_S):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture
def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(20)


def ask(threads: ThreadPoolExecutor, service: Service, number: int, wait_s: float = 20) -> "Future[Response]":
    return threads.submit(service.post, "/check_status", id=number, wait_s=wait_s)


def test_it_responds_when_the_job_ends(service: Service, engine: FakeEngine, threads: ThreadPoolExecutor) -> None:
    number = service.start(prompt="wait")
    service.until(number, "processing")
    call = ask(threads, service, number)
    until(lambda: waiting_calls(service) == 1)
    assert not call.done()
    engine.go.set()
    response = call.result(PATIENCE_S)
    assert (response.status_code, waiting_calls(service)) == (200, 0)
    service.finish(number)


def test_it_responds_when_the_place_in_the_queue_changes(
    service: Service, engine: FakeEngine, threads: ThreadPoolExecutor
) -> None:
    running = service.start(prompt="wait")
    service.until(running, "processing")
    first, second, third = (service.start(prompt="wait", seed=seed) for seed in range(3))
    calls = [ask(threads, service, number) for number in (first, second, third)]
    until(lambda: waiting_calls(service) == 3)
    service.post("/cancel", id=first)
    assert [call.result(PATIENCE_S).json() for call in calls] == ["error", "queue position: 1", "queue position: 2"]
    engine.go.set()


def test_it_responds_after_the_time(service: Service, engine: FakeEngine) -> None:
    number = service.start(prompt="wait")
    service.until(number, "processing")
    for _ in range(3):
        assert str(service.post("/check_status", id=number, wait_s=0.05).json()).startswith("processing")
    assert waiting_calls(service) == 0, "nothing is left of calls whose time was over"
    engine.go.set()


def test_a_job_that_has_ended_is_reported_at_once(service: Service) -> None:
    number = service.start()
    service.finish(number)
    assert service.post("/check_status", id=number, wait_s=20).json() == "finished"
    assert service.post("/check_status", id=number + 1000, wait_s=20).status_code == 404


def test_too_many_calls_respond_at_once(serve: Serve, engine: FakeEngine, threads: ThreadPoolExecutor) -> None:
    service = serve(max_watchers=2)
    number = service.start(prompt="wait")
    service.until(number, "processing")
    calls = [ask(threads, service, number) for _ in range(2)]
    until(lambda: waiting_calls(service) == 2)
    assert service.post("/check_status", id=number, wait_s=20).status_code == 200
    assert not any(call.done() for call in calls)
    engine.go.set()
    for call in calls:
        call.result(PATIENCE_S)


def test_closing_the_queue_ends_the_calls(service: Service, engine: FakeEngine, threads: ThreadPoolExecutor) -> None:
    number = service.start(prompt="wait")
    service.until(number, "processing")
    call = ask(threads, service, number)
    until(lambda: waiting_calls(service) == 1)
    service.client.app.state.queue.close()  # type: ignore[attr-defined]
    assert call.result(PATIENCE_S).json() == "error"
    engine.go.set()


@pytest.mark.parametrize("wait_s", ["-1", "20.5", '"5"', "true", "null", "[1]", "1e400", "NaN"])
def test_a_wrong_time_is_named(service: Service, wait_s: str) -> None:
    body = f'{{"id": {service.start()}, "wait_s": {wait_s}}}'
    response = service.client.post("/check_status", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["parameter"]) == (422, "wait_s")


def test_the_id_may_be_text_as_before(service: Service) -> None:
    number = service.start()
    service.finish(number)
    assert service.post("/check_status", id=str(number), wait_s=1).json() == "finished"
    assert service.client.post("/check_status", data={"id": str(number), "wait_s": "1.5"}).json() == "finished"
    assert service.post("/check_status", id=True).status_code == 422
    assert service.post("/check_status", id="seventeen").status_code == 422
