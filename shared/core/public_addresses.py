"""Kinds of internet addresses, and the look-up of names that must lead only to some of them."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")

_METADATA = (ip_address("fd00:ec2::254"), ip_address("fd20:ce::254"), ip_address("100.100.100.200"))
"""Where EC2, Google Cloud and Alibaba Cloud serve a machine's metadata beside 169.254.169.254, as they document it."""


class Refused(Exception):
    """A name leads to an address that must not be connected to."""


def is_public(address: str) -> bool:
    """Return whether an IP address, with or without a zone, is reachable from the whole internet.

    An IPv6 address that contains an IPv4 address is judged by both.
    """
    parsed = ip_address(address.partition("%")[0])
    return all(part.is_global and not part.is_multicast for part in (parsed, *_inner(parsed)))


def is_beyond_the_link(address: str) -> bool:
    """Return whether an IP address is none of the link alone.

    There clouds serve what a machine is and may do, its keys included, to every program on it. Machines that somebody
    gave an address, in a private network too, are beyond.
    """
    parsed = ip_address(address.partition("%")[0])
    return not any(part.is_link_local or part in _METADATA for part in (parsed, *_inner(parsed)))


def is_any(_address: str) -> bool:
    """Return True: no address is refused."""
    return True


def look_up(host: str, port: int, allowed: Callable[[str], bool]) -> list[str]:
    """Return the IP addresses of a host in the resolver's order. A caller connects to these, not to the name.

    Raises:
        Refused: One of them is not allowed.
        OSError: The name is unknown.
        UnicodeError: It can be no name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(map(allowed, addresses)):
        raise Refused
    return addresses


def _inner(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [part for part in inner if part is not None]
