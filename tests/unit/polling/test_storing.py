"""Storing a picture: its thumbnail meanwhile, and nothing more once it has failed."""

import hashlib
import io
import threading
from typing import cast

import pytest
from PIL import Image

from shared.clients.storage import Storage
from shared.core.errors import Unavailable
from shared.generators.base import Capabilities, Result
from shared.images import codec
from shared.jobs.requests import generation_request
from shared.polling.storing import Storing
from tests.unit.polling.test_steps import SENT

PATIENCE_S = 20


class Kept:
    """A storage that keeps the objects; `thumbnail` is set once one was sent, which `refuses` refuses."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.thumbnail = threading.Event()
        self.refuses = refuses

    def put(self, key: str, data: bytes, content_type: str) -> str:
        if content_type == "image/webp":
            self.thumbnail.set()
            if self.refuses:
                raise Unavailable("The storage cannot be reached.")
        self.objects[key] = data
        return hashlib.md5(data, usedforsecurity=False).hexdigest()


class SlowEncoder:
    """Encodes a PNG only once the thumbnail was sent."""

    def __init__(self, kept: Kept) -> None:
        self.kept, self.encode, self.ended = kept, codec.encode_png, threading.Event()

    def __call__(self, image: Image.Image, recipe: codec.Recipe) -> bytes:
        assert self.kept.thumbnail.wait(PATIENCE_S)
        png = self.encode(image, recipe)
        self.ended.set()
        return png


def store(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> tuple[Storing, SlowEncoder]:
    encoder = SlowEncoder(kept)
    monkeypatch.setattr(codec, "encode_png", encoder)
    request = generation_request(SENT.prompt, SENT.settings, source_images=(), key="k")
    return Storing(SENT, cast(Storage, kept), "img_generator", request), encoder


def result() -> Result:
    file = io.BytesIO()
    Image.new("RGB", (512, 512), "navy").save(file, "PNG")
    return Result(images=(file.getvalue(),))


def test_the_thumbnail_is_stored_while_the_picture_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    storing, _ = store(kept, monkeypatch)
    storing.add(storing.request, result(), Capabilities())
    [image] = storing.finish()
    assert list(kept.objects) == [image.thumbnail_key, image.key]
    assert image.size_bytes == len(kept.objects[image.key])


def test_a_step_that_fails_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(refuses=True)
    storing, encoder = store(kept, monkeypatch)
    with pytest.raises(Unavailable):
        storing.add(storing.request, result(), Capabilities())
    assert encoder.ended.is_set()
    assert kept.objects == {}
