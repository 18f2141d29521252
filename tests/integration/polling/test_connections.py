"""No connection to the database is held while another service is called."""

from collections.abc import Collection

import pytest
from sqlalchemy import QueuePool

from shared.clients.storage import Storage
from shared.core import garbage
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Capabilities
from shared.generators.img_generator import ImgGenerator
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.poller import Poller
from tests.support.world import World


def connections_in_use(services: Services) -> int:
    pool = services.db._engine.pool
    assert isinstance(pool, QueuePool)
    return pool.checkedout()


class Killed(BaseException):
    """Raised where a worker is killed."""


def discard(world: World, prefix: str) -> None:
    with world.services.db.begin() as connection:
        garbage.discard(connection, prefix)


def store(world: World, *keys: str) -> None:
    for key in keys:
        world.services.storage.put(key, b"x", "image/png")


def test_a_probe_holds_no_connection(world: World, generator: FakeGenerator) -> None:
    seen: list[int] = []

    class Probed(ImgGenerator):
        def health(self) -> Capabilities:
            seen.append(connections_in_use(world.services))
            return super().health()

    def connect(address: GeneratorAddress) -> Probed:
        return Probed(address)

    poller = Poller(world.services, (generator.address,), connect=connect)
    world.sql("UPDATE generators SET failures = 1, retry_at = clock_timestamp() - interval '1 s'")
    poller.sweep()
    assert seen == [0]
    assert world.sql("SELECT failures FROM generators") == [(0,)]
    poller.close_clients()


def test_the_garbage_collector_holds_no_connection(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    delete, sizes_bytes = Storage.delete_each, Storage.sizes_bytes

    def watched_delete(self: Storage, keys: Collection[str]) -> dict[str, str]:
        seen.append(connections_in_use(world.services))
        return delete(self, keys)

    def watched_sizes(self: Storage, prefix: str) -> dict[str, int]:
        seen.append(connections_in_use(world.services))
        return sizes_bytes(self, prefix)

    store(world, "jobs/a/0.png", "jobs/b/0.png")
    discard(world, "jobs/a/")
    discard(world, "jobs/b/")
    monkeypatch.setattr(Storage, "delete_each", watched_delete)
    monkeypatch.setattr(Storage, "sizes_bytes", watched_sizes)
    assert world.poller.collect() == 2
    assert seen == [0] * 3
    assert world.garbage() == set()


def test_garbage_of_a_killed_collector_is_retried(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store(world, "jobs/a/0.png", "jobs/a/1.png")
    discard(world, "jobs/a/")

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete_each", kill)
        with pytest.raises(Killed):
            world.poller.collect()
    assert world.garbage() == {"jobs/a/"}
    assert world.poller.collect() == 0, "its lease has not expired"
    world.sql("UPDATE garbage SET due_at = due_at - interval '301 s'")
    assert world.poller.collect() == 2
    assert world.garbage() == set()


def test_garbage_that_is_discarded_again_while_it_is_collected_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(world, "jobs/a/0.png")
    discard(world, "jobs/a/")
    delete = Storage.delete_each

    def discard_again(self: Storage, keys: Collection[str]) -> dict[str, str]:
        refused = delete(self, keys)
        store(world, "jobs/a/1.png")
        discard(world, "jobs/a/")
        return refused

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete_each", discard_again)
        assert world.poller.collect() == 1
    assert world.garbage() == {"jobs/a/"}
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    assert world.poller.collect() == 1
