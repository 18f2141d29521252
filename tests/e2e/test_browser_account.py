"""The account in the browser: login and logout, quota, email, tokens and deletion."""

import json
import re
import secrets
import zipfile
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import expect
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.cabinet import log_in
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")


@pytest.fixture
def guest(site: RunningSite) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        yield person
        assert person.complaints == []


@pytest.fixture
def member(guest: Visitor, user: ApiUser) -> Visitor:
    """Open the site as a logged-in user."""
    log_in(guest, user)
    return guest


def status_with(site: RunningSite, token: str) -> int:
    return requests.get(f"{site.url}/v1/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).status_code


def test_sign_up_says_what_is_wrong_at_its_field(guest: Visitor, user: ApiUser) -> None:
    page = guest.page
    guest.expected = ["/v1/signup"]
    page.goto(guest.url + "/signup")
    page.get_by_label("Email").fill("nobody at all")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_label("Email")).to_be_focused()
    expect(page.get_by_label("Email")).to_have_accessible_description("Enter a valid email address.")
    page.get_by_label("Email").fill(user.email)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_have_text("There is already an account with this email. Log in instead?")


def test_a_guest_is_sent_to_log_in_and_comes_back(guest: Visitor, user: ApiUser) -> None:
    page = guest.page
    page.goto(guest.url + "/account")
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill("another lantern altogether")
    guest.expected = ["/v1/login"]
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong email or password.")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    expect(page.get_by_role("region", name="Profile")).to_contain_text(user.email)


def test_the_quota_is_shown(member: Visitor, user: ApiUser) -> None:
    user.submit()
    member.page.goto(member.url + "/account")
    expect(member.page.get_by_role("region", name="Today")).to_contain_text("199 of 200 jobs left today")


def test_a_token_is_shown_once_works_and_is_revoked(site: RunningSite, member: Visitor) -> None:
    page = member.page
    page.goto(member.url + "/account")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill("the wall of the library")
    page.get_by_role("button", name="Create token").click()
    secret = page.locator(".secret code")
    expect(secret).to_have_text(re.compile("^easel_"))
    token = secret.inner_text()
    assert status_with(site, token) == 200
    page.reload()
    row = page.get_by_role("list", name="API tokens").get_by_role("listitem")
    expect(row).to_contain_text("the wall of the library")
    expect(secret).to_have_count(0)
    row.get_by_role("button", name="Revoke: the wall of the library").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert status_with(site, token) == 401


def test_the_notification_setting_is_saved(member: Visitor, user: ApiUser) -> None:
    page = member.page
    page.goto(member.url + "/account")
    page.get_by_label("Email me").check()
    expect(page.get_by_text("Saved for new jobs.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Email me")).to_be_checked()
    assert user.submit()["settings"]["notify"] == "email"


WHY_STOPPED = {
    "unsubscribed": "You unsubscribed from email.",
    "refused": "Your mail server refused our email",
    "bounced": "Our email to you came back",
    "complained": "Our email was reported as spam",
}


@pytest.mark.parametrize("why", ["unsubscribed", *repeats("refused", "bounced", "complained")])
def test_stopped_mail_is_shown_and_started_again(
    member: Visitor, user: ApiUser, site_services: Services, why: str
) -> None:
    """The setting may still be `email`: choosing what is chosen would change nothing, so there is a button."""
    user.call("PATCH", "/v1/me", json={"notify": "email"})
    with site_services.db.begin() as connection:
        stop = text("UPDATE users SET mail_stopped = :why WHERE email = :email")
        connection.execute(stop, {"why": why, "email": user.email})
    page = member.page
    page.goto(member.url + "/account")
    part = page.locator(".mail-stopped")
    expect(part).to_contain_text(WHY_STOPPED[why])
    expect(part).to_contain_text(user.email)
    part.get_by_role("button", name="Send me email again").click()
    expect(page.get_by_text("You get email about new jobs again.")).to_be_visible()
    expect(part).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Email me")).to_be_checked()
    expect(part).to_have_count(0)


def test_the_webhook_is_saved_and_its_secret_shown(member: Visitor, user: ApiUser) -> None:
    page, member.expected = member.page, ["/v1/me"]
    page.goto(member.url + "/account")
    part = page.get_by_role("region", name="Webhook")
    part.get_by_label("Address").fill("https://169.254.169.254/")
    part.get_by_role("button", name="Save address").click()
    expect(part.get_by_text("This address is not public.")).to_be_visible()
    part.get_by_label("Address").fill("https://hooks.example.com/easel")
    part.get_by_role("button", name="Save address").click()
    expect(part.get_by_text("Saved for new jobs.")).to_be_visible()
    part.get_by_role("button", name="Show the signing secret").click()
    expect(part.get_by_text("whsec_")).to_be_visible()
    page.reload()
    expect(part.get_by_label("Address")).to_have_value("https://hooks.example.com/easel")


