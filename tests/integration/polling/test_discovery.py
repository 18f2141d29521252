"""Several generators behind one name: each address takes separate jobs and is polled only for those."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from shared.generators import connect
from shared.generators.addresses import GeneratorAddress, parse_addresses
from shared.generators.base import Generator
from shared.generators.discovery import KEPT_S, LOOKUP_S, MOST, Discovery, look_up
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.poller import Poller
from tests.support.world import World

NAME = "img_generator+http://user:secret@painters:2020/api?each_address=1&max_in_flight=2"


@dataclass
class NameService:
    """Answers with `addresses`, which the tests change, and counts the queries. None means that it is down."""

    addresses: list[str] | None = field(default_factory=list)
    asked: int = 0
    now: float = 1000.0

    def look_up(self, host: str, port: int) -> list[str]:
        assert (host, port) == ("painters", 2020)
        self.asked += 1
        if self.addresses is None:
            raise socket.gaierror("no answer")
        return self.addresses

    def discovery(self) -> Discovery:
        return Discovery(self.look_up, lambda: self.now)


@pytest.fixture
def names() -> NameService:
    return NameService(["10.0.0.1", "10.0.0.2"])


@pytest.fixture
def fakes() -> Iterator[dict[str, FakeGenerator]]:
    with ExitStack() as stack:
        hosts = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
        yield {host: stack.enter_context(FakeGenerator(plan=Plan(polls=1))) for host in hosts}


@pytest.fixture
def crowd(world: World, names: NameService, fakes: dict[str, FakeGenerator]) -> Poller:
    """Return a poller for which the name's addresses lead to the fakes."""

    def connected(address: GeneratorAddress) -> Generator:
        return connect(fakes[urlsplit(address.url).hostname or ""].address)

    return Poller(world.services, parse_addresses(NAME), connected, discovery=names.discovery())


def registered(world: World) -> list[str]:
    return [row.name for row in world.sql("SELECT name FROM generators ORDER BY name")]


def test_every_address_is_a_generator_with_the_same_slots_and_password(names: NameService) -> None:
    first, second = names.discovery().expand(parse_addresses(NAME))
    assert first == GeneratorAddress("img_generator", "http://user:secret@10.0.0.1:2020/api", 2)
    assert (second.name, second.max_in_flight) == ("http://10.0.0.2:2020/api", 2)


def test_other_entries_are_unchanged(names: NameService) -> None:
    names.addresses = ["fd00::7"]
    found = names.discovery().expand(parse_addresses(f"{NAME},glide+http://painters:2020"))
    assert [address.name for address in found] == ["http://[fd00::7]:2020/api", "http://painters:2020"]


def test_jobs_are_distributed_and_each_generator_is_polled_for_its_own(
    world: World, crowd: Poller, fakes: dict[str, FakeGenerator]
) -> None:
    jobs = [world.submit(world.user()) for _ in range(4)]
    world.finish(*jobs, poller=crowd)
    assert {world.state(job_id) for job_id in jobs} == {"succeeded"}
    assert [fakes[host].counts["initiated"] for host in sorted(fakes)] == [2, 2, 0]
    assert {world.row(job_id).attempts for job_id in jobs} == {1}


def test_a_new_address_is_found_at_the_next_sweep(world: World, crowd: Poller, names: NameService) -> None:
    crowd.sweep()
    assert registered(world) == ["http://10.0.0.1:2020/api", "http://10.0.0.2:2020/api"]
    names.addresses = ["10.0.0.2", "10.0.0.3"]
    names.now += LOOKUP_S
    crowd.sweep()
    assert registered(world) == [f"http://10.0.0.{number}:2020/api" for number in (1, 2, 3)]


def test_a_removed_address_is_dropped_and_its_job_moves(
    world: World, crowd: Poller, names: NameService, fakes: dict[str, FakeGenerator]
) -> None:
    names.addresses = ["10.0.0.1"]
    job_id = world.submit(world.user())
    crowd.sweep()
    world.step(job_id, crowd)
    assert world.row(job_id).generator == "http://10.0.0.1:2020/api"
    names.addresses = ["10.0.0.2"]
    names.now += KEPT_S + LOOKUP_S
    crowd.sweep()
    assert registered(world) == ["http://10.0.0.2:2020/api"]
    world.finish(job_id, poller=crowd)
    assert world.state(job_id) == "succeeded"
    assert fakes["10.0.0.2"].counts["initiated"] == 1


def test_an_unavailable_name_service_changes_nothing(world: World, crowd: Poller, names: NameService) -> None:
    crowd.sweep()
    names.addresses = None
    for _ in range(3):
        names.now += KEPT_S
        crowd.sweep()
    assert len(registered(world)) == 2


def test_answers_are_cached_for_a_while_and_expire(names: NameService) -> None:
    discovery, addresses = names.discovery(), parse_addresses(NAME)
    for _ in range(5):
        discovery.expand(addresses)
    assert names.asked == 1
    names.addresses = [f"10.0.{number // 256}.{number % 256}" for number in range(1000)]
    names.now += LOOKUP_S
    assert len(discovery.expand(addresses)) == MOST


def test_the_real_resolver_knows_this_machine() -> None:
    assert "127.0.0.1" in look_up("localhost", 80)
    with pytest.raises(OSError, match=r"."):
        look_up("painters.invalid", 80)
