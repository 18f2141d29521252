"""A client of the server at `address`, which each suite chooses."""

from collections.abc import Iterator

import pytest

from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator


@pytest.fixture
def generator(address: GeneratorAddress) -> Iterator[Generator]:
    client = connect(address)
    yield client
    client.close()
