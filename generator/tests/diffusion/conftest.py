"""Tiny models for the tests of the diffusion engine, which test_generator_diffusion.py runs in its environment."""

from importlib.util import find_spec
from pathlib import Path

import pytest

collect_ignore_glob = [] if find_spec("torch") else ["*.py"]

if find_spec("torch"):
    import tiny_models
    from tiny_models import ADAPTERS

    from generator.engines.diffusion.record import Record
    from generator.engines.diffusion.studio import Studio

    @pytest.fixture(scope="session")
    def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
        """Save one model of each kind; the folders are not to be changed."""
        folder = tmp_path_factory.mktemp("models")
        return {kind: tiny_models.save(folder / kind, kind) for kind in ("plain", "large", "turbo", "few steps")}

    @pytest.fixture(scope="session")
    def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
        return Record(tmp_path_factory.mktemp("record") / "record.json")

    @pytest.fixture(scope="session")
    def studio(models: dict[str, Path], record: Record) -> Studio:
        """Load the plain model once; its loop serves all tests."""
        return Studio(str(models["plain"]), exact=True, adapters=ADAPTERS, record=record)

    @pytest.fixture(autouse=True)
    def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Keep measurements out of the user's own cache."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
