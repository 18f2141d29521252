"""A client of the server at `address`, which each suite chooses."""

from collections.abc import Iterator

import pytest

from shared.generators import connect
from shared.generators.base import Generator, GeneratorAddress


@pytest.fixture
def generator(address: GeneratorAddress) -> Iterator[Generator]:
    client = connect(address)
    yield client
    client.close()
