"""The bundle as Lambda gets it."""

import zipfile
from pathlib import Path

import pytest
from functions_bundle import built_bundle

from infra.bundle import Bundle


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return built_bundle(tmp_path_factory)


@pytest.fixture(scope="session")
def unpacked(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(folder)
    return folder
