"""A reference generator that trains, beside the tests' database and storage."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.generators.known_models import KnownModels
from shared.services import Services
from tests.support.photos import Sitter
from tests.support.poller import Poller
from tests.support.training_generator import training_generator
from tests.support.world import World


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("teacher")


@pytest.fixture(scope="module")
def teacher(teacher_folder: Path) -> Iterator[str]:
    with training_generator(teacher_folder) as address:
        yield address


@pytest.fixture
def signs(teacher_folder: Path) -> Path:
    """Return the folder of signs, in which trainings may go on."""
    folder = teacher_folder / "signs"
    for sign in ("go", "raise", "refuse"):
        (folder / sign).unlink(missing_ok=True)
    (folder / "go").touch()
    return folder


@pytest.fixture
def world(services: Services, teacher: str, signs: Path) -> Iterator[World]:
    """Return an empty Easel whose only generator trains."""
    assert signs.exists()
    poller = Poller(services, (GeneratorAddress("img_generator", teacher, max_in_flight=2),))
    poller.sweep()
    services.__dict__["models"] = KnownModels(services.db)
    yield World(services, poller)
    poller.close_clients()


@pytest.fixture
def sitter(world: World) -> Sitter:
    return Sitter(world)
