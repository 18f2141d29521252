"""Two-step log-in in the browser: switching it on, logging in with codes, and switching it off; and tokens' rights."""

import re
from base64 import b32decode
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from pyotp import TOTP

from tests.support import cabinet
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")


@pytest.fixture
def member(site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        cabinet.log_in(person, user)
        yield person
        assert person.complaints == []


def part_of(page: Page) -> Locator:
    return page.get_by_role("region", name="Two-step log-in")


def switch_on(member: Visitor) -> list[str]:
    """Set the second factor up with the keyboard; return the recovery codes."""
    page = member.page
    page.goto(member.url + "/account")
    part = part_of(page)
    member.expected = ["/v1/totp"]
    part.get_by_label("Password").fill("another lantern altogether")
    part.get_by_label("Password").press("Enter")
    expect(part.get_by_role("alert")).to_have_text("Wrong password.")
    part.get_by_label("Password").fill(PASSWORD)
    part.get_by_label("Password").press("Enter")
    code = part.get_by_label("Code", exact=True)
    expect(code).to_be_focused()
    expect(code).to_have_attribute("autocomplete", "one-time-code")
    picture = part.get_by_role("img", name="QR code")
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") > 0
    secret = part.locator("code").inner_text()
    assert re.fullmatch("([A-Z2-7]{4} ){7}[A-Z2-7]{4}", secret)
    secret = secret.replace(" ", "")
    assert f"secret={secret}" in str(part.get_by_role("link").get_attribute("href"))
    assert len(b32decode(secret)) == 20
    code.fill("never")
    code.press("Enter")
    expect(part.get_by_role("alert")).to_have_text("Wrong code. Wait for the next one and try again.")
    code.fill(TOTP(secret).now())
    code.press("Enter")
    codes = part.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    expect(part.locator(".secret")).to_be_focused()
    return codes.all_inner_texts()


def log_in(member: Visitor, user: ApiUser, code: str) -> None:
    """Log out and in again; the form asks for the code once the password is right."""
    page = member.page
    page.goto(member.url + "/account")
    page.get_by_role("region", name="Profile").get_by_role("button", name="Log out").click()
    page.goto(member.url + "/login?next=/account")
    member.expected = ["/v1/login"]
    field = page.get_by_label("Code", exact=True)
    expect(page.get_by_label("Email")).to_be_visible()
    expect(field).to_be_hidden()
    page.get_by_label("Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description("From your authenticator app, or one of your recovery codes.")
    field.fill("no-such-code")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Wrong password or code.")
    field.fill(code)
    field.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_the_whole_way_of_a_second_factor(member: Visitor, user: ApiUser) -> None:
    codes = switch_on(member)
    page, part = member.page, part_of(member.page)
    log_in(member, user, codes[0])
    expect(part).to_contain_text("It is on")
    expect(part.get_by_role("list", name="Recovery codes")).to_have_count(0)
    part.get_by_text("New recovery codes, or switch it off").click()
    renew = part.get_by_role("form", name="Make new recovery codes")
    renew.get_by_label("Password").fill(PASSWORD)
    renew.get_by_label("Code").fill(codes[1])
    renew.get_by_role("button").click()
    listed = part.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(listed).to_have_count(10)
    fresh = listed.all_inner_texts()
    assert not set(fresh) & set(codes)
    part.get_by_text("New recovery codes, or switch it off").click()
    end = part.get_by_role("form", name="Switch it off")
    member.expected = ["/v1/totp"]
    end.get_by_label("Password").fill(PASSWORD)
    end.get_by_label("Code").fill(codes[2])
    end.get_by_role("button").click()
    expect(end.get_by_role("alert")).to_contain_text("Wrong password or code.")
    end.get_by_label("Code").fill(fresh[0])
    end.get_by_role("button").click()
    expect(part.get_by_role("button", name="Set it up")).to_be_visible()
    page.reload()
    expect(part.get_by_role("button", name="Set it up")).to_be_visible()


def test_a_token_with_an_end_and_one_right(member: Visitor) -> None:
    page = member.page
    page.goto(member.url + "/account")
    part = page.get_by_role("region", name="API tokens")
    part.get_by_label("Name", exact=True).fill("a picture frame")
    part.get_by_label("Ends after this many days").fill("4000")
    part.get_by_label("make, change and delete jobs").uncheck()
    member.expected = ["/v1/tokens"]
    part.get_by_role("button", name="Create token").click()
    expect(part.get_by_label("Ends after this many days")).to_have_attribute("aria-invalid", "true")
    part.get_by_label("Ends after this many days").fill("30")
    part.get_by_label("see jobs and pictures").uncheck()
    part.get_by_role("button", name="Create token").click()
    expect(part.get_by_text("Choose at least one right.")).to_be_visible()
    part.get_by_label("see jobs and pictures").check()
    part.get_by_role("button", name="Create token").click()
    row = part.get_by_role("list", name="API tokens").get_by_role("listitem")
    expect(row).to_contain_text("never used · ends on")
    expect(row).to_contain_text("see jobs and pictures")
    expect(row).not_to_contain_text("make, change and delete jobs")
