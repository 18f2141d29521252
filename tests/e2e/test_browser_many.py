"""Many pictures at once, in a real browser: lines, a CSV and a matrix, counted before they are submitted."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.api_user import ApiUser
from tests.support.cabinet import log_in
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")


@pytest.fixture
def painter(site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    """Open the page on a phone, logged in."""
    with visitor(site.url, site.s3_url, viewport={"width": 360, "height": 900}) as person:
        log_in(person, user)
        person.page.goto(f"{person.url}/create/many")
        expect(rows(person.page)).to_be_visible()
        yield person


def rows(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Prompts", exact=True)


def form(page: Page, heading: str) -> Locator:
    return page.locator("form").filter(has=page.get_by_role("heading", name=heading))


def test_a_csv_is_counted_and_then_submitted_as_one_group(painter: Visitor, user: ApiUser) -> None:
    page = painter.page
    text = "prompt,quality,size,seed\na boat,draft,64x64,1\na fox,draft,64x64,2\n"
    page.locator("input[type=file]").set_input_files(
        {"name": "two.csv", "mimeType": "text/csv", "buffer": text.encode()}
    )
    expect(rows(page)).to_have_value(text)
    part = form(page, "A list of prompts")
    part.get_by_role("button", name="Count and price").press("Enter")
    expect(part.get_by_role("status")).to_contain_text("2 picture jobs, cost")
    assert user.call("GET", "/v1/jobs").json()["jobs"] == []
    part.get_by_role("button", name="Make all of them").press("Enter")
    page.wait_for_url("**/pictures")
    jobs = user.call("GET", "/v1/jobs").json()["jobs"]
    assert sorted((job["prompt"], job["settings"]["seed"]) for job in jobs) == [("a boat", 1), ("a fox", 2)]
    assert len({job["group_id"] for job in jobs}) == 1
    assert painter.complaints == []


def test_ten_thousand_lines_are_refused_at_once(painter: Visitor) -> None:
    page = painter.page
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/v1/batches" in request.url else None)
    rows(page).fill("a fox")
    # The browser never lays the lines out, which takes it seconds: there is no input.
    rows(page).evaluate("(node) => node.addEventListener('input', () => { window.hasInput = true; }, {once: true})")
    rows(page).fill("a boat\n" * 10_000)
    expect(page.get_by_text("Too many: at most 200.")).to_be_visible()
    expect(rows(page)).to_have_value("a fox")
    assert page.evaluate("window.hasInput") is None
    rows(page).fill("a boat\n" * 200)
    expect(page.get_by_text("Too many: at most 200.")).to_be_hidden()
    page.keyboard.press("x")
    expect(page.get_by_text("Too many: at most 200.")).to_be_visible()
    expect(rows(page)).to_have_value("a boat\n" * 200)
    assert sent == []


def test_a_file_with_too_many_rows_is_refused_before_it_is_shown(painter: Visitor) -> None:
    page = painter.page
    page.locator("input[type=file]").set_input_files(
        {"name": "many.txt", "mimeType": "text/plain", "buffer": b"a boat\n" * 10_000}
    )
    expect(page.get_by_text("Too many: at most 200.")).to_be_visible()
    expect(rows(page)).to_have_value("")


def test_a_row_that_the_api_refuses_is_named(painter: Visitor) -> None:
    painter.expected = ["/v1/batches"]
    page = painter.page
    rows(page).fill("prompt,style\na boat,oil\na fox,nothing\n")
    part = form(page, "A list of prompts")
    part.get_by_role("button", name="Count and price").click()
    expect(part.get_by_role("alert")).to_contain_text("Row 2: style")


def test_a_matrix_is_counted_by_its_combinations(painter: Visitor) -> None:
    page = painter.page
    part = form(page, "One prompt in several styles and seeds")
    part.get_by_label("Describe your picture").fill("a boat")
    for key in ("oil", "watercolour"):
        part.locator(f"input[value={key}]").focus()
        page.keyboard.press("Space")
    part.get_by_label("Seeds").fill("1, 2, 3")
    part.get_by_role("button", name="Count and price").click()
    expect(part.get_by_role("status")).to_contain_text("6 picture jobs")
    part.get_by_label("Seeds").fill("1, 2")
    expect(part.get_by_role("button", name="Make all of them")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
