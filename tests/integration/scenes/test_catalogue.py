"""Importing a folder of scenes: all or nothing, twice the same, and what is replaced is deleted."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.core.errors import NotFound, Unavailable
from shared.images.png import PNG_SIGNATURE
from shared.polling import garbage
from shared.scenes import catalogue, store
from shared.scenes.catalogue import Imported
from shared.scenes.folder import FolderError, read_folder
from shared.scenes.starter_set import STARTER, import_starter
from shared.services import Services
from tests.support import scene_folder
from tests.support.scene_folder import picture
from tests.support.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return scene_folder.write(tmp_path / "scenes")


@pytest.fixture
def bring(world: World, folder: Path) -> Callable[[], Imported]:
    for key in world.services.storage.sizes_bytes("scenes/"):
        world.services.storage.delete([key])
    return scene_folder.importer(world.services, folder)


def places(services: Services) -> list[store.Place]:
    with services.db.statement() as connection:
        return store.list_places(connection)


def actions(services: Services) -> list[store.Action]:
    with services.db.statement() as connection:
        return store.list_actions(connection)


def test_a_folder_becomes_the_catalogue(world: World, bring: Callable[[], Imported]) -> None:
    assert bring() == Imported(added=5, changed=0, same=0)
    beach, park = places(world.services)
    assert (beach.key, beach.names) == ("beach", store.Names("Beach", "Пляж"))
    assert [(one.index, one.description) for one in park.pictures] == [
        (0, "in a green park"),
        (1, "in a park in autumn"),
    ]
    reading, running, waving = actions(world.services)
    assert [one.shot for one in reading.shots] == ["CLS", "MES", "FUS"]
    assert (running.key, waving.descriptions.ru) == ("running", "машет поднятой рукой")
    stored = world.services.storage.sizes_bytes("scenes/")
    assert len(stored) == 3 * 2 + 9 * 4, (
        "a picture and a thumbnail for each place, three pictures and one for each shot"
    )


def test_the_same_folder_changes_nothing(world: World, bring: Callable[[], Imported]) -> None:
    bring()
    before = places(world.services), actions(world.services), world.services.storage.sizes_bytes("scenes/")
    assert bring() == Imported(added=0, changed=0, same=5)
    assert before == (places(world.services), actions(world.services), world.services.storage.sizes_bytes("scenes/"))
    assert world.sql("SELECT FROM place_pictures WHERE retired_at IS NOT NULL") == []


def test_what_is_replaced_is_deleted_with_its_objects(
    world: World, bring: Callable[[], Imported], folder: Path
) -> None:
    bring()
    [old] = [one.id for one in places(world.services)[0].pictures]
    (folder / "places" / "beach" / "1.png").write_bytes(picture(200))
    assert bring() == Imported(added=0, changed=1, same=4)
    [new] = [one.id for one in places(world.services)[0].pictures]
    assert old != new
    assert garbage.count_waste(world.services).retired.scene_pictures == 0
    garbage.retire(world.services)
    assert world.garbage() == set(), "a submit may have chosen it just before"
    world.sql("UPDATE place_pictures SET retired_at = retired_at - interval '2 hours' WHERE retired_at IS NOT NULL")
    counted = garbage.count_waste(world.services).retired
    assert counted.scene_pictures == 1
    assert garbage.retire(world.services) == counted
    assert world.garbage() == {f"scenes/{old}/"}
    garbage.empty_garbage(world.services)
    assert world.services.storage.sizes_bytes(f"scenes/{old}/") == {}
    assert len(world.services.storage.sizes_bytes(f"scenes/{new}/")) == 2


def test_fewer_pictures_and_other_words(world: World, bring: Callable[[], Imported], folder: Path) -> None:
    bring()
    words = scene_folder.WORDS.replace(', "in a park in autumn"', "").replace('"Running"', '"Jogging"')
    (folder / "scenes.toml").write_text(words, encoding="utf-8")
    assert bring() == Imported(added=0, changed=2, same=3)
    assert [one.index for one in places(world.services)[1].pictures] == [0]
    assert actions(world.services)[1].names.en == "Jogging"


def test_entries_that_a_folder_leaves_out_stay_and_can_be_removed(
    world: World, bring: Callable[[], Imported], folder: Path
) -> None:
    bring()
    (folder / "scenes.toml").write_text(scene_folder.WORDS.partition("[[actions]]")[0], encoding="utf-8")
    assert bring() == Imported(added=0, changed=0, same=2)
    assert len(actions(world.services)) == 3
    catalogue.remove(world.services, "action", "running")
    catalogue.remove(world.services, "place", "park")
    assert [one.key for one in actions(world.services)] == ["reading", "waving"]
    assert [one.key for one in places(world.services)] == ["beach"]
    with pytest.raises(NotFound):
        catalogue.remove(world.services, "place", "park")


def test_a_storage_that_fails_leaves_the_catalogue_as_it_was(
    world: World, bring: Callable[[], Imported], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring()
    before = places(world.services)
    for name in ("beach/1.png", "park/1.png"):
        (folder / "places" / name).write_bytes(picture(220))
    put = world.services.storage.put
    calls: list[str] = []

    def fail(key: str, data: bytes, content_type: str) -> str:
        calls.append(key)
        if len(calls) == 3:
            raise Unavailable("The storage is away.")
        return put(key, data, content_type)

    monkeypatch.setattr(world.services.storage, "put", fail)
    with pytest.raises(Unavailable):
        bring()
    assert places(world.services) == before


def test_objects_of_no_picture_are_found(world: World, bring: Callable[[], Imported]) -> None:
    bring()
    world.services.storage.put("scenes/00000000-0000-4000-8000-000000000000/pose.png", b"1", "image/png")
    kept = world.services.storage.sizes_bytes("scenes/")
    entries = [entry for page in world.services.storage.pages("scenes/") for entry in page]
    wanted = garbage._wanted(world.services, entries)
    assert kept.keys() - wanted == {"scenes/00000000-0000-4000-8000-000000000000/pose.png"}


def bomb() -> bytes:
    """Return the beginning of a PNG whose header names 30,000 pixels a side."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return PNG_SIGNATURE + struct.pack(">I", len(header)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0" * 64


