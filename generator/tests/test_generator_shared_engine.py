"""An engine that shares one process between all workers."""

import base64
import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import PATIENCE_S, Service, TestClient, encoded, open_png

from generator.engine_pool import ProcessEnginePool
from generator.jobs import Bounds
from generator.service import create_app
from tests.support.waiting import until

WORKERS = 4


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        app = create_app(ProcessEnginePool("sharing_engine:Sharing"), Bounds(workers=WORKERS))
        with TestClient(app) as client:
            yield Service(client)


def process_of(service: Service) -> int:
    return int(service.client.post("/basemodel", params={"diffusion_steps": 5}).json()["base_model_total_parameters"])


def value_of(results: dict[str, list[str]]) -> int:
    value = open_png(results["imgs"][0]).getpixel((0, 0))
    assert isinstance(value, tuple)
    return int(value[0])


def test_jobs_of_all_workers_are_in_the_engine_at_the_same_time(service: Service, tmp_path: Path) -> None:
    numbers = [service.start(prompt=f"meet:{tmp_path}:{WORKERS}", seed=k) for k in range(WORKERS)]
    for number in numbers:
        service.finish(number)


def test_the_images_of_a_job_are_made_side_by_side_and_in_order(service: Service, tmp_path: Path) -> None:
    results = service.finish(service.start(prompt=f"meet:{tmp_path}:6", n=6, seed=10, steps=1))
    assert [open_png(img).getpixel((0, 0)) for img in results["imgs"]] == [(k, k, k) for k in range(11, 17)]


def test_a_kill_of_the_engine_loses_no_order(service: Service, tmp_path: Path) -> None:
    process = process_of(service)
    numbers = [service.start(prompt=f"meet:{tmp_path}:{WORKERS}0", seed=k, steps=1) for k in range(WORKERS)]
    until(lambda: len(list(tmp_path.iterdir())) == WORKERS, "all are in the engine", PATIENCE_S, 0.01)
    os.kill(process, signal.SIGKILL)
    # Those that are run again take turns.
    until(lambda: len(list(tmp_path.iterdir())) > WORKERS, "one runs again", PATIENCE_S, 0.01)
    again = process_of(service)
    for k in range(WORKERS * 10):
        (tmp_path / f"{again}-more-{k}").touch()
    assert [value_of(service.finish(number)) for number in numbers] == [k + 1 for k in range(WORKERS)]


def test_a_crash_costs_only_the_job_that_causes_it(service: Service, tmp_path: Path) -> None:
    process = process_of(service)
    innocent = service.start(prompt=f"meet:{tmp_path}:2", seed=1, steps=1)
    until(lambda: len(list(tmp_path.iterdir())) == 1, "it is in the engine", PATIENCE_S, 0.01)
    guilty = service.start(prompt="crash")
    until(lambda: process_of(service) != process, "another process", PATIENCE_S, 0.01)

    def both_ended() -> bool:
        # What the innocent one waits for, in whichever process it is.
        (tmp_path / f"{process_of(service)}-second").touch()
        return {service.status(guilty), service.status(innocent)} <= {"error", "finished"}

    until(both_ended, "both end", PATIENCE_S, 0.01)
    assert service.status(guilty) == "error"
    assert value_of(service.finish(innocent)) == 2


def test_a_cancelled_job_leaves_the_process_and_its_neighbours(service: Service, tmp_path: Path) -> None:
    kept, cancelled = (service.start(prompt=f"meet:{tmp_path}:3", seed=k, steps=1) for k in range(2))
    until(lambda: len(list(tmp_path.iterdir())) == 2, "both are in the engine", PATIENCE_S, 0.01)
    [process] = {path.name.partition("-")[0] for path in tmp_path.iterdir()}
    service.post("/cancel", id=cancelled)
    (tmp_path / f"{process}-third").touch()
    assert value_of(service.finish(kept)) == 1
    assert process_of(service) == int(process)


def test_an_engine_that_cannot_be_created_fails_its_jobs_without_trying_again() -> None:
    with TestClient(create_app(ProcessEnginePool("sharing_engine:broken"), Bounds())) as client:
        service = Service(client)
        assert service.until(service.start(), "error", "finished") == "error"


