"""The functions' bundle for the Python version and processor of the test run, built once per run."""

import fcntl
import os
from pathlib import Path

import pytest

from infra.bundle import Bundle, build, read, this_target

TARGET = this_target()


def built_bundle(factory: pytest.TempPathFactory) -> Bundle:
    """Return the bundle, built once for all pytest workers."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = Path(folder) / "functions.zip"
    with (folder / "functions.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return read(path, TARGET) if path.exists() else build(TARGET, path)
