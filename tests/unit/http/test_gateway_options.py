"""How the gateway is served."""

from typing import Any

import pytest

from functions import gateway
from functions.http.connections import BoundedHttp, Limits


def test_the_server_itself_believes_no_header_about_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to itself, uvicorn takes X-Forwarded-For of every connection from this machine for the client's address."""
    given: dict[str, Any] = {}
    monkeypatch.setenv("EASEL_DATABASE_URL", "postgresql://127.0.0.1/easel")
    monkeypatch.setenv("EASEL_BROKER_URL", "redis://127.0.0.1")
    monkeypatch.setattr("shared.core.log.configure", lambda _: None)
    monkeypatch.setattr("uvicorn.run", lambda _, **options: given.update(options))
    gateway.main()
    assert given["proxy_headers"] is False
    assert given["http"].func is BoundedHttp
    assert given["http"].keywords["connections"].limits == Limits()
