"""The page "My pictures": polling, filter, search and selection, also with 500 jobs."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.axe import axe_source, violations
from tests.support.cabinet import HIDE, Owner, act, choose, log_in, look, record, tiles
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, stop_clock, visitor

pytestmark = pytest.mark.usefixtures("browser")

SEEN_ALL = "Array.from(document.querySelectorAll('.tile[data-id]'), ({dataset}) => dataset.id)"


def test_filter_and_search_live_in_the_address(person: Visitor, owner: Owner) -> None:
    owner.copy("a fox in the snow", 3)
    owner.copy("a boat", state="failed")
    page = look(person)
    expect(tiles(page)).to_have_count(5)
    page.get_by_role("radio", name="Failed").check()
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page)).to_contain_text("The generator reported an error.")
    assert page.url.endswith("/pictures?state=failed")
    page.reload()
    expect(tiles(page)).to_have_count(1)
    expect(page.get_by_role("radio", name="Failed")).to_be_checked()
    page.go_back()
    expect(tiles(page)).to_have_count(5)
    expect(page.get_by_role("radio", name="All")).to_be_checked()
    search = page.get_by_role("searchbox", name="Search your prompts")
    search.press_sequentially("SNOW fox", delay=20)
    expect(tiles(page)).to_have_count(3)
    page.wait_for_url("**/pictures?q=SNOW+fox")
    expect(search).to_be_focused()
    search.fill("no such words")
    expect(page.get_by_text("No prompt contains “no such words”.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(tiles(page)).to_have_count(5)
    expect(search).to_have_value("")
    page.go_back()
    expect(page.get_by_text("No prompt contains")).to_be_visible()
    expect(search).to_have_value("no such words")


def test_a_new_user_is_invited_and_a_guest_logs_in_first(site: RunningSite, user: ApiUser) -> None:
    with visitor(site.url, site.s3_url) as newcomer:
        page = newcomer.page
        newcomer.expected = ["/v1/jobs"]
        page.goto(f"{site.url}/pictures?state=failed")
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/pictures?state=failed")
        expect(page.get_by_text("No matching pictures.")).to_be_visible()
        page.get_by_role("button", name="Show all").click()
        expect(page.get_by_text("You have no pictures yet.")).to_be_visible()
        expect(page.get_by_role("link", name="Paint the first one")).to_have_attribute("href", "/create")
        assert newcomer.complaints == []


def test_jobs_are_polled_with_one_request_and_none_in_a_hidden_tab(person: Visitor, owner: Owner) -> None:
    page = person.page
    page.clock.install()
    asked = record(page, lambda request: "/v1/jobs?" in request.url)
    look(person)
    page.evaluate(HIDE, True)
    elsewhere = [owner.submit(f"a made bed {number}")["id"] for number in range(3)]
    owner.finished()
    before = len(asked)
    page.clock.run_for(120_000)
    assert len(asked) == before, "a hidden tab asks for nothing"
    page.evaluate(HIDE, False)
    expect(tiles(page)).to_have_count(4)
    expect(tiles(page).first).to_have_attribute("data-id", elsewhere[-1])
    assert len(asked) == before + 1
    with page.expect_request("**/v1/jobs?*"):
        page.clock.run_for(31_000)


def test_a_lost_connection_is_shown_and_recovers(person: Visitor, owner: Owner) -> None:
    page = look(person)
    page.route("**/v1/jobs?*", lambda route: route.fulfill(status=503, json={"code": "unavailable"}))
    page.evaluate(HIDE, False)
    notice = page.get_by_role("region", name="Notices")
    expect(notice).to_contain_text("Connection lost.")
    page.unroute("**/v1/jobs?*")
    page.evaluate(HIDE, False)
    expect(notice).to_contain_text("Back online.")
    expect(tiles(page)).to_have_count(1)
    person.complaints = [note for note in person.complaints if "503" not in note]


def test_select_by_mouse_and_keyboard(person: Visitor, owner: Owner) -> None:
    owner.copy("a fox", 5)
    unfinished = owner.copy("a slow boat", state="generating")
    page = look(person)
    bar = page.get_by_role("region", name="Notices")
    choose(page, "a fox 4")
    choose(page, "a fox 2", modifiers=["Shift"])
    expect(bar).to_contain_text("3 selected")
    choose(page, "a fox 3")
    expect(bar).to_contain_text("2 selected")
    page.keyboard.press("Escape")
    expect(bar.get_by_text("selected")).to_have_count(0)
    page.get_by_role("checkbox", name="Select: a fox 5").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(bar.get_by_role("button", name="Download")).to_be_focused()
    bar.get_by_role("button", name="Select all").click()
    expect(bar).to_contain_text("7 selected")
    expect(bar).to_contain_text("1 of them is not finished. Cancel it before deleting.")
    stop_clock(page)
    bar.get_by_role("button", name="Delete (6)").click()
    expect(tiles(page)).to_have_count(1)
    expect(tiles(page)).to_have_attribute("data-id", unfinished[0])
    bar.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(7)
    page.get_by_role("button", name="Actions: a fox 1").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Download all as ZIP")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Actions: a fox 1")).to_be_focused()


def test_five_hundred_jobs_scroll_without_being_drawn_again(person: Visitor, owner: Owner) -> None:
    owner.copy("a fox", 499)
    page = look(person)
    page.evaluate("document.querySelector('.tile[data-id]').isFirst = true")
    while (count := tiles(page).count()) < 500:
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.evaluate("document.querySelector('.more button')?.click()")
        expect(tiles(page).nth(count)).to_be_attached()
    seen = page.evaluate(SEEN_ALL)
    assert seen == [job["id"] for job in owner.jobs()]
    assert page.evaluate("document.querySelector('.tile[data-id]').isFirst") is True
    far = tiles(page).nth(490)
    far.scroll_into_view_if_needed()
    page.wait_for_function("(far) => far.querySelector('img').naturalWidth > 0", arg=far.element_handle())


def test_a_refused_reload_of_the_list_keeps_what_is_shown(person: Visitor, owner: Owner) -> None:
    """Many new jobs at once leave a gap below them, so the first page is loaded again."""
    page = look(person)
    expect(tiles(page)).to_have_count(1)
    refusal = {"type": "about:blank", "title": "Refused.", "status": 400, "code": "bad_request", "detail": "Refused."}
    page.route(re.compile(r"/v1/jobs\?.*limit=60"), lambda route: route.fulfill(status=400, json=refusal))
    person.expected = ["/v1/jobs"]
    owner.copy("a fox", 30)
    page.evaluate(HIDE, False)
    expect(page.get_by_role("alert")).to_be_visible()
    expect(tiles(page)).to_have_count(1)


@pytest.mark.parametrize("theme", ["dark", *repeats("light")])
def test_no_accessibility_violations_while_selecting_and_in_a_menu(site: RunningSite, owner: Owner, theme: str) -> None:
    source = axe_source()
    owner.copy("a fox", 2)
    owner.copy("a boat", state="failed")
    owner.copy("a slow boat", state="generating")
    with visitor(site.url, site.s3_url, reduced_motion="reduce", color_scheme=theme) as visiting:
        log_in(visiting, owner)
        page = look(visiting)
        choose(page, "a fox 1")
        assert violations(page, source) == []
        page.get_by_role("button", name="Actions: a fox 2").click()
        assert violations(page, source) == []
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")
        act(page, "a fox 2", "Delete")
        assert violations(page, source) == []
        assert visiting.complaints == []
