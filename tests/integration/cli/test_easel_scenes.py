"""`easel scenes`: import, list and remove places and actions."""

from pathlib import Path

from cli.exit_codes import ExitCode
from tests.support import scene_folder
from tests.support.easel_command import Easel, objects
from tests.support.world import World


def test_it_works(world: World, easel: Easel, tmp_path: Path) -> None:
    assert easel("scenes", "list") == (ExitCode.DONE, ["The catalogue is empty; `easel scenes import` fills it."])
    folder = str(scene_folder.write(tmp_path / "scenes"))
    assert easel("scenes", "import", folder) == (
        ExitCode.DONE,
        ["5 places and actions are added, 0 changed, 0 as they were."],
    )
    assert easel("scenes", "import", folder)[1] == ["0 places and actions are added, 0 changed, 5 as they were."]
    assert easel("scenes", "import", "--if-empty")[1] == ["The catalogue has entries; nothing has changed."]
    code, lines = easel("scenes", "list")
    assert (code, len(lines)) == (ExitCode.DONE, 6)
    assert lines[2].split() == ["place", "park", "Park", "2", "64x64"]
    found = objects(easel, "scenes", "list")
    assert found[-1] == {"kind": "action", "key": "waving", "name": "Waving", "pictures": 3, "size": "64x64"}


def test_an_entry_is_removed_once(world: World, easel: Easel, tmp_path: Path) -> None:
    easel("scenes", "import", str(scene_folder.write(tmp_path / "scenes")))
    assert easel("scenes", "remove", "place", "park") == (ExitCode.DONE, ["The place park is removed."])
    assert easel("scenes", "remove", "place", "park")[0] == ExitCode.FAILED
    assert easel("scenes", "remove", "house", "park")[0] == ExitCode.USAGE_ERROR
    assert [one["key"] for one in objects(easel, "scenes", "list")] == ["beach", "reading", "running", "waving"]


def test_a_folder_that_is_wrong_is_named(world: World, easel: Easel, tmp_path: Path) -> None:
    code, lines = easel("scenes", "import", str(tmp_path / "missing"))
    assert code == ExitCode.FAILED
    assert "scenes.toml cannot be read" in " ".join(lines)
