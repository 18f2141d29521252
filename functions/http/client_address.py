"""The network that a request comes from, by which visitors without an account are told apart."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

from starlette.requests import Request

from shared.core.setting_types import Network, is_this_machine
from shared.core.settings import Settings

UNKNOWN = "unknown"
"""The network of all requests whose address cannot be read; they are counted together."""

_IPV6_PREFIX = 64
"""What one subscriber has at least, and can choose any address of."""

Address: TypeAlias = IPv4Address | IPv6Address


def client_network(request: Request, settings: Settings) -> str | None:
    """Return the client's IPv4 address or /64 network; None for this machine, if the site is for this machine only.

    The address is that of the connection (behind API Gateway its `sourceIp`). Only if that belongs to a trusted proxy,
    it is the last one in X-Forwarded-For that does not.
    """
    peer = request.client.host if request.client else ""
    address = _client(peer or "", request.headers.getlist("x-forwarded-for"), settings.trusted_proxies)
    if address is None:
        return UNKNOWN
    if address.is_loopback and is_this_machine(settings.public_host):
        return None
    return network_of(address)


def network_of(address: Address) -> str:
    """Return what one subscriber has: an IPv4 address, or a network of 64 bits."""
    return str(address) if address.version == 4 else str(ip_network((address, _IPV6_PREFIX), strict=False))


def _client(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    address = parse_address(peer)
    hops = [hop for line in forwarded for hop in line.split(",")]
    while hops and address is not None and any(address in network for network in trusted):
        address = parse_address(hops.pop())
    return address


def parse_address(text: str) -> Address | None:
    """Read an address as proxies write it: in brackets, with a port, or an IPv4 address inside an IPv6 one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
