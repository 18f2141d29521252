"""Engines in separate processes: after a failure the service still answers and runs the next job."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from serving import PATIENCE_S, Serve, Service, TestClient

from generator import engine_process
from generator.engine_pool import ProcessEnginePool
from generator.engine_process import EngineFailed
from generator.jobs import Bounds
from generator.service import create_app
from tests.support.waiting import until


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    """Let the engine's processes import it from the tests' folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        yield


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def served(engine: str = "unruly_engine:Unruly", **bounds: Any) -> Service:
            app = create_app(ProcessEnginePool(engine), Bounds(**bounds))
            return Service(stack.enter_context(TestClient(app)))

        yield served


@pytest.fixture(scope="module")
def service(importable: None) -> Iterator[Service]:
    """Start one service for the tests that leave it idle with a working engine."""
    with TestClient(create_app(ProcessEnginePool("unruly_engine:Unruly"))) as client:
        yield Service(client)


def process_of(service: Service) -> int:
    """Return the id of the engine's process, after running a job."""
    service.finish(service.start(prompt="plain"))
    return int(service.client.post("/basemodel", params={"diffusion_steps": 5}).json()["base_model_total_parameters"])


def is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_engine_that_raises_keeps_its_process(service: Service) -> None:
    process = process_of(service)
    bad = service.start(prompt="raise")
    assert service.until(bad, "error", "finished") == "error"
    assert service.post("/get_results", id=bad).json()["message"] == "the engine failed"
    assert process_of(service) == process


def test_the_stats_are_known_before_the_first_job(serve: Serve) -> None:
    answer = serve().client.post("/basemodel", params={"diffusion_steps": 5})
    assert answer.status_code == 200
    assert is_there(answer.json()["base_model_total_parameters"])


def test_an_engine_that_crashes_gets_a_new_process(service: Service) -> None:
    process = process_of(service)
    assert service.until(service.start(prompt="crash"), "error", "finished") == "error"
    assert process_of(service) != process
    assert not is_there(process)


def test_an_engine_that_dies_while_idle_costs_no_job(service: Service) -> None:
    process = process_of(service)
    os.kill(process, 9)
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    assert process_of(service) != process


@pytest.mark.parametrize("ended_by", ["time", "cancelling"])
def test_an_engine_that_hangs_in_native_code_is_killed(
    serve: Serve, ended_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_process, "GRACE_S", 0.2)
    service = serve(job_timeout_s=3.0 if ended_by == "time" else 600)
    bad = service.start(prompt=f"hang:{tmp_path / 'begun'}")
    good = service.start(prompt="plain")
    until((tmp_path / "begun").exists, "the work has begun", PATIENCE_S, 0.01)
    assert service.client.get("/health").json()["status"] == "ok"
    if ended_by == "cancelling":
        assert service.post("/cancel", id=bad).json() == {"cancelled": True}
    assert service.until(bad, "error", "finished") == "error"
    service.finish(good)


def test_a_cancelled_job_frees_its_worker_without_a_new_process(service: Service, tmp_path: Path) -> None:
    process = process_of(service)
    bad = service.start(prompt=f"wait:{tmp_path / 'begun'}")
    until((tmp_path / "begun").exists, "the work has begun", PATIENCE_S, 0.01)
    service.post("/cancel", id=bad)
    assert process_of(service) == process


def test_progress_is_passed_on(service: Service) -> None:
    waiting = service.start(prompt="wait", steps=1)
    until(
        lambda: service.status(waiting) not in ("processing: 0%", "queue position: 1"), "it goes on", PATIENCE_S, 0.01
    )
    assert service.status(waiting).startswith("processing: ")
    service.post("/cancel", id=waiting)


def test_each_worker_has_a_process(serve: Serve, tmp_path: Path) -> None:
    service = serve(workers=2)
    numbers = [service.start(prompt=f"wait:{tmp_path / str(k)}") for k in range(2)]
    until(lambda: all((tmp_path / str(k)).exists() for k in range(2)), "both work", PATIENCE_S, 0.01)
    for number in numbers:
        service.post("/cancel", id=number)


def test_stopping_the_service_ends_the_processes(serve: Serve, tmp_path: Path) -> None:
    with TestClient(create_app(ProcessEnginePool("unruly_engine:Unruly"))) as client:
        service = Service(client)
        process = process_of(service)
        service.start(prompt=f"hang:{tmp_path / 'begun'}")
        until((tmp_path / "begun").exists, "the work has begun", PATIENCE_S, 0.01)
    until(lambda: not is_there(process), "the process is gone", PATIENCE_S, 0.01)


def test_an_engine_that_cannot_be_created_fails_its_jobs(serve: Serve) -> None:
    service = serve("unruly_engine:broken")
    for _ in range(2):
        assert service.until(service.start(), "error", "finished") == "error"


def test_stats_of_an_engine_that_cannot_be_created_are_an_error() -> None:
    with TestClient(create_app(ProcessEnginePool("unruly_engine:broken", ready_within_s=0.1))) as client:
        answer = client.post("/upmodel", params={"diffusion_steps": 5})
    assert (answer.status_code, answer.json()["error"]) == (500, "engine_failed")


def test_stats_that_no_engine_reports_are_a_failure() -> None:
    with pytest.raises(EngineFailed):
        ProcessEnginePool("painter", ready_within_s=0.01).stats()
