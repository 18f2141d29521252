"""Addresses of the public internet, and the look-up of names that must lead only there."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")


class NotPublic(Exception):
    """A name leads to an address that is not public."""


def is_public(address: str) -> bool:
    """Return whether an IP address, with or without a zone, is reachable from the whole internet.

    An IPv6 address that contains an IPv4 address is judged by both.
    """
    parsed = ip_address(address.partition("%")[0])
    return all(part.is_global and not part.is_multicast for part in (parsed, *_inner(parsed)))


def look_up_public(host: str, port: int) -> list[str]:
    """Return the IP addresses of a host in the resolver's order. A caller connects to these, not to the name.

    Raises:
        NotPublic: One of them is not public.
        OSError: The name is unknown.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(map(is_public, addresses)):
        raise NotPublic
    return addresses


def _inner(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [part for part in inner if part is not None]
