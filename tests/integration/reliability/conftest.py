"""An empty bucket beside the empty database: the auditor names every object that no row knows."""

import pytest

from shared.services import Services
from tests.support.audit import objects


@pytest.fixture(autouse=True)
def empty_bucket(services: Services) -> None:
    services.storage.delete(objects.list_all(services.storage))
