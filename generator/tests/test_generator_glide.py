"""The Glide API: its parameters, its answer, its two stages and its blocking call."""

import http.client
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from fake_engine import Clock, FakeEngine
from serving import Listen, Serve, Service, open_png
from thread_engine_pool import ThreadEnginePool

from easel_painter import Painter
from easel_painter.noise import cppn
from generator.engines.base import Engine
from generator.job import FailureReason
from generator.jobs import Bounds, JobFailed, JobQueue, QueueFull
from generator.request import GenerationRequest
from generator.work import JobProgress, Results
from tests.support.waiting import until

PATIENCE_S = 60
SIZES = [64, 128, 256, 512, 1024]
BAD = [
    ("size", None),
    ("size", ""),
    ("size", "0"),
    ("size", "63"),
    ("size", "65"),
    ("size", "2048"),
    ("size", "64.5"),
    ("size", "large"),
    ("prompt", None),
    ("prompt", ""),
    ("prompt", " \t"),
    ("prompt", "a" * 4001),
    ("batch_size", "0"),
    ("batch_size", "9"),
    ("batch_size", "1.5"),
    ("batch_size", ""),
    ("guidance_scale", "-0.1"),
    ("guidance_scale", "30.1"),
    ("guidance_scale", "nan"),
    ("guidance_scale", "inf"),
    ("guidance_scale", "strong"),
    ("upsample_temp", "-0.001"),
    ("upsample_temp", "1.001"),
    ("upsample_temp", "nan"),
    ("seed", "1"),
    ("steps", "50"),
]
GOOD = [
    *(("size", size) for size in SIZES),
    ("prompt", "a" * 4000),
    ("batch_size", 8),
    ("guidance_scale", 0),
    ("guidance_scale", 30),
    ("upsample_temp", 0),
    ("upsample_temp", 1),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_an_invalid_value_is_named(service: Service, engine: FakeEngine, name: str, value: str | None) -> None:
    parameters = {"prompt": "a picture", "size": "64"} | {name: value}
    answer = service.client.get("/image", params={key: text for key, text in parameters.items() if text is not None})
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert list(problem) == ["error", "parameter", "message", "errors"]
    assert (problem["error"], problem["parameter"]) == ("bad_parameter", name)
    assert name in problem["message"]
    assert engine.image_requests == []


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_value_at_its_limit_is_accepted(service: Service, name: str, value: str | float) -> None:
    assert service.image(**{name: value}).status_code == 200


def test_every_invalid_parameter_is_listed(service: Service) -> None:
    answer = service.image(size=1, batch_size=0, more=1)
    assert {fault["parameter"] for fault in answer.json()["errors"]} == {"size", "batch_size", "more"}


def test_a_parameter_given_twice_is_refused(service: Service) -> None:
    answer = service.client.get("/image?size=64&prompt=a&prompt=b")
    assert (answer.status_code, answer.json()["parameter"]) == (422, "prompt")


def test_the_answer_has_the_published_form(service: Service) -> None:
    answer = service.image()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert list(body) == [
        "data_type",
        "gpu_memory_allocated",
        "gpu_memory_reserved",
        "image",
        "image_size",
        "processing_time",
    ]
    assert body["data_type"] == "image/png;base64"
    assert (body["gpu_memory_allocated"], body["gpu_memory_reserved"]) == ("1.72 Gb", "4.48 Gb")
    assert body["image_size"] == 64
    assert type(body["image_size"]) is int
    assert re.fullmatch(r"\d+\.\d+ s", body["processing_time"])
    picture = open_png(body["image"])
    assert (picture.format, picture.mode, picture.size, picture.info) == ("PNG", "RGB", (64, 64), {})


@pytest.mark.parametrize(("size", "count"), [(64, 1), (64, 8), (128, 3), (1024, 8)])
def test_the_sheet_has_the_pictures_side_by_side(service: Service, engine: FakeEngine, size: int, count: int) -> None:
    sheet = open_png(service.image(size=size, batch_size=count).json()["image"])
    assert sheet.size == (size * count, size)
    pixels = np.asarray(sheet)
    pictures = [pixels[:, k * size : (k + 1) * size] for k in range(count)]
    assert len({picture.tobytes() for picture in pictures}) == count
    assert all(picture.std() == 0 for picture in pictures)


@pytest.mark.parametrize(("guidance", "scale"), [({}, 7.5), ({"guidance_scale": 0}, 0), ({"guidance_scale": 30}, 30)])
def test_the_default_guidance_is_the_default_scale(
    service: Service, engine: FakeEngine, guidance: dict[str, float], scale: float
) -> None:
    service.image(**guidance)
    assert engine.image_requests[0].scale == scale
    assert GenerationRequest(prompt="a picture").scale == 7.5


def test_seeds_are_drawn_for_each_call(service: Service, engine: FakeEngine) -> None:
    for _ in range(3):
        service.image(batch_size=2)
    seeds = [image_request.seed for image_request in engine.image_requests]
    assert len(set(seeds)) == 6
    assert [second - first for first, second in zip(seeds[::2], seeds[1::2], strict=True)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("size", "base", "factor"), [(64, 64, None), (128, 64, 2), (256, 64, 4), (512, 128, 4), (1024, 256, 4)]
)
def test_a_base_picture_is_painted_and_then_refined(
    service: Service, engine: FakeEngine, size: int, base: int, factor: int | None
) -> None:
    service.image(size=size, prompt="a [boat]", guidance_scale=4.4, upsample_temp=0.3)
    first, *refined = engine.image_requests
    assert (first.prompt, first.negative_prompt, first.scale) == ("a [boat]", "", 11.0)
    assert (first.width, first.height, first.steps) == (base, base, 100)
    assert engine.factors == ([] if factor is None else [factor])
    assert [(image_request.width, image_request.height, image_request.steps) for image_request in refined] == (
        [] if size == 64 else [(size, size, 27)]
    )
    assert all(
        (image_request.seed, image_request.prompt, image_request.scale) == (first.seed, "a [boat]", 11.0)
        for image_request in refined
    )
    assert engine.strengths == ([] if size == 64 else [0.3])


def test_the_steps_of_both_stages_can_be_set(service: Service, engine: FakeEngine) -> None:
    client = service.client
    assert client.post("/basemodel?diffusion_steps=7").json() == {"base_model_total_parameters": 1234}
    assert client.post("/upmodel?diffusion_steps=3").json() == {"upsample_model_total_parameters": 567}
    service.image(size=128)
    client.post("/basemodel?diffusion_steps=150")
    service.image(size=128)
    assert [image_request.steps for image_request in engine.image_requests] == [7, 3, 150, 3]


@pytest.mark.parametrize("call", ["/basemodel", "/upmodel"])
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("", "diffusion_steps"),
        ("?diffusion_steps=0", "diffusion_steps"),
        ("?diffusion_steps=151", "diffusion_steps"),
        ("?diffusion_steps=many", "diffusion_steps"),
        ("?diffusion_steps=2&diffusion_steps=3", "diffusion_steps"),
        ("?diffusion_steps=2&size=64", "size"),
    ],
)
def test_invalid_steps_are_named_and_change_nothing(
    service: Service, engine: FakeEngine, call: str, query: str, named: str
) -> None:
    answer = service.client.post(call + query)
    assert (answer.status_code, answer.json()["error"], answer.json()["parameter"]) == (422, "bad_parameter", named)
    service.image(size=128)
    assert [image_request.steps for image_request in engine.image_requests] == [100, 27]


