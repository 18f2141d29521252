"""Finding the generators behind one name, as when a container platform runs several of them under it.

A request is known only to the generator that accepted it, so a name that leads to another generator with each
connection cannot be used as one. Each of its addresses is therefore a separate generator.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from shared.generators.addresses import GeneratorAddress

LOOKUP_S = 1.0
"""How old an answer of the name service may be."""

KEPT_S = 30.0
"""How long an address is kept that the name service no longer returns. Some return a few of many addresses at a time,
and a generator that is really gone gets no jobs after its first failure."""

MOST = 64
"""Addresses of one name that are used; a wrong record must not fill the table."""

_log = logging.getLogger(__name__)


def look_up(host: str, port: int) -> list[str]:
    """Return the IP addresses behind a host name. Raises OSError when there are none. The resolver limits the time."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


@dataclass
class Discovery:
    """The addresses behind names, as far as this process knows. Threads may share it."""

    look_up: Callable[[str, int], list[str]] = look_up
    clock: Callable[[], float] = time.monotonic
    _seen: dict[GeneratorAddress, dict[GeneratorAddress, float]] = field(default_factory=dict)
    _looked: dict[GeneratorAddress, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expand(self, addresses: Sequence[GeneratorAddress]) -> tuple[GeneratorAddress, ...]:
        """Return the configured generators, with each `each_address` name replaced by the addresses behind it."""
        by_name: dict[str, GeneratorAddress] = {}
        for address in addresses:
            for found in self._behind(address) if address.each_address else (address,):
                by_name.setdefault(found.name, found)
        return tuple(by_name.values())

    def _behind(self, address: GeneratorAddress) -> list[GeneratorAddress]:
        with self._lock:
            now = self.clock()
            seen = self._seen.setdefault(address, {})
            if now - self._looked.get(address, float("-inf")) >= LOOKUP_S:
                self._looked[address] = now
                try:
                    seen.update(dict.fromkeys(self._ask(address), now))
                except OSError:
                    # The name service does not answer: keep what it returned last.
                    seen.update(dict.fromkeys(seen, now))
                    _log.warning("the name of a generator cannot be looked up: %s", address.name)
                for lost in [found for found, at in seen.items() if now - at > KEPT_S]:
                    del seen[lost]
            return list(seen)[:MOST]

    def _ask(self, address: GeneratorAddress) -> Iterator[GeneratorAddress]:
        parts = urlsplit(address.url)
        account, at, _ = parts.netloc.rpartition("@")
        port = parts.port or 80
        for ip in self.look_up(parts.hostname or "", port):
            host = f"[{ip}]" if ":" in ip else ip
            url = parts._replace(netloc=f"{account}{at}{host}:{port}").geturl()
            yield replace(address, url=url, each_address=False)
