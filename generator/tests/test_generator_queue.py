"""The queue: order, limits, cancellation, expiry and failing engines."""

import pytest
from fake_engine import Clock, FakeEngine
from serving import PATIENCE_S, Serve, Service, encoded

from tests.support.waiting import until


def test_positions_count_down(service: Service, engine: FakeEngine) -> None:
    running = service.start(prompt="wait")
    service.until(running, "processing")
    waiting = [service.start(prompt="wait", seed=k) for k in range(3)]
    assert [service.status(number) for number in waiting] == [f"queue position: {k}" for k in (1, 2, 3)]
    assert service.post("/cancel", id=waiting[0]).json() == {"cancelled": True}
    assert [service.status(number) for number in waiting] == ["error", "queue position: 1", "queue position: 2"]
    engine.go.set()
    service.finish(waiting[2])
    assert [image_request.seed for image_request in engine.image_requests[1:]] == [1, 2]


def test_a_full_queue_refuses_requests(serve: Serve) -> None:
    service = serve(max_queue=1)
    running = service.start(prompt="wait")
    service.until(running, "processing")
    service.start()
    answer = service.post("/initiate_processing", prompt="one too many")
    assert (answer.status_code, answer.json()["error"]) == (503, "queue_full")
    assert int(answer.headers["retry-after"]) > 0


def test_heavy_sources_fill_the_queue(serve: Serve) -> None:
    service = serve(max_queue_bytes=len(encoded(200, 200)))
    service.until(service.start(prompt="wait"), "processing")
    service.start(imgs=encoded(200, 200))
    assert service.post("/initiate_processing", prompt="x", imgs=encoded(200, 200)).status_code == 503


def test_a_running_job_is_cancelled_at_its_next_step(service: Service, engine: FakeEngine) -> None:
    running = service.start(prompt="wait")
    service.until(running, "processing")
    assert service.post("/cancel", id=running).json() == {"cancelled": True}
    assert service.status(running) == "error"
    service.finish(service.start())
    assert service.post("/cancel", id=running).json() == {"cancelled": False}
    answer = service.post("/get_results", id=running)
    assert (answer.status_code, answer.json()["message"]) == (409, "the job was cancelled")


def test_a_finished_job_stays_finished(service: Service) -> None:
    number = service.start()
    service.finish(number)
    assert service.post("/cancel", id=number).json() == {"cancelled": False}
    assert service.status(number) == "finished"


def test_an_engine_that_raises_fails_only_its_job(service: Service) -> None:
    bad = service.start(prompt="raise")
    assert service.until(bad, "error", "finished") == "error"
    answer = service.post("/get_results", id=bad)
    assert (answer.status_code, answer.json()["message"]) == (409, "the engine failed")
    service.finish(service.start())


@pytest.mark.parametrize("prompt", ["hang", "wait"])
def test_an_engine_that_takes_too_long_fails_only_its_job(
    serve: Serve, engine: FakeEngine, clock: Clock, prompt: str
) -> None:
    service = serve(job_timeout_s=600)
    bad = service.start(prompt=prompt)
    good = service.start()
    until(lambda: engine.image_requests, "the engine works", PATIENCE_S, 0.01)
    clock.now = 601
    assert service.until(bad, "error", "finished") == "error"
    service.finish(good)


def test_oldest_results_are_forgotten_by_count(serve: Serve) -> None:
    service = serve(keep_count=2)
    numbers = [service.start(key=f"k{k}") for k in range(3)]
    service.finish(numbers[2])
    assert service.post("/check_status", id=numbers[0]).status_code == 404
    assert service.status(numbers[1]) == "finished"
    assert service.start(key="k0") not in numbers


def test_oldest_results_are_forgotten_by_size(serve: Serve) -> None:
    service = serve(keep_bytes=300)
    numbers = [service.start(seed=k) for k in range(5)]
    service.until(numbers[4], "finished")
    assert service.post("/get_results", id=numbers[0]).status_code == 404


def test_a_restarted_service_does_not_know_earlier_ids(serve: Serve) -> None:
    first, second = serve(), serve()
    number = first.start()
    first.finish(number)
    second.start()
    assert second.post("/check_status", id=number).status_code == 404


def test_two_workers_run_in_parallel(serve: Serve, engine: FakeEngine) -> None:
    service = serve(workers=2)
    numbers = [service.start(prompt="wait") for _ in range(2)]
    for number in numbers:
        service.until(number, "processing")
    engine.go.set()
    for number in numbers:
        service.finish(number)
