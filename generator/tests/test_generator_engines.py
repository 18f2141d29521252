"""Discovery of engines, and the example engine of docs/generator.md."""

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from engine_suite import EngineSuite, SceneSuite, TrainerSuite
from training_engine import Teacher, Teaching

from generator.engines.base import DescriptionOptions, Engine, ImageRequest
from generator.engines.registry import NoSuchEngine, find_engine, load_engine

DOCS = Path(__file__).parents[2] / "docs" / "generator.md"


def blocks(language: str) -> list[str]:
    """Return the documentation's code blocks in that language."""
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install the documented engine as a package into a folder; return its name."""
    [module] = [block for block in blocks("python") if "class Gradient" in block]
    [project] = [block for block in blocks("toml") if "easel.engines" in block]
    (folder / "gradient_engine.py").write_text(module)
    metadata = folder / "my_engine-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-engine\nVersion: 1.0\n")
    [(name, value)] = re.findall(r'^(\w+) = "(.+)"$', project, re.MULTILINE)
    (metadata / "entry_points.txt").write_text(f"[easel.engines]\n{name} = {value}\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "gradient_engine", raising=False)
    return str(name)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return install(tmp_path, monkeypatch)


class TestPainter(EngineSuite, SceneSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        return load_engine("painter")


class TestDocumentedEngine(EngineSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
        with pytest.MonkeyPatch.context() as patch:
            yield load_engine(install(tmp_path_factory.mktemp("engine"), patch))


class TestTeaching(SceneSuite):
    """The engine with which tests of the site make scenes."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Teaching:
        return Teaching()


class TestTeacher(TrainerSuite):
    """The trainer with which tests of the site make likenesses."""

    @pytest.fixture
    @classmethod
    def trainer(cls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Teacher:
        monkeypatch.setenv("SIGNS", str(tmp_path))
        (tmp_path / "go").touch()
        return Teacher()


def test_the_documented_engine_is_found_by_its_entry_point_and_works(installed: str) -> None:
    engine = load_engine(installed)
    reported: list[float] = []

    def report(done: float, snapshot: object = None) -> None:
        reported.append(done)

    request = ImageRequest("a gradient", "", 72, 64, steps=1, scale=7.5, seed=3)
    picture = engine.generate(request, report)
    assert (picture.shape, str(picture.dtype), reported) == ((64, 72, 3), "uint8", [1.0])
    assert (engine.generate(request, report) == picture).all()
    assert (engine.transform(picture, request, 0.0, report) == picture).all()
    assert engine.upscale(picture, 2, report).shape == (128, 144, 3)
    assert engine.describe(picture, None, DescriptionOptions(32, 16, False, ()))
    assert engine.stats().base_parameters == 0


def test_an_unknown_name_lists_the_installed_engines(installed: str) -> None:
    with pytest.raises(NoSuchEngine, match=f"choose one of diffusion, {installed}, painter, package.module:Class"):
        find_engine("no-such-engine")


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed in this environment")
def test_an_engine_whose_libraries_are_missing_says_how_to_get_them() -> None:
    with pytest.raises(NoSuchEngine, match="`make diffusion` builds an environment"):
        find_engine("diffusion")


def test_the_painter_is_an_engine_like_any_other() -> None:
    assert find_engine("painter").__module__.split(".")[0] == "easel_painter"
