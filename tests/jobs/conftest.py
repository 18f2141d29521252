import pytest
from world import World

from shared.polling import Poller
from shared.services import Services


@pytest.fixture
def world(services: Services, poller: Poller) -> World:
    return World(services, poller)