def test_the_painter_draws_exactly_its_parameters() -> None:
    drawn: list[int] = []

    class Counting(np.random.Generator):
        def normal(self, *arguments: Any, **named: Any) -> Any:
            numbers = super().normal(*arguments, **named)
            drawn.append(numbers.size)
            return numbers

    cppn(Counting(np.random.PCG64(1)), 8, 8)
    assert sum(drawn) > 0
    stats = Painter().stats()
    assert (stats.base_parameters, stats.upsample_parameters) == (sum(drawn), 0)
    assert (stats.gpu_allocated_bytes, stats.gpu_reserved_bytes) == (0, 0)


def test_an_engine_that_raises_fails_only_its_call(service: Service) -> None:
    answer = service.image(prompt="raise")
    assert answer.status_code == 500
    assert answer.json() == {"error": "engine_failed", "message": "the engine failed"}
    assert service.image().status_code == 200


@pytest.mark.parametrize("prompt", ["hang", "wait"])
def test_a_call_that_takes_too_long_times_out(serve: Serve, engine: FakeEngine, clock: Clock, prompt: str) -> None:
    service = serve(job_timeout_s=600)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(service.image, prompt=prompt)
        until(lambda: engine.image_requests, "the engine works", PATIENCE_S, 0.01)
        clock.now = 601
        answer = call.result(PATIENCE_S)
    assert answer.status_code == 504
    assert answer.json() == {"error": "took_too_long", "message": "the job took too long"}
    assert service.image().status_code == 200


