"""Origins as browsers write them, so that two can be compared as text.

localstack/provisioning has a copy of this file, since that folder is also used without the rest; a test compares them.
"""

import re
from ipaddress import IPv6Address
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK_NAMES = ("127.0.0.1", "localhost")


def canonical_origin(address: str) -> str:
    """Return an address's origin as browsers send it (RFC 6454): in lower case and ASCII, without a default port.

    Raises:
        ValueError: It has no origin, or an invalid host or port; the message does not repeat the address.
    """
    try:
        parts = urlsplit(address.strip())
        scheme, host, port = parts.scheme, _canonical_host(parts.hostname or ""), parts.port
    except ValueError:
        raise ValueError("holds an address that cannot be parsed.") from None
    if scheme not in DEFAULT_PORTS or not host:
        raise ValueError("holds an address without http:// or https:// and a host.")
    return f"{scheme}://{host}" + ("" if port in (None, DEFAULT_PORTS[scheme]) else f":{port}")


def origins_of(address: str) -> list[str]:
    """Return an address's origin; for this machine under both of its names, since people type either.

    Raises:
        ValueError: As for `canonical_origin`.
    """
    origin = canonical_origin(address)
    scheme, _, place = origin.partition("://")
    host, colon, port = place.partition(":")
    if host not in LOOPBACK_NAMES:
        return [origin]
    return [f"{scheme}://{name}{colon}{port}" for name in LOOPBACK_NAMES]


def _canonical_host(host: str) -> str:
    if ":" in host:
        return f"[{IPv6Address(host.partition('%')[0]).compressed}]"
    if not host.isascii():
        import idna  # its tables take 20 ms to load

        host = idna.encode(host, uts46=True).decode()
    if not re.fullmatch(r"[A-Za-z0-9._-]*", host):
        raise ValueError("a host has letters, digits, dots and hyphens")
    return host.lower()
