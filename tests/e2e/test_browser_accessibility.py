"""Accessibility and layout of every page: no axe-core violations, no layout shifts."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import ApiUser
from tests.support.axe import axe_source, violations
from tests.support.cabinet import log_in
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")

GUEST = (
    "/",
    "/gallery/{published}",
    "/gallery/nothing",
    "/login",
    "/signup",
    "/reset",
    "/verify",
    "/likenesses",
    "/nowhere",
)
MEMBER = (
    "/create",
    "/create/many",
    "/stylize",
    "/scenes",
    "/likenesses",
    "/pictures",
    "/pictures?q=nothing",
    "/pictures/{published}",
    "/pictures/{failed}",
    "/account",
)
OPEN_EVERYTHING = "() => document.querySelectorAll('main details').forEach((part) => { part.open = true; })"


@pytest.fixture(scope="module")
def owner(site: RunningSite) -> Iterator[ApiUser]:
    with ApiUser(site.url) as user:
        yield user


@pytest.fixture(scope="module")
def jobs(owner: ApiUser, site_services: Services) -> dict[str, str]:
    """Return the ids of a published job with two pictures and of a failed job."""
    published = owner.submit("a lighthouse on a cliff", n=2, negative_prompt="fog", style="oil")["id"]
    failed = owner.submit("a boat that will not float")["id"]
    owner.finished()
    with site_services.db.begin() as connection:
        fail = "UPDATE jobs SET state = 'failed', error_code = :code, error_message = :words WHERE id = :id"
        words = "Given up after 3 attempts. The generator reported an error for this job."
        connection.execute(text(fail), {"code": "generator_failed", "words": words, "id": failed})
    assert owner.call("PUT", f"/v1/jobs/{published}/publication").status_code == 200
    return {"published": published, "failed": failed}


@contextmanager
def looking(site: RunningSite, theme: str, owner: ApiUser | None, width: int = 1280) -> Iterator[Visitor]:
    """Open the site in one theme, with reduced motion so that nothing is caught half faded in."""
    viewport = {"width": width, "height": 900}
    with visitor(site.url, site.s3_url, color_scheme=theme, reduced_motion="reduce", viewport=viewport) as person:
        if owner is not None:
            log_in(person, owner)
        yield person


def settle(person: Visitor, path: str, *, by_load: bool = True) -> None:
    """Open a page, by a load (`by_load`) or like the site's links do, and wait until it is complete."""
    person.expected = [f"/v1{path}"]
    if by_load:
        person.page.goto(person.url + path)
    else:
        person.follow(path)
    person.see_complete()


@pytest.mark.parametrize(
    "view",
    [("guest", "light"), ("member", "dark"), *repeats(("guest", "dark"), ("member", "light"))],
    ids="-".join,
)
def test_no_accessibility_violations(
    site: RunningSite, owner: ApiUser, jobs: dict[str, str], view: tuple[str, str]
) -> None:
    who, theme = view
    source = axe_source()
    found = {}
    with looking(site, theme, owner if who == "member" else None) as person:
        for index, pattern in enumerate(MEMBER if who == "member" else GUEST):
            settle(person, pattern.format(**jobs), by_load=index == 0)
            person.page.evaluate(OPEN_EVERYTHING)
            found[pattern] = violations(person.page, source)
        assert person.complaints == []
    assert {path: rules for path, rules in found.items() if rules} == {}


@pytest.mark.parametrize("width", [360, *repeats(1280, 3840)])
def test_nothing_shifts_and_nothing_overflows(
    site: RunningSite, owner: ApiUser, jobs: dict[str, str], width: int
) -> None:
    with looking(site, "light", owner, width) as person:
        for pattern in (*GUEST[:2], *MEMBER):
            settle(person, pattern.format(**jobs))
            sticks_out = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert person.page.evaluate(sticks_out) <= 0, pattern
            assert person.moved() < 0.05, pattern
        assert person.complaints == []


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    site: RunningSite, owner: ApiUser, jobs: dict[str, str]
) -> None:
    with looking(site, "light", owner) as person:
        for pattern in ("/", "/gallery/{published}", "/create", "/pictures", "/pictures/{published}", "/account"):
            settle(person, pattern.format(**jobs))
            person.page.evaluate(NAMING)
            wanted = set(person.page.evaluate("window.reachable()"))
            assert len(wanted) > 8, pattern
            seen: set[str] = set()
            person.page.keyboard.press("Tab")
            expect(person.page.locator("#skip")).to_be_focused()
            while (at := person.page.evaluate("window.focused()"))["name"] not in seen:
                assert at["shows"], f"{pattern}: {at['name']} has the focus and does not show it"
                seen.add(at["name"])
                person.page.keyboard.press("Tab")
            # The gallery's "Show more" disappears when the last page has been loaded on focus.
            assert wanted & set(person.page.evaluate("window.reachable()")) <= seen, pattern


# Elements named by their position; what Tab must reach; and what it has reached. Radio buttons are left out:
# Tab reaches one of each group.
NAMING = """() => {
  const nameOf = (node) => {
    const steps = [];
    for (let at = node; at?.parentElement; at = at.parentElement) {
      steps.unshift(`${at.localName}${[...at.parentElement.children].indexOf(at)}`);
    }
    return `${node.textContent.trim().slice(0, 30)} ${steps.join(" ")}`;
  };
  const CONTROLS = "a[href], button:enabled, input:enabled:not([type=radio]), textarea, select, summary";
  window.reachable = () => [...document.querySelectorAll(CONTROLS)]
    .filter((node) => node.tabIndex >= 0 && node.checkVisibility({contentVisibilityAuto: false}))
    .map(nameOf);
  const shows = (node) => {
    const style = node && getComputedStyle(node);
    return Boolean(style) && (style.outlineStyle !== "none" || style.boxShadow !== "none");
  };
  window.focused = () => {
    const at = document.activeElement;
    return {name: nameOf(at), shows: at === document.body || shows(at) || shows(at.nextElementSibling)};
  };
}"""