def test_another_tab_notices_the_end_of_the_session(member: Visitor) -> None:
    first = member.page
    first.goto(member.url + "/account")
    member.see_complete()  # or a list that is still loading gets a 401
    second = first.context.new_page()
    second.goto(member.url)
    second.get_by_role("link", name="Account: ").click()
    second.get_by_role("button", name="Log out", exact=True).click()
    expect(second.get_by_role("link", name="Log in")).to_be_visible()
    expect(first.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_an_account_is_deleted_with_its_password(member: Visitor, user: ApiUser) -> None:
    page = member.page
    page.goto(member.url + "/account")
    leaving = page.get_by_role("region", name="Delete account")
    leave = leaving.get_by_role("button", name="Delete my account")
    dialog = page.get_by_role("dialog", name="Delete your account permanently?")
    leave.click()
    expect(leaving.get_by_label("Password")).to_have_attribute("aria-invalid", "true")
    leaving.get_by_label("Password").fill(secrets.token_hex(12))
    leave.click()
    member.expected = ["/v1/me"]
    dialog.get_by_role("button", name="Delete my account").click()
    expect(leaving.get_by_text("Wrong password.")).to_be_visible()
    leaving.get_by_label("Password").fill(PASSWORD)
    leave.click()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    leave.click()
    dialog.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert user.call("GET", "/v1/me").status_code == 401


def test_the_site_speaks_russian_when_it_is_chosen(guest: Visitor, user: ApiUser) -> None:
    page = guest.page
    page.goto(guest.url)
    page.get_by_label("Language").select_option("Русский")
    expect(page.get_by_role("heading", level=1)).to_have_text("Фраза становится картиной")
    assert page.evaluate("document.documentElement.lang") == "ru"
    page.goto(guest.url + "/login")
    page.get_by_label("Эл. почта").fill(user.email)
    page.get_by_label("Пароль").fill(PASSWORD)
    page.get_by_role("button", name="Войти").click()
    expect(page.get_by_role("heading", name="Что напишем?")).to_be_visible()
    page.goto(guest.url + "/account")
    expect(page.get_by_role("region", name="Сегодня")).to_contain_text("осталось заданий: 200 из 200")


def test_other_sessions_are_ended_and_the_password_changed(site: RunningSite, member: Visitor, user: ApiUser) -> None:
    page, member.expected = member.page, ["/v1/me/password"]
    page.goto(member.url + "/account")
    part = page.get_by_role("region", name="Where you are logged in")
    rows = part.get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="this one")).to_have_count(1)
    rows.get_by_role("button", name=re.compile("Log out: python-requests")).click()
    expect(rows).to_have_count(1)
    assert status_with(site, user.token) == 401
    answer = requests.post(f"{site.url}/v1/login", json={"email": user.email, "password": PASSWORD}, timeout=30)
    other = answer.json()["token"]
    form = page.get_by_role("region", name="Password", exact=True)
    form.get_by_label("Present password").fill("not the right one")
    form.get_by_label("New password").fill("eight blue kettles whistle")
    form.get_by_role("button", name="Change the password").click()
    expect(form.get_by_label("Present password")).to_be_focused()
    form.get_by_label("Present password").fill(PASSWORD)
    form.get_by_label("Present password").press("Enter")
    expect(form.get_by_role("status")).to_contain_text("Your password is changed")
    assert status_with(site, other) == 401
    page.reload()
    expect(rows).to_have_count(1)
    part.get_by_role("button", name="Log out everywhere else").click()
    expect(rows).to_have_count(1)


def test_an_export_is_prepared_and_fetched(member: Visitor, user: ApiUser) -> None:
    user.submit()
    [job] = user.finished()
    page = member.page
    page.goto(member.url + "/account")
    part = page.get_by_role("region", name="Your data")
    part.get_by_role("button", name="Prepare an export").click()
    link = part.get_by_role("link", name="Download part 1")
    with page.expect_download() as download:
        link.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        [described] = json.loads(archive.read("jobs.json"))
        assert described["id"] == job["id"]
        assert archive.read(described["images"][0]["file"]).startswith(b"\x89PNG")
    page.reload()
    expect(link).to_be_visible()
