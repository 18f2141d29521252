"""The bundle as uploaded to Lambda."""

import zipfile
from pathlib import Path

import pytest

from infra.bundle import Bundle


@pytest.fixture(scope="session")
def unpacked(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(folder)
    return folder
