"""The service with the diffusion engine in its process."""

import base64
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from serving import PATIENCE_S, Service, TestClient, open_png

from generator.engine_pool import ProcessEnginePool
from generator.jobs import Bounds
from generator.service import create_app
from tests.support.waiting import until

LOADING_S = 600
"""A busy machine may need minutes to load the libraries."""


@pytest.fixture(scope="module")
def pool(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessEnginePool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EASEL_MODEL", str(models["plain"]))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield ProcessEnginePool("diffusion", ready_within_s=LOADING_S)


@pytest.fixture(scope="module")
def service(pool: ProcessEnginePool) -> Iterator[Service]:
    with TestClient(create_app(pool, Bounds(workers=8))) as client:
        assert client.get("/health").json()["loading"].startswith("model is loading")
        pool.stats()
        yield Service(client)


def pixels(text: str) -> np.ndarray:
    return np.asarray(open_png(text))


def test_the_model_is_in_the_health(service: Service) -> None:
    health = service.client.get("/health").json()
    assert health["engine"] == "diffusion"
    assert health["model"]["name"] == "plain"
    assert re.fullmatch("[0-9a-f]{12}", health["model"]["revision"])
    assert health["model"]["scheduler"] in health["schedulers"]
    assert "inpaint" in health["extensions"]


def test_a_request_may_name_a_scheduler(service: Service) -> None:
    health = service.client.get("/health").json()
    assert "scheduler" in health["extensions"]
    own, other = (service.start(seed=1, steps=4, **more) for more in ({}, {"scheduler": "euler_a"}))
    assert service.finish(own)["imgs"] != service.finish(other)["imgs"]
    refused = service.post("/initiate_processing", prompt="x", scheduler="DDIMScheduler")
    assert refused.status_code == 422
    assert all(name in refused.text for name in ("scheduler", *health["schedulers"]))


def test_the_models_own_defaults_apply(service: Service) -> None:
    number = service.post("/initiate_processing", prompt="x", ups=1).json()
    assert open_png(service.finish(number)["imgs"][0]).size == (64, 64)


def test_a_picture_in_the_making_is_shown(service: Service) -> None:
    number = service.start(prompt="a red house", width=64, height=64, steps=150, n=4)
    seen: list[str] = []

    def has_preview() -> bool:
        answer = service.post("/check_status", id=number, preview=True).json()
        assert answer["status"].startswith(("queue", "processing")), answer
        seen.extend(filter(None, [answer.get("preview")]))
        return bool(seen)

    until(has_preview, "there is a preview", PATIENCE_S, 0.01)
    assert base64.b64decode(seen[0])[8:12] == b"WEBP"
    service.post("/cancel", id=number)


def test_pictures_of_a_job_are_those_of_single_jobs(service: Service) -> None:
    together = service.finish(service.start(n=4, seed=7, steps=6, frames=3))
    assert len(together["frames"]) == 3
    single = [service.finish(service.start(seed=7 + k, steps=6))["imgs"][0] for k in range(4)]
    assert together["imgs"] == single


def test_a_kill_in_mid_batch_loses_no_order(service: Service, pool: ProcessEnginePool) -> None:
    expected = [service.finish(service.start(seed=k, steps=30))["imgs"][0] for k in range(6)]
    numbers = [service.start(seed=k, steps=30) for k in range(6)]
    until(lambda: any(percent(service, number) > 10 for number in numbers), "steps are done", PATIENCE_S, 0.01)
    assert pool._shared is not None
    process = pool._shared._now.process.pid
    assert process is not None
    os.kill(process, signal.SIGKILL)
    until(lambda: all(service.status(number) == "finished" for number in numbers), "all are finished", LOADING_S, 0.1)
    painted = [service.finish(number)["imgs"][0] for number in numbers]
    assert all((pixels(one) == pixels(other)).all() for one, other in zip(painted, expected, strict=True))
    assert pool._shared._now.process.pid != process


def percent(service: Service, number: int) -> int:
    status = service.status(number)
    return int(status.removeprefix("processing: ").removesuffix("%")) if status.startswith("processing") else 0
