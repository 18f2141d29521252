"""The client's network: the connection's address, or what trusted proxies say, and nothing that a client writes."""

import pytest
from starlette.requests import Request

from functions.http.client_address import UNKNOWN, client_network
from shared.core.settings import Settings

PROXY = "10.0.0.7"


def network(
    peer: str | None, *forwarded: str, trusted: str = "10.0.0.0/8", site: str = "https://easel.example.com"
) -> str | None:
    """Return the network of a request from this peer with these lines of X-Forwarded-For."""
    given = {
        "EASEL_DATABASE_URL": "postgresql://localhost/easel",
        "EASEL_BROKER_URL": "redis://localhost",
        "EASEL_TRUSTED_PROXIES": trusted,
        "EASEL_PUBLIC_URL": site,
    }
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "headers": headers, "client": None if peer is None else (peer, 4711)}
    return client_network(Request(scope), Settings.from_environment(given))


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8"])
def test_a_client_cannot_choose_its_address(trusted: str) -> None:
    assert network("203.0.113.9", "198.51.100.1", trusted=trusted) == "203.0.113.9"


def test_no_proxy_is_trusted_without_the_setting() -> None:
    assert network(PROXY, "203.0.113.9", trusted="") == PROXY


@pytest.mark.parametrize(
    "forwarded",
    [
        ("203.0.113.9",),
        ("198.51.100.1, 203.0.113.9",),
        ("198.51.100.1", "203.0.113.9"),
        ("nonsense, 203.0.113.9, 10.1.2.3",),
        ("203.0.113.9:55123",),
        ("::ffff:203.0.113.9",),
    ],
)
def test_the_last_address_that_is_no_trusted_proxy_counts(forwarded: tuple[str, ...]) -> None:
    assert network(PROXY, *forwarded) == "203.0.113.9"


def test_the_first_address_counts_if_all_are_trusted() -> None:
    assert network(PROXY, "10.9.9.9, 10.1.2.3") == "10.9.9.9"
    assert network(PROXY) == PROXY


@pytest.mark.parametrize("address", ["2001:db8:1:2:3:4:5:6", "[2001:db8:1:2::9]:443", "2001:db8:1:2::1%eth0"])
def test_an_ipv6_client_is_its_subscription(address: str) -> None:
    assert network(PROXY, address) == "2001:db8:1:2::/64"


@pytest.mark.parametrize("forwarded", ["unknown", "", "203.0.113.9, x", "1.2.3.4.5"])
def test_what_cannot_be_read_is_counted_together(forwarded: str) -> None:
    assert network(PROXY, forwarded) == UNKNOWN
    assert network(None) == UNKNOWN


@pytest.mark.parametrize(("site", "expected"), [("http://127.0.0.1:8080", None), ("https://easel.example.com", "")])
def test_only_a_site_of_this_machine_knows_it(site: str, expected: str | None) -> None:
    """Behind a proxy on the same machine that is not trusted, all visitors seem to come from this machine."""
    for peer in ("127.0.0.1", "::1"):
        found = network(peer, site=site)
        assert found is None if expected is None else found is not None
    assert network("203.0.113.9", site=site) == "203.0.113.9"
