"""Servers of each protocol, as generator addresses: the shipped fakes and the reference service."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from shared.testing.fake_glide import FakeGlide
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
ALL = [*IMG_GENERATORS, *GLIDES]
