"""Fixtures of the service: with an engine controlled by the prompt, and with the real painter."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fake_engine import Clock, FakeEngine
from serving import Listen, Serve, Service, TestClient
from thread_engine_pool import ThreadEnginePool

from generator.engine_pool import ProcessEnginePool
from generator.jobs import Bounds
from generator.service import create_app
from tests.support.listening import listening


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    fake = FakeEngine()
    yield fake
    fake.go.set()
    fake.never.set()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("generator.jobs.time", clock)
    return clock


@pytest.fixture
def serve(engine: FakeEngine) -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda **bounds: Service(
            stack.enter_context(TestClient(create_app(ThreadEnginePool(engine), Bounds(**bounds))))
        )


@pytest.fixture
def service(serve: Serve) -> Service:
    return serve()


@pytest.fixture(scope="module")
def painting() -> Iterator[Service]:
    """Start the service with the real painter."""
    with TestClient(create_app(ProcessEnginePool("painter"))) as client:
        yield Service(client)


@pytest.fixture
def listen(engine: FakeEngine) -> Iterator[Listen]:
    with ExitStack() as stack:

        def serve(**bounds: Any) -> str:
            app = create_app(ThreadEnginePool(engine), Bounds(**bounds))
            return f"http://{stack.enter_context(listening(app))}"

        yield serve
