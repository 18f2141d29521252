"""Confirmed addresses in the browser: from the sign-up through the mail to a job with mail, by keyboard."""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from local.mail_files import list_mails
from shared.accounts import service as accounts
from tests.e2e.test_browser_recovery import link_for
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")

PASSWORD = "eight blue kettles whistle"


@pytest.fixture(scope="module")
def careful_site() -> Iterator[RunningSite]:
    """Start a stack that confirms addresses; its mails become files."""
    with tempfile.TemporaryDirectory(prefix="easel-confirmed-") as folder:
        site = RunningSite(Path(folder) / "home", empty=True)
        site.environment |= {"EASEL_VERIFY_EMAIL": "on"}
        try:
            site.start()
            yield site
        finally:
            site.stop()


@pytest.fixture
def guest(careful_site: RunningSite) -> Iterator[Visitor]:
    with visitor(careful_site.url, careful_site.s3_url) as person:
        yield person
        assert person.complaints == []


@pytest.fixture
def russian(careful_site: RunningSite) -> Iterator[Visitor]:
    with visitor(careful_site.url, careful_site.s3_url, locale="ru-RU") as person:
        yield person
        assert person.complaints == []


def address() -> str:
    return f"user-{secrets.token_hex(8)}@example.com"


def subjects(site: RunningSite, email: str) -> list[str]:
    return [mail.subject for mail in list_mails(site.home / "mail")[0] if email in mail.to]


def test_from_the_sign_up_to_a_mail_about_a_picture(careful_site: RunningSite, guest: Visitor) -> None:
    page, email = guest.page, address()
    page.goto(guest.url + "/signup")
    expect(page.get_by_label("Password")).to_be_hidden()
    page.get_by_label("Email").fill(email)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"we have written to {email}")).to_be_focused()
    first = link_for(careful_site, email, "/verify")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is on its way once more.")).to_be_visible()
    until(lambda: len(subjects(careful_site, email)) == 2, "the mail arrives again")
    page.goto(first)
    expect(page.get_by_role("heading", name="Create your account")).to_be_visible()
    assert page.url == guest.url + "/verify", "the secret is not left in the history"
    expect(page.get_by_label("Email")).to_have_value(email)
    password = page.get_by_label("Password")
    expect(password).to_have_attribute("autocomplete", "new-password")
    guest.expected = ["/v1/verify"]
    password.fill("short")
    password.press("Enter")
    expect(password).to_have_attribute("aria-invalid", "true")
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page.get_by_text("Your account is ready.")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Describe your picture")).to_be_visible()
    page.goto(guest.url + "/account")
    page.get_by_label("Email me").check()
    expect(page.get_by_text("Saved for new jobs.")).to_be_visible()
    page.goto(guest.url + "/create")
    guest.submit("a lighthouse at dawn", quality="Draft", count=1)
    until(lambda: any("lighthouse" in subject for subject in subjects(careful_site, email)), "the picture is mailed")


def test_an_older_account_is_confirmed(careful_site: RunningSite, russian: Visitor) -> None:
    page, email = russian.page, address()
    services = careful_site.services()
    accounts.sign_up(services, email, PASSWORD)
    services.db.close()
    page.goto(russian.url + "/login?next=/account")
    page.get_by_label("Эл. почта").fill(email)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.keyboard.press("Enter")
    profile = page.get_by_role("region", name="Вы", exact=True)
    expect(profile).to_contain_text("Этот адрес не подтверждён")
    russian.expected = ["/v1/me", "/v1/verify"]
    page.get_by_label("Прислать письмо").check()
    expect(page.get_by_text("Сначала подтвердите адрес")).to_be_visible()
    profile.get_by_role("button", name="Прислать ссылку").press("Enter")
    expect(profile.get_by_text("Ссылка уже в пути.")).to_be_focused()
    page.goto(link_for(careful_site, email, "/verify"))
    password = page.get_by_label("Пароль")
    expect(password).to_have_attribute("autocomplete", "current-password")
    password.fill("another one that is wrong")
    password.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("парол")
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page.get_by_text("Ваш адрес подтверждён.")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(profile).to_contain_text(email)
    expect(profile).not_to_contain_text("не подтверждён")
