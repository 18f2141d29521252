"""`easel presets`: the list of types and styles, and their examples made by the pipeline."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cli.exit_codes import ExitCode
from shared.admin import preset_examples
from shared.api.presets import STYLES, TYPES
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.easel_command import Easel, objects
from tests.support.paths import ROOT
from tests.support.world import World


def test_it_works(world: World, generator: FakeGenerator) -> None:
    names = ["style-banksy", "type-pixel_art"]
    made = dict(preset_examples.render(world.services, names, pause(world)))
    assert list(made) == names
    for example in made.values():
        with Image.open(io.BytesIO(example)) as picture:
            assert (picture.format, picture.size) == ("WEBP", (192, 120))
    [closed] = world.sql("SELECT deleted_at IS NOT NULL AS gone, email FROM users")
    assert closed.gone
    assert "presets-" not in closed.email


def pause(world: World) -> Callable[[], None]:
    """Return a function that does the steps that are due, as the site's poller does meanwhile."""

    def advance() -> None:
        world.hurry()
        for job_id in world.poller.sweep():
            world.poller.advance(job_id)

    return advance


def test_a_failed_job_ends_it_with_its_reason(world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(ending="error")
    with pytest.raises(preset_examples.ExampleFailed, match="style-oil: Given up after 3 attempts"):
        list(preset_examples.render(world.services, ["style-oil"], pause(world)))
    assert world.sql("SELECT count(*) FROM users WHERE deleted_at IS NULL") == [(0,)]


def test_lists_for_people_and_programs(easel: Easel) -> None:
    code, lines = easel("presets", "list")
    assert (code, len(lines)) == (ExitCode.DONE, len(TYPES) + len(STYLES))
    banksy = next(one for one in objects(easel, "presets", "list") if one["name"] == "style-banksy")
    assert (banksy["words"], banksy["strength"]) == (STYLES["banksy"].words, 0.6)


def test_wrong_names_and_folders_are_refused(easel: Easel, tmp_path: Path) -> None:
    assert easel("presets", "render", "style-nothing")[0] == ExitCode.USAGE_ERROR
    assert easel("presets", "render", "--out", str(tmp_path / "missing"))[0] == ExitCode.USAGE_ERROR


def test_every_type_and_style_has_its_example() -> None:
    folder = ROOT / "web" / "presets"
    assert {path.stem for path in folder.iterdir()} == set(preset_examples.list_names())
    for path in folder.iterdir():
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == ("WEBP", (192, 120)), path.name
        assert path.stat().st_size < 20_000, path.name
