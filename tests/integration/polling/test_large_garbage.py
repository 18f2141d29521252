"""A backlog of garbage is deleted as fast as the storage allows, within the time of a round."""

import threading
from collections.abc import Collection, Sequence

import pytest

from shared.clients.storage import Storage
from shared.core import garbage as discarding
from shared.core.errors import Unavailable
from shared.polling import garbage
from tests.support.world import World

SIDE_BY_SIDE_LIMIT_S = 30


@pytest.fixture
def prefixes(world: World) -> list[str]:
    """Discard prefixes with two objects each, in several batches."""
    prefixes = [f"jobs/{number}/" for number in range(2 * garbage.SIDE_BY_SIDE)]
    for prefix in prefixes:
        for name in ("0.png", "0.webp"):
            world.services.storage.put(prefix + name, b"x", "image/png")
    with world.services.db.begin() as connection:
        discarding.discard(connection, *prefixes)
    return prefixes


def test_a_backlog_is_deleted_in_one_round_with_few_requests(
    world: World, prefixes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listings run side by side: each waits until all that may run at once do. One request deletes many objects."""
    together = threading.Barrier(garbage.SIDE_BY_SIDE, timeout=SIDE_BY_SIDE_LIMIT_S)
    deleted: list[int] = []
    sizes_bytes, delete = Storage.sizes_bytes, Storage.delete_each

    def list_together(self: Storage, prefix: str) -> dict[str, int]:
        together.wait()
        return sizes_bytes(self, prefix)

    def count_deleted(self: Storage, keys: Collection[str]) -> dict[str, str]:
        deleted.append(len(keys))
        return delete(self, keys)

    monkeypatch.setattr(Storage, "sizes_bytes", list_together)
    monkeypatch.setattr(Storage, "delete_each", count_deleted)
    monkeypatch.setattr(garbage, "GARBAGE_AT_ONCE", garbage.SIDE_BY_SIDE)
    assert garbage.empty_garbage(world.services, limit_s=SIDE_BY_SIDE_LIMIT_S).objects == 2 * len(prefixes)
    assert deleted == [2 * garbage.SIDE_BY_SIDE] * 2
    assert world.garbage() == set()


def test_a_round_ends_in_time_and_the_next_goes_on(
    world: World, prefixes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    sizes_bytes = Storage.sizes_bytes

    def list_one(self: Storage, prefix: str) -> dict[str, int]:
        asked.append(prefix)
        return sizes_bytes(self, prefix)

    monkeypatch.setattr(Storage, "sizes_bytes", list_one)
    assert garbage.empty_garbage(world.services, limit_s=0).objects == 0
    assert asked == []
    stopped_after = 2 * garbage.SIDE_BY_SIDE - 3
    removed = garbage.empty_garbage(world.services, stop=lambda: len(asked) >= stopped_after).objects
    assert removed == 2 * len(asked)
    assert len(world.garbage()) == len(prefixes) - len(asked)
    assert garbage.count_waste(world.services).prefixes == len(world.garbage()), "what was not looked at stays due"
    assert garbage.empty_garbage(world.services).objects + removed == 2 * len(prefixes)
    assert world.garbage() == set()


def test_a_refused_page_keeps_its_prefixes(
    world: World, prefixes: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage answers, but not to this request: its prefixes are due again in minutes, none is forgotten."""

    def refuse(_self: Storage, _keys: Collection[str]) -> dict[str, str]:
        raise Unavailable("The storage does not allow this.")

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete_each", refuse)
        assert garbage.empty_garbage(world.services) == garbage.Removed()
    assert world.garbage() == set(prefixes)
    assert garbage.count_waste(world.services).prefixes == 0
