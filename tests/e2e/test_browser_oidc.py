"""Signing in at a provider in the browser, by keyboard: a published one of its own, and one that says when."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from functions.gateway import create_gateway
from local.ports import free_port
from local.servers import http_answers
from shared.services import Services
from tests.support.identity_provider import CLIENT_SECRET, IdentityProvider
from tests.support.listening import listening
from tests.support.processes import started
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")

PASSWORD = "seven green lanterns drift"
PERSON = {"sub": "248289761001", "email": "ada@example.com", "email_verified": True}
STYLES = "https://cdn.jsdelivr.net"
"""Where the pages of oidc-provider-mock have their style sheet; nothing is fetched from there."""

ASK_AGAIN = "Вы вошли раньше пяти минут назад. Войдите ещё раз и повторите."


@pytest.fixture
def published_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Run oidc-provider-mock, which is built on the server of Authlib; yield the settings for it."""
    port = free_port()
    arguments = ["--port", str(port), "--require-nonce", "true", "--user-claims", json.dumps(PERSON)]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *arguments]
    with (tmp_path / "provider.log").open("wb") as log, started(command, stdout=log, stderr=log):
        until(lambda: http_answers(port, "/.well-known/openid-configuration"), "the provider answers")
        monkeypatch.setenv("EASEL_OIDC_CLIENT_SECRET", "a secret")
        yield {"oidc_issuer": f"http://127.0.0.1:{port}", "oidc_name": "Example ID", "oidc_client_id": "easel"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityProvider]:
    monkeypatch.setenv("EASEL_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    with IdentityProvider() as provider:
        yield provider


@contextmanager
def guest_of(services: Services, settings: dict[str, str], **options: Any) -> Iterator[Visitor]:
    """Open a site with these settings in a new browser."""
    site: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await site[0](scope, receive, send)

    with listening(app, lifespan="off") as address:
        url = f"http://{address}"
        own = Services(services.settings.model_copy(update=settings | {"public_url": url}))
        site.append(create_gateway(own))
        try:
            with visitor(url, own.storage.public_origin, settings["oidc_issuer"], STYLES, **options) as guest:
                guest.page.route(f"{STYLES}/**", lambda route: route.fulfill(content_type="text/css", body=""))
                yield guest
                assert guest.complaints == []
        finally:
            own.db.close()


def press(guest: Visitor, role: Any, name: str) -> None:
    guest.page.get_by_role(role, name=name, exact=True).press("Enter")


def test_the_whole_way_with_a_published_provider(services: Services, published_provider: dict[str, str]) -> None:
    with guest_of(services, published_provider) as guest:
        page = guest.page
        page.goto(guest.url + "/login?next=%2Fpictures")
        press(guest, "link", "Sign in with Example ID")
        expect(page.get_by_role("heading", name="Authorize Client")).to_be_visible()
        page.get_by_role("button", name=str(PERSON["sub"])).press("Enter")
        expect(page).to_have_url(guest.url + "/pictures")
        page.goto(guest.url + "/account")
        expect(page.get_by_role("region", name="Profile")).to_contain_text("ada@example.com")
        identities = page.get_by_role("list", name="Sign-in with another account")
        expect(identities.get_by_role("listitem")).to_have_count(1)
        expect(page.get_by_label("Present password")).to_have_count(0)
        page.wait_for_load_state("networkidle")  # or a list that is still loading gets a 401
        press(guest, "button", "Log out")
        expect(page.get_by_role("link", name="Log in")).to_be_visible()
        page.goto(guest.url + "/v1/oidc/callback?state=x&code=x")
        expect(page.get_by_role("alert")).to_have_text(
            "This sign-in took too long or began in another browser. Try again."
        )
        press(guest, "link", "Sign in with Example ID")
        page.get_by_placeholder("sub").fill("nobody")
        page.get_by_role("button", name="Authorize").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("has not confirmed your email address")


def test_an_account_with_a_password_is_connected(services: Services, provider: IdentityProvider) -> None:
    with guest_of(services, provider.settings) as guest:
        page = guest.page
        guest.sign_up("ada@example.com", PASSWORD)
        guest.log_out()
        page.goto(guest.url + "/login")
        press(guest, "link", "Sign in with Example ID")
        expect(page.get_by_role("alert")).to_contain_text("Log in with its password and connect the two")
        guest.log_in("ada@example.com", PASSWORD)
        page.goto(guest.url + "/account")
        part = page.get_by_role("region", name="Sign-in with another account")
        guest.expected = ["/v1/me/identities"]
        part.get_by_label("Password").fill("wrong")
        part.get_by_label("Password").press("Enter")
        expect(part.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
        part.get_by_label("Password").fill(PASSWORD)
        part.get_by_label("Password").press("Enter")
        expect(part.get_by_role("listitem")).to_have_count(1)
        assert page.url == guest.url + "/account"
        guest.log_out()
        page.goto(guest.url + "/login")
        press(guest, "link", "Sign in with Example ID")
        expect(page.get_by_label("Describe your picture")).to_be_visible()
        page.goto(guest.url + "/account")
        part.get_by_role("button", name="Disconnect: ada@example.com").press("Enter")
        expect(part.get_by_role("listitem")).to_have_count(0)


def test_an_account_without_a_password_is_deleted(services: Services, provider: IdentityProvider) -> None:
    with guest_of(services, provider.settings | {"local_accounts": "off"}, locale="ru-RU") as guest:
        page = guest.page
        page.goto(guest.url + "/login")
        press(guest, "link", "Войти через Example ID")
        expect(page).to_have_url(guest.url + "/create")
        page.goto(guest.url + "/account")
        departure = page.get_by_role("region", name="Уйти")
        guest.expected = ["/v1/me"]
        departure.get_by_role("button").press("Enter")
        page.get_by_role("dialog").get_by_role("button").last.press("Enter")
        expect(departure.get_by_role("alert")).to_have_text(ASK_AGAIN)
        provider.claims["auth_time"] = int(time.time())
        departure.get_by_role("link", name="Войти через Example ID ещё раз").press("Enter")
        expect(page).to_have_url(guest.url + "/account")
        departure.get_by_role("button").press("Enter")
        page.get_by_role("dialog").get_by_role("button").last.press("Enter")
        expect(page).to_have_url(guest.url + "/")
        page.goto(guest.url + "/login")
        expect(page.get_by_role("link", name="Войти через Example ID")).to_be_visible()
        expect(page.locator("form")).to_be_hidden()
