"""A browser that signs in at a provider: its cookies, and its steps on the way there and back."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door

SITE = "https://easel.example.com"
PASSWORD = "seven green lanterns drift"


@dataclass
class Browser:
    """A browser's cookies, and its steps on the way to the provider and back."""

    door: Door
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Origin": SITE} | options.pop("headers", {})
        response = self.door.request(method, path, headers=headers, follow_redirects=False, **options)
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.split(";")[0].partition("=")
            self.cookies[name] = value.strip('"')
        return response

    def leave(self, query: str = "") -> str:
        """Begin to sign in; return the address at the provider."""
        response = self.send("GET", f"/v1/oidc/login{query}")
        assert response.status_code == 302
        return response.headers["location"]

    def visit(self, address: str) -> str:
        """Sign in at the provider; return the callback's path and query."""
        response = httpx.get(address, follow_redirects=False)
        assert response.status_code == 302, response.text
        back = urlsplit(response.headers["location"])
        assert f"{back.scheme}://{back.netloc}{back.path}" == f"{SITE}/v1/oidc/callback"
        return f"{back.path}?{back.query}"

    def sign_in(self, query: str = "") -> str:
        """Sign in; return where that leads."""
        return self.come_back(self.visit(self.leave(query)))

    def come_back(self, callback: str) -> str:
        response = self.send("GET", callback)
        assert response.status_code == 303
        return response.headers["location"]

    def me(self) -> Any:
        return self.send("GET", "/v1/me").json()

    def ways_in(self) -> Any:
        return self.send("GET", "/v1/me/identities").json()

    def connect(self, password: str | None = PASSWORD) -> str:
        """Connect an identity; return where that leads."""
        body = {} if password is None else {"password": password}
        response = self.send("POST", "/v1/me/identities", json=body)
        assert response.status_code == 200, response.text
        return self.come_back(self.visit(response.json()["url"]))


def failed(where: str) -> str:
    """Return the code with which the form for logging in was shown."""
    assert where.startswith("/login?error=")
    return where.removeprefix("/login?error=")


def count(services: Services, table: str) -> int:
    with services.db.statement() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
