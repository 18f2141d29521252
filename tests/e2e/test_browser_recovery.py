"""A forgotten password in the browser: from the log-in form through the mail to the new password, by keyboard."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from local.mail_files import list_mails, read_mail
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.cabinet import log_in
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")

NEW = "eight blue kettles whistle"


@pytest.fixture
def guest(site: RunningSite) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        yield person
        assert person.complaints == []


def link_for(site: RunningSite, email: str, path: str = "/reset") -> str:
    """Wait for the mail with the link, and return that."""
    folder = site.home / "mail"

    def look() -> str:
        for summary in list_mails(folder)[0]:
            mail = read_mail(folder, summary.name)
            if mail is not None and email in summary.to and (found := re.search(rf"http://\S+{path}#\S+", mail.text)):
                return found[0]
        return ""

    return until(look, "the mail with the link arrives")


def test_a_forgotten_password_is_replaced(site: RunningSite, guest: Visitor, user: ApiUser) -> None:
    page = guest.page
    page.goto(guest.url + "/login")
    page.get_by_role("link", name="Forgot your password?").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A new password")).to_be_visible()
    page.get_by_label("Email").fill(user.email)
    page.keyboard.press("Enter")
    expect(page.get_by_text("If this address has an account")).to_be_focused()
    link = link_for(site, user.email)
    page.goto(link)
    expect(page.get_by_label("Email")).to_have_value(user.email)
    assert page.url == guest.url + "/reset", "the secret is not left in the history"
    password = page.get_by_label("New password")
    expect(password).to_have_attribute("autocomplete", "new-password")
    expect(page.get_by_label("Email")).to_have_attribute("autocomplete", "username")
    guest.expected = ["/v1/password-reset"]
    password.fill("short")
    password.press("Enter")
    expect(password).to_have_attribute("aria-invalid", "true")
    password.fill(NEW)
    password.press("Enter")
    expect(page.get_by_text("Your password is saved")).to_be_focused()
    assert user.call("GET", "/v1/me").status_code == 401
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    guest.expected = ["/v1/login", "/v1/password-reset"]
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong email or password.")
    page.get_by_label("Password").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Describe your picture")).to_be_visible()
    page.goto("about:blank")
    page.goto(link)
    page.get_by_label("New password").fill(NEW)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This link has been used or is too old. Ask for another one.")


def test_another_address_is_confirmed(site: RunningSite, guest: Visitor, user: ApiUser) -> None:
    page, address = guest.page, f"new-{user.email}"
    log_in(guest, user)
    page.goto(guest.url + "/account")
    form = page.get_by_role("region", name="Email address")
    form.get_by_label("New address").fill(address)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_label("Password").press("Enter")
    expect(form.get_by_role("status")).to_contain_text("The link is on its way")
    page.goto(link_for(site, address, "/verify"))
    expect(page.get_by_text(f"Your account will have the address {address}.")).to_be_visible()
    page.get_by_role("button", name="Confirm").press("Enter")
    expect(page.get_by_text("Your account has this address now.")).to_be_focused()
    page.goto(guest.url + "/account")
    expect(page.get_by_role("region", name="Profile")).to_contain_text(address)
