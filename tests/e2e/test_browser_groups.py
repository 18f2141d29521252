"""Jobs made together are one row of "My pictures"."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.api_user import SMALL, ApiUser
from tests.support.axe import axe_source, violations
from tests.support.cabinet import Owner, log_in, look, tiles
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, stop_clock, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")
NO_SCROLL = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture
def looker(site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    """Open the site on a phone, logged in."""
    with visitor(site.url, site.s3_url, viewport={"width": 360, "height": 900}, reduced_motion="reduce") as person:
        log_in(person, user)
        yield person
        assert person.complaints == []


def submit(user: ApiUser, *prompts: str, **fields: Any) -> dict[str, Any]:
    requests = [{"prompt": prompt, **SMALL, **fields} for prompt in prompts]
    answer = user.call("POST", "/v1/batches", json={"requests": requests})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def row(page: Page, prompt: str) -> Locator:
    """Return the button that opens the group."""
    return page.get_by_role("button", name=f"Group: {prompt}")


def test_a_finished_group_is_one_row_and_deleted_at_once(looker: Visitor, user: ApiUser) -> None:
    user.submit("a house")
    group = submit(user, "a boat", "a fox", "a hill")
    user.finished(limit_s=180)
    page = look(looker)
    expect(page.locator(".cabinet-place > .cabinet > li")).to_have_count(2)
    expect(row(page, "a boat")).to_have_accessible_name("Group: a boat 3 of 3 finished")
    expect(row(page, "a boat").locator("img")).to_have_count(3)
    row(page, "a boat").focus()
    page.keyboard.press("Enter")
    expect(row(page, "a boat")).to_have_attribute("aria-expanded", "true")
    inner = page.get_by_role("list", name="Jobs of the group: a boat")
    expect(inner.locator(".placard")).to_have_text(["a hill", "a fox", "a boat"])
    assert page.evaluate(NO_SCROLL)
    assert violations(page, axe_source()) == []
    with page.expect_download() as saved:
        page.get_by_role("link", name="Download the ZIP file").click()
    assert saved.value.suggested_filename.endswith(".zip")
    stop_clock(page)
    page.get_by_role("button", name="Delete all").press("Enter")
    expect(tiles(page)).to_have_count(1)
    expect(row(page, "a boat")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(4)
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as gone:
        page.get_by_role("button", name="Delete all").click()
        expect(row(page, "a boat")).to_have_count(0)
        page.get_by_role("link", name="Account").click()
    assert (gone.value.url, gone.value.status) == (f"{looker.url}/v1/batches/{group['id']}", 204)
    assert user.call("GET", f"/v1/batches/{group['id']}").status_code == 404
    assert len(user.jobs()) == 1


def test_cancel_ends_the_unfinished_jobs_of_a_group(looker: Visitor, user: ApiUser) -> None:
    submit(user, "a boat", "a fox", "a hill", width=512, height=512, steps=50)
    page = look(looker)
    row(page, "a boat").press("Enter")
    expect(page.get_by_role("button", name="Delete all")).to_be_hidden()
    page.get_by_role("button", name="Cancel all").press("Enter")
    until(lambda: all(job["finished_at"] for job in user.jobs()), "the group has ended", limit_s=120)
    assert "cancelled" in {job["state"] for job in user.jobs()}
    expect(row(page, "a boat")).to_contain_text("cancelled")
    expect(page.get_by_role("button", name="Delete all")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel all")).to_be_hidden()
    expect(tiles(page)).to_have_count(3)


def test_a_filter_and_the_selection_reach_into_a_group(looker: Visitor, user: ApiUser) -> None:
    submit(user, "a boat", "a fox", "a hill")
    user.finished(limit_s=180)
    page = look(looker, "?q=fox")
    expect(row(page, "a boat")).to_contain_text("3 of 3 finished")
    row(page, "a boat").click()
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("checkbox", name="Select: a fox").check()
    expect(page.get_by_role("region", name="Notices")).to_contain_text("1 selected")
    page.get_by_role("region", name="Notices").get_by_role("button", name="Delete").click()
    expect(row(page, "a boat")).to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(row(page, "a boat")).to_contain_text("2 of 2 finished")


def test_a_group_of_several_pages_opens_to_all_its_jobs(person: Visitor, owner: Owner) -> None:
    """The largest group is more than three pages of the list; an older job comes after all of it."""
    owner.group(owner.copy("a fox", 200))
    page = look(person)
    older = page.get_by_role("link", name="a lighthouse on a cliff")
    expect(older.first).to_be_visible()
    expect(row(page, "a fox 1")).to_have_accessible_name("Group: a fox 1 200 of 200 finished")
    row(page, "a fox 1").press("Enter")
    inner = page.get_by_role("list", name="Jobs of the group: a fox 1")
    expect(inner.locator(".placard")).to_have_text([f"a fox {number}" for number in range(200, 0, -1)])
    last = inner.get_by_role("button", name="Actions: a fox 1", exact=True)
    last.focus()
    expect(last).to_be_in_viewport()
    expect(tiles(page)).to_have_count(201)
    stop_clock(page)
    page.get_by_role("button", name="Delete all").press("Enter")
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(tiles(page)).to_have_count(201)
    row(page, "a fox 1").press("Enter")
    expect(inner).to_be_hidden()
