"""How the gateway is served."""

from typing import Any

import pytest

from functions import gateway
from functions.http.connections import BoundedHttp, Limits
from tests.support.paths import ROOT


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what the gateway gives to uvicorn."""
    given: dict[str, Any] = {}
    monkeypatch.setenv("EASEL_DATABASE_URL", "postgresql://127.0.0.1/easel")
    monkeypatch.setenv("EASEL_BROKER_URL", "redis://127.0.0.1")
    monkeypatch.setattr("shared.core.log.configure", lambda _: None)
    monkeypatch.setattr("uvicorn.run", lambda _, **options: given.update(options))
    gateway.main()
    return given


def test_the_server_itself_believes_no_header_about_the_client(given: dict[str, Any]) -> None:
    """Left to itself, uvicorn takes X-Forwarded-For of every connection from this machine for the client's address."""
    assert given["proxy_headers"] is False
    assert given["http"].func is BoundedHttp
    assert given["http"].keywords["connections"].limits == Limits()


def test_an_idle_connection_is_kept_as_long_as_by_nginx(given: dict[str, Any]) -> None:
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    assert f"keepalive_timeout {given['timeout_keep_alive']}s;" in template