def test_the_model_and_its_defaults_are_reported_and_used(service: Service) -> None:
    process_of(service)
    health = service.client.get("/health").json()
    assert health["model"] == {
        "name": "flat",
        "device": "cpu",
        "precision": "8 bits",
        "steps": 3,
        "scale": 2.5,
        "width": 72,
        "height": 64,
        "revision": "",
        "captioner": "",
        "scheduler": "",
    }
    number = service.post("/initiate_processing", prompt="x", ups=1, seed=4).json()
    results = service.finish(number)
    assert (open_png(results["imgs"][0]).size, value_of(results)) == ((72, 64), 7)


@pytest.mark.parametrize("content", ["loaded", ""], ids=["loaded", "failed"])
def test_a_model_that_loads_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    until, written = tmp_path / "until", tmp_path / "written"
    monkeypatch.setenv("SLOW_UNTIL", str(until))
    with TestClient(create_app(ProcessEnginePool("sharing_engine:Slow"), Bounds(workers=2))) as client:
        health = client.get("/health").json()
        assert health["loading"] == "model is loading, about 2 s"
        assert "model" not in health
        written.write_text(content)
        written.rename(until)
        service = Service(client)
        outcome = service.until(service.start(seed=1), "finished", "error")
        assert outcome == ("finished" if content else "error")
        health = client.get("/health").json()
        # After a failed start another process tries again, and so loads.
        assert ("model" in health) == bool(content)
        assert not content or "loading" not in health


def test_a_picture_of_no_numbers_is_black_and_flagged(service: Service) -> None:
    results = service.finish(service.start(prompt="nan", n=2))
    assert [*map(list, results["flags"])] == [["nan", "black"]] * 2
    assert value_of(results) == 0


def test_an_ordinary_picture_has_no_flags(service: Service) -> None:
    assert "flags" not in service.finish(service.start(seed=9))


def mask_of(width: int = 64) -> str:
    pixels = np.zeros((64, width), np.uint8)
    pixels[:, : width // 2] = 255
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def flat(value: int, size: tuple[int, int] = (64, 64)) -> str:
    """Return a picture of one grey."""
    out = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


PNG_TEXT = base64.b64encode(b"GIF89a").decode()


def test_inpainting_keeps_the_pixels_outside_of_the_mask(service: Service) -> None:
    assert "inpaint" in service.client.get("/health").json()["extensions"]
    source = encoded()
    results = service.finish(service.start(imgs=source, mask=mask_of(), seed=7))
    picture, before = np.asarray(open_png(results["imgs"][0])), np.asarray(open_png(source))
    assert (picture[:, :32] == 7).all()
    assert (picture[:, 32:] == before[:, 32:]).all()


@pytest.mark.parametrize(
    "fields",
    [
        {"mask": mask_of()},
        {"mask": mask_of(), "imgs": encoded(), "strength": -1},
        {"mask": mask_of(72), "imgs": encoded()},
        {"mask": base64.b64encode(b"GIF89a").decode(), "imgs": encoded()},
    ],
)
def test_a_mask_that_does_not_fit_is_refused(service: Service, fields: dict[str, object]) -> None:
    answer = service.post("/initiate_processing", prompt="x", ups=1, **fields)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "mask")


@pytest.mark.parametrize(("scale", "value"), [(None, 20), (0.5, 15), (0, 10)])
def test_a_control_picture_and_its_scale_reach_the_engine(service: Service, scale: float | None, value: int) -> None:
    assert "control" in service.client.get("/health").json()["extensions"]
    fields: dict[str, object] = {} if scale is None else {"control_scale": scale}
    results = service.finish(service.start(control=flat(10, (40, 24)), seed=7, steps=3, **fields))
    assert (value_of(results), open_png(results["imgs"][0]).size) == (value, (64, 64))


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"control": PNG_TEXT}, "control"),
        ({"control": flat(10, (64, 4))}, "control"),
        ({"control": flat(10), "imgs": encoded(), "strength": -1}, "control"),
        ({"control": flat(10), "control_scale": 2.5}, "control_scale"),
        ({"control_scale": 1.0}, "control_scale"),
    ],
)
def test_a_wrong_control_picture_is_refused(service: Service, fields: dict[str, object], parameter: str) -> None:
    answer = service.post("/initiate_processing", **({"prompt": "x", "ups": 1} | fields))
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)
