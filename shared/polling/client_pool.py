"""The clients of the configured generators, each made at its first use."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from shared.generators import connect
from shared.generators.abilities import assumed_follows, count_ignored
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Generator
from shared.generators.discovery import Discovery
from shared.polling.latency import Latency

PROBES = 16
"""How many generators a process asks for their health at once."""


@dataclass
class ClientPool:
    """A client for each generator behind the configured addresses. Threads may share it."""

    addresses: Sequence[GeneratorAddress]
    connect: Callable[[GeneratorAddress], Generator] = connect
    discovery: Discovery = field(default_factory=Discovery)
    latency: Latency = field(default_factory=Latency)
    _clients: dict[str, Generator] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare the threads that ask generators for their health; they start with the first question."""
        self.probes = ThreadPoolExecutor(PROBES, "probe")

    def list_addresses(self) -> tuple[GeneratorAddress, ...]:
        """Return the address of every generator that is configured or was found now."""
        return self.discovery.expand(self.addresses)

    def list_names(self) -> list[str]:
        """Return the names of these generators."""
        return [address.name for address in self.list_addresses()]

    def count_ignored(self) -> dict[str, int]:
        """Return the names of these generators, each with how many settings it ignores, as far as is known."""
        return {
            address.name: count_ignored(address.protocol, self._follows(address)) for address in self.list_addresses()
        }

    def _follows(self, address: GeneratorAddress) -> frozenset[str]:
        client = self._clients.get(address.name)
        return client.capabilities.follows if client else assumed_follows(address)

    def find(self, name: str) -> tuple[Generator, GeneratorAddress] | None:
        """Return the client and the address of a generator; None when it is no longer configured."""
        address = next((address for address in self.list_addresses() if address.name == name), None)
        if address is None:
            return None
        if name not in self._clients:
            self._clients[name] = self.connect(address)
        return self._clients[name], address

    def forget_removed(self) -> None:
        """Drop the clients of generators that are gone. A thread that still works with one keeps it until then."""
        for gone in self._clients.keys() - set(self.list_names()):
            self._clients.pop(gone, None)

    def close(self) -> None:
        """Close every client's connections; a later use opens others. Questions under way end by themselves."""
        probes, self.probes = self.probes, ThreadPoolExecutor(PROBES, "probe")
        probes.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
