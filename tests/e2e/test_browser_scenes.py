"""Scenes in a real browser: built by keyboard, chosen by words, and led to by a code."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.axe import axe_source, violations
from tests.support.cabinet import log_in
from tests.support.running_site import RunningSite
from tests.support.scene_form import SHOW_PICTURES, choose, option
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")

MADE_WITHIN_S = 120


@pytest.fixture
def phone(site: RunningSite) -> Iterator[Visitor]:
    """Open the site on a phone, as a guest."""
    viewport = {"width": 360, "height": 780}
    allowed = ["clipboard-read", "clipboard-write"]
    with visitor(site.url, site.s3_url, viewport=viewport, permissions=allowed) as person:
        yield person
        assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert person.complaints == []


def answer_with(page: Page, pattern: str, **changes: Any) -> None:
    """Change fields of an answer's JSON object."""

    def answer(route: Route) -> None:
        route.fulfill(json=route.fetch().json() | changes)

    page.route(pattern, answer)


def test_a_scene_built_by_keyboard_becomes_a_picture_with_a_code(phone: Visitor, user: ApiUser) -> None:
    page = phone.page
    log_in(phone, user)
    page.goto(phone.url)
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Scenes").press("Enter")
    expect(option(page, "Place", "Beach")).to_be_checked()
    page.evaluate(SHOW_PICTURES)
    option(page, "Place", "Beach").focus()
    page.keyboard.press("ArrowRight")
    expect(option(page, "Place", "Mountains")).to_be_checked()
    choose(page, View="hills in the mountains", Action="Sitting", Distance="Close", Person="Woman", Age="Young")
    page.evaluate(SHOW_PICTURES)
    page.get_by_label("Details").fill("wearing a red coat")
    page.get_by_role("button", name="Make the scene").press("Enter")

    page.wait_for_url("**/pictures/*")
    card = page.get_by_role("region", name="Scene")
    for words in ("Mountains", "Sitting", "Close", "Woman, Young", "wearing a red coat"):
        expect(card.get_by_text(words)).to_be_visible()
    phone.see_finished(MADE_WITHIN_S)
    expect(card.get_by_text("made by a machine")).to_be_visible()
    assert violations(page, axe_source()) == []
    code = card.locator("code").inner_text()
    link = f"{phone.url}/s/{code}"
    card.get_by_role("button", name="Copy").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == link
    [picture] = phone.see_pictures("", 1, name="Your pictures")
    assert page.request.get(link).body() == page.request.get(picture).body()

    page.get_by_role("button", name="Make a variation").click()
    expect(card.locator("code")).not_to_have_text(code)
    expect(card.get_by_text("as soon as the picture is finished")).to_be_visible()
    phone.see_finished(MADE_WITHIN_S)
    page.get_by_role("button", name="Change the scene").click()
    for group, name in (("Place", "Mountains"), ("View", "View 2"), ("Action", "Sitting"), ("Person", "Woman")):
        expect(option(page, group, name)).to_be_checked()
    expect(page.get_by_label("Details")).to_have_value("wearing a red coat")


def test_words_choose_the_action_or_are_refused_at_their_field(phone: Visitor, user: ApiUser) -> None:
    page = phone.page
    phone.expected = ["/v1/scenes"]
    page.goto(f"{phone.url}/scenes")
    choose(page, Place="Park", Action="In my own words")
    page.get_by_label("What the person does").fill("qwrtp zzz")
    page.get_by_role("button", name="Make the scene").click()
    page.get_by_role("textbox", name="Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(option(page, "Place", "Park")).to_be_checked()
    page.get_by_role("button", name="Make the scene").click()
    person = page.get_by_role("group", name="Person", exact=True)
    expect(person.get_by_text("This field is required.")).to_be_visible()
    choose(page, Person="Man")
    page.get_by_role("button", name="Make the scene").click()
    words = page.get_by_label("What the person does")
    expect(page.get_by_text("No action is like these words.")).to_be_visible()
    expect(words).to_be_focused()
    expect(words).to_have_attribute("aria-invalid", "true")

    words.fill("is reading a newspaper")
    page.get_by_role("button", name="Make the scene").click()
    page.wait_for_url("**/pictures/*")
    expect(page.get_by_role("region", name="Scene").get_by_text("Reading", exact=True)).to_be_visible()


def test_the_form_offers_what_the_api_does(phone: Visitor) -> None:
    page = phone.page
    answer_with(page, "**/v1/places", likeness_offered=False)
    page.goto(f"{phone.url}/scenes")
    expect(page.get_by_role("button", name="Make the scene")).to_be_visible()
    expect(page.get_by_label("Code of a likeness")).to_have_count(0)
    answer_with(page, "**/v1/places", likeness_offered=True)
    page.reload()
    expect(page.get_by_label("Code of a likeness")).to_be_visible()
    answer_with(page, "**/v1/places", offered=False)
    page.reload()
    expect(page.get_by_text("No generator on this site can make scenes.")).to_be_visible()
    expect(page.get_by_role("button", name="Make the scene")).to_have_count(0)