READING = "actions/reading"


WRONG: list[tuple[str, bytes | None, str]] = [
    (f"{READING}/CLS-pose_mask.png", None, "CLS-pose_mask is missing"),
    (f"{READING}/FUS-face_mask.png", None, "FUS-face_mask is missing"),
    ("places/beach/1.png", None, "beach/1 is missing"),
    (f"{READING}/MES-pose_mask.png", picture(0, box=(1, 1, 9, 9), size=(72, 64)), "another size than the pose"),
    ("places/beach/1.png", picture(9, size=(128, 64)), "all need the same size"),
    ("places/beach/1.png", picture(9, size=(60, 64)), "multiples of 8"),
    ("places/beach/1.png", picture(9, size=(32, 32)), "64 to 2048 pixels"),
    (f"{READING}/MES-face_mask.png", picture(0), "shows nothing white"),
    ("places/beach/1.png", bomb(), "million pixels"),
    ("places/beach/1.png", b"GIF89a", "not a PNG, JPEG or WebP"),
    ("places/beach/1.png", picture(9)[:60], "broken"),
    ("scenes.toml", b"[[places]]\nkey = 'a'", "places.0.en"),
    ("scenes.toml", b"[[places", "is not TOML"),
    ("scenes.toml", b"\xff", "is not TOML"),
    ("scenes.toml", None, "cannot be read"),
    ("scenes.toml", b"", "lists no place and no action"),
    ("scenes.toml", scene_folder.WORDS.replace('"park"', '"../park"').encode(), "places.0.key"),
    ("scenes.toml", scene_folder.WORDS.replace('"park"', '"beach"').encode(), "listed twice"),
    ("scenes.toml", scene_folder.WORDS.replace("in a green park", "x" * 301).encode(), "places.0.pictures.0"),
    ("scenes.toml", (scene_folder.WORDS + "\n[other]\n").encode(), "other"),
]  # fmt: skip


def test_a_folder_that_is_wrong_is_refused_before_anything_is_written(
    world: World, bring: Callable[[], Imported], folder: Path
) -> None:
    bring()
    before = places(world.services), actions(world.services), world.services.storage.sizes_bytes("scenes/")
    (folder / "places" / "park" / "1.png").write_bytes(picture(1))
    for name, content, message in WRONG:
        right = (folder / name).read_bytes()
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
        with pytest.raises(FolderError, match=message):
            bring()
        (folder / name).write_bytes(right)
    assert before == (places(world.services), actions(world.services), world.services.storage.sizes_bytes("scenes/"))


def test_all_entries_of_the_catalogue_have_one_size(
    world: World, bring: Callable[[], Imported], tmp_path: Path
) -> None:
    bring()
    other = tmp_path / "other"
    (other / "places" / "hall").mkdir(parents=True)
    (other / "places" / "hall" / "1.png").write_bytes(picture(5, size=(128, 128)))
    (other / "scenes.toml").write_text('[[places]]\nkey = "hall"\nen = "a"\nru = "b"\npictures = ["in a hall"]\n')
    with pytest.raises(FolderError, match="beach with 64x64 pixels"):
        scene_folder.importer(world.services, other)()


def test_what_comes_with_easel_can_be_imported(world: World, bring: Callable[[], Imported]) -> None:
    found = read_folder(STARTER)
    assert (len(found.places), len(found.actions), found.size) == (4, 6, (512, 512))
    assert import_starter(world.services)
    assert not import_starter(world.services), "only into an empty catalogue"
    assert catalogue.import_folder(world.services, found) == Imported(added=0, changed=0, same=10)
    size_bytes = sum(path.stat().st_size for path in STARTER.rglob("*") if path.is_file())
    assert size_bytes < 600_000
