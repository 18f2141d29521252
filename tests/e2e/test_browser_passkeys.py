"""Passkeys in the browser, by keyboard, with the virtual authenticator of Chromium."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support import cabinet
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def member(site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    """Log in under the name of this machine that passkeys are for, with an authenticator."""
    with visitor(site.url.replace("127.0.0.1", "localhost"), site.s3_url, site.url) as person:
        devtools = person.page.context.new_cdp_session(person.page)
        devtools.send("WebAuthn.enable")
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        cabinet.log_in(person, user)
        yield person
        assert person.complaints == []


def add(page: Page, name: str, password: str = PASSWORD) -> None:
    form = page.get_by_role("form", name="Add a passkey")
    form.get_by_label("Name").fill(name)
    form.get_by_label("Password").fill(password)
    form.get_by_label("Password").press("Enter")


def test_the_whole_way_of_a_passkey(member: Visitor, site: RunningSite) -> None:
    page = member.page
    part = page.get_by_role("region", name="Passkeys")
    passkeys = part.get_by_role("list", name="Passkeys").get_by_role("listitem")
    alert = part.get_by_role("form", name="Add a passkey").get_by_role("alert")
    sign_in = page.get_by_role("button", name="Sign in with a passkey")
    page.goto(member.url + "/account")
    member.expected = ["/v1/passkey-options"]
    add(page, "this laptop", "another lantern altogether")
    expect(part.get_by_text("Wrong password.")).to_be_visible()
    add(page, "this laptop")
    expect(passkeys).to_have_count(1)
    expect(passkeys).to_contain_text("never used")
    add(page, "again")
    expect(alert).to_have_text("This device has a passkey for your account already.")

    member.log_out()
    page.goto(member.url + "/login?next=/account")
    sign_in.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(passkeys).to_contain_text("this laptop")
    expect(passkeys).not_to_contain_text("never used")

    part.get_by_label("Remove: this laptop").press("Enter")
    removal = part.get_by_role("form", name="Remove")
    removal.get_by_label("Password").fill(PASSWORD)
    removal.get_by_label("Password").press("Enter")
    expect(passkeys).to_have_count(0)

    member.log_out()
    page.goto(member.url + "/login")
    member.expected = ["/v1/login/passkey"]
    sign_in.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="passkey")).to_have_text(
        "This passkey does not work here. Log in in another way."
    )
    page.goto(site.url + "/login")
    member.see_complete()
    expect(sign_in).to_have_count(0)
