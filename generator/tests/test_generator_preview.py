"""The extension `preview`: a status with a small picture of the work, only for clients that ask."""

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fake_engine import FakeEngine
from PIL import Image
from serving import PATIENCE_S, Service

from generator.engines.base import Pixels
from generator.previews import Preview, encode_preview
from tests.support.waiting import until


def ask(service: Service, number: int, **fields: object) -> dict[str, Any]:
    answer: dict[str, Any] = service.post("/check_status", id=number, preview=True, **fields).json()
    return answer


def until_previewed(service: Service, number: int) -> Image.Image:
    seen: list[str] = []

    def has_preview() -> bool:
        answer = ask(service, number)
        assert answer["status"].startswith(("queue", "processing")), answer
        seen.extend(filter(None, [answer.get("preview")]))
        return bool(seen)

    until(has_preview, "there is a preview", 6 * PATIENCE_S, 0.02)
    picture = Image.open(io.BytesIO(base64.b64decode(seen[0], validate=True)))
    picture.load()
    return picture


def test_the_painters_work_is_shown_while_it_paints(painting: Service) -> None:
    assert "preview" in painting.client.get("/health").json()["extensions"]
    number = painting.start(prompt="a castle by a lake", n=8, width=768, height=512, steps=150)
    picture = until_previewed(painting, number)
    assert (picture.format, picture.size) == ("WEBP", (256, 171))
    painting.post("/cancel", id=number)
    assert ask(painting, number) == {"status": "error"}


def test_without_the_request_the_status_is_a_word_and_no_picture_is_made(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Pixels) -> bytes:
        raise AssertionError("nobody asked")

    monkeypatch.setattr("thread_engine_pool.encode_preview", fail)
    number = service.start(prompt="x", steps=50)
    assert service.until(number, "finished", "error") == "finished"


def test_a_job_that_waits_has_no_preview_and_an_unknown_one_is_an_error(service: Service, engine: FakeEngine) -> None:
    running = service.start(prompt="wait")
    service.until(running, "processing")
    assert ask(service, service.start(prompt="wait")) == {"status": "queue position: 1"}
    assert service.post("/check_status", id=1, preview=True).status_code == 404
    assert service.post("/check_status", id=running, preview="maybe").json()["parameter"] == "preview"
    engine.go.set()


def test_there_is_at_most_one_a_second_and_each_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("generator.previews.time.monotonic", lambda: now)
    preview = Preview()
    assert not preview.take_request(), "nobody asked"
    assert preview.ask() is None
    assert [preview.take_request(), preview.take_request()] == [True, False]
    preview.put(b"1")
    assert [preview.ask(), preview.ask()] == [b"1", None]
    now = 100.9
    assert not preview.take_request()
    now = 101.0
    assert preview.take_request()
    preview.put(b"2")
    now = 106.5
    assert preview.ask() is None, "an old one is not shown"


@pytest.mark.parametrize("make", [np.zeros, lambda shape, kind: np.random.default_rng(1).integers(0, 256, shape, kind)])
def test_it_is_small_whatever_is_painted(make: Callable[[tuple[int, int, int], type[np.uint8]], Pixels]) -> None:
    data = encode_preview(make((2048, 1024, 3), np.uint8))
    assert len(data) < 50 * 1024
    assert Image.open(io.BytesIO(data)).size == (128, 256)
