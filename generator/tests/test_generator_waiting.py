"""The extension `wait`: a status call that responds when the status changes."""

import http.client
import json
import threading
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from fake_engine import FakeEngine
from httpx import Response
from serving import PATIENCE_S, Listen, Serve, Service

JSON = {"Content-Type": "application/json"}


def waiting_calls(service: Service) -> int:
    return int(service.client.get("/health").json()["watching"])


def call(address: str, path: str, **fields: object) -> object:
    data = json.dumps(fields).encode() if fields else None
    with urllib.request.urlopen(urllib.request.Request(address + path, data, JSON), timeout=PATIENCE_S) as response:
        return json.load(response)


def watching(address: str) -> object:
    health = call(address, "/health")
    assert isinstance(health, dict)
    return health["watching"]


def wait_on_connection(address: str, number: object) -> http.client.HTTPConnection:
    """Send a call that waits for 20 s; return its connection."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
    connection.request("POST", "/check_status", json.dumps({"id": number, "wait_s": 20}), JSON)
    return connection


def until(true: Callable[[], bool], limit_s: int = PATIENCE_S) -> None:
    pause = threading.Event()
    for _ in range(100 * limit_s):
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


def test_a_job_ahead_is_no_change(service: Service, engine: FakeEngine, threads: ThreadPoolExecutor) -> None:
    running = service.start(prompt="wait")
    service.until(running, "processing")
    first, second = (service.start(prompt="wait", seed=seed) for seed in range(2))
    call = ask(threads, service, first)
    until(lambda: waiting_calls(service) == 1)
    service.post("/cancel", id=second)
    assert waiting_calls(service) == 1
    service.post("/cancel", id=first)
    assert call.result(PATIENCE_S).json() == "error"
    engine.go.set()


def test_it_responds_to_progress_and_only_when_it_is_shown(
    service: Service, engine: FakeEngine, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.jobs.PROGRESS_SHOWN_S", 0)
    number = service.start(prompt="wait")
    assert engine.waiting.wait(PATIENCE_S)
    reports = engine.reports
    until(lambda: engine.reports > reports)
    before = service.status(number)
    call = ask(threads, service, number)
    until(lambda: waiting_calls(service) == 1)
    reports = engine.reports
    until(lambda: engine.reports > reports + 5)
    assert waiting_calls(service) == 1, "the percentage is the same"
    engine.done = 0.9
    after = call.result(PATIENCE_S).json()
    assert after.startswith("processing: ")
    assert after != before
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
    service.client.app.state.queues.close()  # type: ignore[attr-defined]
    assert call.result(PATIENCE_S).json() == "error"
    engine.go.set()


def test_calls_whose_time_was_over_leave_room(serve: Serve, engine: FakeEngine) -> None:
    service = serve(max_watchers=1)
    running = service.start(prompt="wait")
    service.until(running, "processing")
    for number in (running, service.start(prompt="wait"), running):
        service.post("/check_status", id=number, wait_s=0.05)
        assert waiting_calls(service) == 0
    engine.go.set()


def test_a_caller_that_hangs_up_frees_its_place(listen: Listen, engine: FakeEngine) -> None:
    address = listen()
    call(address, "/initiate_processing", prompt="wait", ups=1, width=64, height=64)
    number = call(address, "/initiate_processing", prompt="wait", ups=1, width=64, height=64)
    assert engine.waiting.wait(PATIENCE_S)
    connection = wait_on_connection(address, number)
    until(lambda: watching(address) == 1)
    connection.close()
    until(lambda: watching(address) == 0, limit_s=10)
    engine.go.set()


def test_hundreds_wait_without_blocking_others(listen: Listen, engine: FakeEngine) -> None:
    address = listen()
    call(address, "/initiate_processing", prompt="wait", ups=1, width=64, height=64)
    number = call(address, "/initiate_processing", prompt="wait", ups=1, width=64, height=64)
    assert engine.waiting.wait(PATIENCE_S)
    connections = [wait_on_connection(address, number) for _ in range(300)]
    until(lambda: watching(address) == 300)
    other = call(address, "/initiate_processing", prompt="other", ups=1, width=64, height=64)
    assert call(address, "/check_status", id=other) == "queue position: 2"
    assert call(address, "/cancel", id=other) == {"cancelled": True}
    assert watching(address) == 300
    call(address, "/cancel", id=number)
    assert {json.load(connection.getresponse()) for connection in connections} == {"error"}
    for connection in connections:
        connection.close()
    engine.go.set()


@pytest.mark.parametrize("wait_s", ["-1", "20.5", "true", "NaN", "inf", "1e400", "five", ""])
def test_a_wrong_time_in_a_form_is_named(service: Service, wait_s: str) -> None:
    response = service.client.post("/check_status", data={"id": str(service.start()), "wait_s": wait_s})
    assert (response.status_code, response.json()["parameter"]) == (422, "wait_s")


def test_the_id_may_be_text_as_before(service: Service) -> None:
    number = service.start()
    service.finish(number)
    assert service.post("/check_status", id=str(number), wait_s=1).json() == "finished"
    assert service.client.post("/check_status", data={"id": str(number), "wait_s": "1.5"}).json() == "finished"
    assert service.post("/check_status", id=True).status_code == 422
    assert service.post("/check_status", id="seventeen").status_code == 422
