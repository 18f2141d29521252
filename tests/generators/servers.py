"""Servers that keep a protocol, each as the address of its generator: the shipped fakes and the reference service."""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from shared.generators.base import GeneratorAddress
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from shared.testing.fake_glide import FakeGlide

Server = Callable[[], AbstractContextManager[GeneratorAddress]]


@contextmanager
def reference_service() -> Iterator[str]:
    """The URL of a reference service in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "generator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    stdout = process.stdout
    reader = threading.Thread(target=lambda: [lines.put(line) for line in stdout], daemon=True)
    reader.start()
    try:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", lines.get(timeout=60))):
            assert process.poll() is None
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
        reader.join(10)
        stdout.close()


@contextmanager
def fake_img_generator() -> Iterator[GeneratorAddress]:
    with FakeGenerator(plan=Plan(polls=2), extensions=ALL_EXTENSIONS) as fake:
        yield fake.address


@contextmanager
def fake_glide() -> Iterator[GeneratorAddress]:
    with FakeGlide() as fake:
        yield fake.address


def reference(protocol: str) -> Server:
    @contextmanager
    def serve() -> Iterator[GeneratorAddress]:
        with reference_service() as url:
            yield GeneratorAddress(protocol, url)

    return serve


IMG_GENERATORS = [
    pytest.param(fake_img_generator, id="img_generator-fake"),
    pytest.param(reference("img_generator"), id="img_generator-reference"),
]
GLIDES = [
    pytest.param(fake_glide, id="glide-fake"),
    pytest.param(reference("glide"), id="glide-reference"),
]
ALL = [*IMG_GENERATORS, *GLIDES]
