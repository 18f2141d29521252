"""Servers of each protocol, as generator addresses: the shipped fakes and the reference service."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from shared.testing.fake_glide import FakeGlide
from shared.testing.fake_horde import FakeHorde
from shared.testing.fake_openai import FakeOpenAi
from shared.testing.fake_sdapi import FakeSdapi
from tests.support.reference_generator import reference_generator

Server = Callable[[], AbstractContextManager[GeneratorAddress]]


@contextmanager
def fake_img_generator() -> Iterator[GeneratorAddress]:
    with FakeGenerator(plan=Plan(polls=2), extensions=ALL_EXTENSIONS) as fake:
        yield fake.address


@contextmanager
def fake_glide() -> Iterator[GeneratorAddress]:
    with FakeGlide() as fake:
        yield fake.address


@contextmanager
def fake_sdapi() -> Iterator[GeneratorAddress]:
    with FakeSdapi() as fake:
        yield fake.address


@contextmanager
def fake_horde() -> Iterator[GeneratorAddress]:
    with FakeHorde(polls=2) as fake:
        yield fake.address


def fake_openai(**ways: Any) -> Server:
    @contextmanager
    def serve() -> Iterator[GeneratorAddress]:
        with FakeOpenAi(**ways) as fake:
            yield fake.address

    return serve


def reference(protocol: str) -> Server:
    @contextmanager
    def serve() -> Iterator[GeneratorAddress]:
        with reference_generator() as url:
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
SDAPIS = [pytest.param(fake_sdapi, id="sdapi-fake")]
HORDES = [pytest.param(fake_horde, id="horde-fake")]
UNKNOWN = ("seed", "negative_prompt", "num_inference_steps", "guidance_scale", "strength")
OPENAIS = [
    pytest.param(fake_openai(), id="openai-as-vllm"),
    pytest.param(fake_openai(owner="openai", refuses=(*UNKNOWN, "response_format")), id="openai-as-openai"),
    pytest.param(fake_openai(owner=None, default_format="url", refuses=["response_format"]), id="openai-as-localai"),
    pytest.param(fake_openai(owner="local", model="sd-cpp-local", errors="text"), id="openai-as-sd-server"),
    pytest.param(fake_openai(owner="xinference", default_format="url", errors="detail"), id="openai-as-xinference"),
    pytest.param(fake_openai(owner="custom", errors="problem", most_n=2), id="openai-as-other"),
]
ALL = [*IMG_GENERATORS, *GLIDES, *OPENAIS, *SDAPIS, *HORDES]