def test_a_full_queue_refuses_requests(serve: Serve, engine: FakeEngine) -> None:
    service = serve(max_queue=1)
    service.until(service.start(prompt="wait"), "processing")
    service.start()
    answer = service.image()
    assert (answer.status_code, answer.json()["error"]) == (503, "queue_full")
    assert int(answer.headers["retry-after"]) > 0
    engine.go.set()


def test_both_protocols_share_the_queue_and_results_are_kept(serve: Serve) -> None:
    service = serve(keep_count=1)
    number = service.start()
    service.until(number, "finished")
    for _ in range(3):
        assert service.image().status_code == 200
    assert service.status(number) == "finished"
    counts = service.client.get("/health").json()
    assert (counts["queue"], counts["processing"]) == (0, 0)


class Caller:
    """One call over a separate socket, which can be closed."""

    def __init__(self, address: str, query: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
        self.connection.request("GET", f"/image?size=64&prompt={query}")

    def hang_up(self) -> None:
        self.connection.close()


def ask(address: str, path: str, fields: dict[str, object] | None = None, **headers: str) -> tuple[int, object]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
    try:
        body = None if fields is None else json.dumps(fields)
        connection.request("GET" if fields is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def until_busy(address: str, processing: int, queue: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        _, health = ask(address, "/health")
        assert isinstance(health, dict)
        if (health["processing"], health["queue"]) == (processing, queue):
            return
    raise AssertionError(f"stayed at {health}")


def test_disconnecting_ends_the_job(listen: Listen, engine: FakeEngine) -> None:
    address = listen()
    painting = Caller(address, "wait")
    # A worker counts as busy before its engine has started; a disconnect then means that the engine is never called.
    assert engine.waiting.wait(PATIENCE_S)
    until_busy(address, 1, 0)
    waiting = Caller(address, "later")
    until_busy(address, 1, 1)
    waiting.hang_up()
    until_busy(address, 1, 0)
    painting.hang_up()
    until_busy(address, 0, 0)
    assert engine.stopped.wait(PATIENCE_S)
    assert [image_request.prompt for image_request in engine.image_requests] == ["wait"]


def test_many_waiting_calls_do_not_block_other_calls(listen: Listen, engine: FakeEngine) -> None:
    address = listen()
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(ask, address, f"/image?size=64&batch_size=2&prompt=wait{k}") for k in range(50)]
        until_busy(address, 1, 49)
        _, number = ask(address, "/initiate_processing", {"prompt": "a picture", "width": 64, "height": 64, "ups": 1})
        assert ask(address, "/check_status", {"id": number}) == (200, "queue position: 50")
        engine.go.set()
        answers = [call.result(PATIENCE_S) for call in calls]
    assert [status for status, _ in answers] == [200] * 50
    assert len({body["image"] for _, body in answers if isinstance(body, dict)}) > 1


def test_stopping_the_service_ends_awaited_jobs(engine: FakeEngine) -> None:
    running, closing = threading.Event(), threading.Event()

    def work(_: Engine, progress: JobProgress) -> Results:
        running.set()
        closing.wait(PATIENCE_S)
        progress(0.5)
        raise AssertionError("the progress of a closed queue stops the work")

    queue = JobQueue(ThreadEnginePool(engine), Bounds())
    queue.start()
    jobs = [queue.submit_awaited(work), queue.submit_awaited(work)]
    assert running.wait(PATIENCE_S)
    queue.close()
    closing.set()
    for job in jobs:
        assert job.outcome is not None
        failure = job.outcome.exception(PATIENCE_S)
        assert isinstance(failure, JobFailed)
        assert failure.reason is FailureReason.CLOSED
    with pytest.raises(QueueFull):
        queue.submit_awaited(work)


def test_health_shows_the_limits(service: Service) -> None:
    glide = service.client.get("/health").json()["glide"]
    assert glide["sizes"] == SIZES
    assert (glide["batch_size_max"], glide["diffusion_steps_max"]) == (8, 150)
