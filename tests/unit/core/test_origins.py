"""Origins: written as browsers send them, wherever they are compared."""

import pytest

from shared.core.origins import canonical_origin, origins_of
from shared.core.settings import Settings


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("http://Easel.LAN:80", "http://easel.lan"),
        ("HTTPS://easel.example.com:443/", "https://easel.example.com"),
        ("https://easel.example.com:80", "https://easel.example.com:80"),
        ("http://easel.example.com:443", "http://easel.example.com:443"),
        ("http://127.0.0.1:08080", "http://127.0.0.1:8080"),
        ("https://B\u00fccher.example", "https://xn--bcher-kva.example"),
        ("https://stra\u00dfe.example", "https://xn--strae-oqa.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://[0:0::1]:80", "http://[::1]"),
        (" https://easel.example.com ", "https://easel.example.com"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(address: str, origin: str) -> None:
    assert canonical_origin(address) == origin
    assert canonical_origin(origin) == origin
    given = {"EASEL_DATABASE_URL": "postgresql://db.example.com/easel", "EASEL_BROKER_URL": "redis://r.example.com"}
    settings = Settings.from_environment(
        {**given, "EASEL_PUBLIC_URL": address, "EASEL_CORS_ORIGINS": address, "EASEL_S3_ENDPOINT": address}
    )
    assert (settings.public_url, settings.cors_origins, settings.s3_public_endpoint) == (origin, (origin,), origin)


@pytest.mark.parametrize(
    "address", ["", "null", "easel.example.com", "ftp://x.example", "http://", "http://a b", "http://a;b", "http://x:y"]
)
def test_an_address_without_an_origin_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"holds an address"):
        canonical_origin(address)


def test_this_machine_has_two_names() -> None:
    assert origins_of("http://LocalHost:8080") == ["http://127.0.0.1:8080", "http://localhost:8080"]
    assert origins_of("http://127.0.0.1:80") == ["http://127.0.0.1", "http://localhost"]
    assert origins_of("https://easel.example.com:443") == ["https://easel.example.com"]
