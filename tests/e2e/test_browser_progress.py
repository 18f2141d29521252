"""The page of a job, from the queue to the pictures: in several tabs, with reloads, lost networks and hidden tabs."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, Response, Route, expect

from shared.services import Services
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.axe import axe_source, violations
from tests.support.backstage import Backstage, finish
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, stop_clock
from tests.support.waiting import until

PROMPT = "a lighthouse on a cliff at night, in a storm"
SHORT = "a lighthouse on a cliff at night, in a…"
OFFLINE = "net::ERR_INTERNET_DISCONNECTED"
UNAVAILABLE = {"type": "about:blank", "title": "Try later.", "status": 503, "code": "unavailable"}
# Overrides document.hidden, and records notifications instead of showing them. There is no push service: pages tell.
STAGE = """
delete window.PushManager;
let hidden = false;
Object.defineProperty(Document.prototype, "hidden", {get: () => hidden});
Object.defineProperty(Document.prototype, "visibilityState", {get: () => hidden ? "hidden" : "visible"});
window.setHidden = (value) => {
  hidden = value;
  document.dispatchEvent(new Event("visibilitychange", {bubbles: true}));
};
window.notified = [];
window.focused = 0;
window.focus = () => { window.focused += 1; };
window.Notification = class extends EventTarget {
  static permission = "default";
  static asked = 0;
  static async requestPermission() {
    this.asked += 1;
    return this.permission = "granted";
  }
  constructor(title, {body, tag}) {
    super();
    window.notified.push({title, body, tag});
    window.lastNotification = this;
  }
  close() {}
};
"""


@pytest.fixture
def backstage(site_services: Services, user: ApiUser) -> Backstage:
    return Backstage(site_services, user)


@pytest.fixture
def person(browser: Browser, site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    """Open the site as a logged-in user, with a page that can be hidden."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB") as context:
        person = Visitor(context.new_page(), site.url, (site.url, site.s3_url))
        person.page.add_init_script(STAGE)
        account = {"email": user.email, "password": PASSWORD}
        assert context.request.post(f"{site.url}/v1/login", data=account).ok
        yield person
        assert [words for words in person.complaints if OFFLINE not in words] == []


@pytest.fixture
def job(user: ApiUser, backstage: Backstage) -> str:
    """Submit a job that waits until it is released. Returns its id."""
    backstage.hold()
    return str(user.submit(PROMPT)["id"])


def open_job(person: Visitor, job: str, page: Page | None = None) -> Page:
    page = page or person.page
    page.goto(f"{person.url}/pictures/{job}")
    expect(page.get_by_role("heading", name=PROMPT)).to_be_visible()
    return page


def state_of(page: Page) -> Any:
    return expect(page.get_by_test_id("job-state"))


def icon_of(page: Page) -> str:
    return unquote(page.locator("link[rel=icon]").get_attribute("href") or "")


def looks_at(page: Page, job: str) -> list[Request]:
    """Return a list that collects the page's requests about this job from now on."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if f"/v1/jobs/{job}" in request.url else None)
    return asked


def test_a_job_is_shown_from_the_queue_to_the_pictures(
    person: Visitor, user: ApiUser, backstage: Backstage, job: str
) -> None:
    page = open_job(person, job)
    state_of(page).to_have_text("Waiting in the queue")
    expect(page.locator(".progress-panel .hint")).to_have_text(
        re.compile("Next in the queue|Place [0-9]+ in the queue")
    )
    expect(page).to_have_title(re.compile(f"Place [0-9]+ · {SHORT} · Easel"))

    backstage.put_to_work(job, 0.37)
    state_of(page).to_have_text("Being painted")
    expect(page).to_have_title(f"37 % · {SHORT} · Easel")
    expect(page.get_by_text("Shapes appear")).to_be_visible()
    expect(page.get_by_text("Painting started")).to_be_visible()
    bar = page.get_by_role("progressbar", name="Progress")
    expect(bar).to_have_js_property("value", 0.37)
    ring = icon_of(page)
    assert ring.startswith("data:image/svg+xml,<svg")
    assert "stroke-dasharray" in ring

    page.reload()
    expect(bar).to_have_js_property("value", 0.37)
    state_of(page).to_have_text("Being painted")
    backstage.put_to_work(job, 0.2)
    backstage.put_to_work(job, 0.71)
    expect(page.get_by_text("71 %")).to_be_visible()
    shown = [bar for state, _, bar in page.evaluate("window.shown") if state == "generating"]
    assert shown == sorted(shown)

    backstage.let_go()
    state_of(page).to_have_text("Finished")
    expect(page).to_have_title(f"Finished · {SHORT} · Easel")
    assert icon_of(page) not in ("/favicon.svg", ring)
    assert len(person.see_pictures("", 1, name="Your pictures")) == 1
    page.get_by_role("link", name="My pictures").click()
    expect(page).to_have_title("My pictures · Easel")
    assert icon_of(page) == "/favicon.svg"


def test_no_accessibility_violations_while_it_is_painted(person: Visitor, backstage: Backstage, job: str) -> None:
    source = axe_source()
    page = open_job(person, job)
    assert violations(page, source) == []
    backstage.put_to_work(job, 0.4)
    state_of(page).to_have_text("Being painted")
    assert violations(page, source) == []


def show_delay(person: Visitor, job: str, code: str, detail: str) -> Locator:
    """Open the job's page as if the job waited for this reason, with 47 s left; return its panel."""
    told = {"at": "2026-01-01T12:00:00Z", "event": "waiting", "code": code, "detail": detail}

    def add(route: Route) -> None:
        answer = route.fetch()
        body = answer.json() if answer.status == 200 else None
        if body is not None:
            body["timeline"].append(told)
            body["eta_seconds"] = 47
        route.fulfill(response=answer, json=body) if body is not None else route.fulfill(response=answer)

    person.page.route(f"**/v1/jobs/{job}", add)
    open_job(person, job)
    return person.page.locator(".progress-panel")


def test_no_estimate_is_shown_while_a_model_loads(person: Visitor, job: str) -> None:
    panel = show_delay(person, job, "generator_loading", "The generator is loading its model, which takes about 300 s.")
    expect(panel).to_contain_text("The generator is loading its model, which takes about 300 s.")
    expect(panel).not_to_contain_text("left")
    person.page.unroute_all()


def test_the_reason_for_a_delay_is_shown(person: Visitor, job: str) -> None:
    page = person.page
    stop_clock(page)
    panel = show_delay(person, job, "generator_busy", "in English")
    expect(panel).to_contain_text("The generator accepts no more work right now.")
    expect(panel.locator(".hint")).to_contain_text("about 45 seconds left")
    page.clock.run_for(5_000)
    expect(panel.locator(".hint")).to_contain_text("about 40 seconds left")
    page.unroute_all()


def test_a_waiting_job_is_cancelled_and_painted_after_all(
    person: Visitor, user: ApiUser, backstage: Backstage, job: str
) -> None:
    page = open_job(person, job)
    page.get_by_role("button", name="Cancel").click()
    state_of(page).to_have_text("Cancelled")
    expect(page).to_have_title(f"Cancelled · {SHORT} · Easel")
    backstage.let_go()
    page.get_by_role("button", name="Paint it after all").dblclick()
    state_of(page).to_have_text("Finished")
    assert job not in page.url
    assert len(user.jobs()) == 2


def test_a_running_job_is_stopping_until_it_has_stopped(person: Visitor, backstage: Backstage, job: str) -> None:
    page = open_job(person, job)
    backstage.put_to_work(job, 0.5)
    state_of(page).to_have_text("Being painted")
    held: list[Route] = []
    page.route("**/cancel", lambda route: held.append(route))  # noqa: PLW0108 # Playwright marks its handlers
    page.get_by_role("button", name="Cancel").click()
    state_of(page).to_have_text("Stopping")
    expect(page.get_by_text("Waiting for the generator to stop.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancelling")).to_be_disabled()
    until(lambda: page.evaluate("1") and held, "the request is held")
    held[0].abort()
    expect(page.get_by_role("alert").filter(has_text="Easel cannot be reached.")).to_be_visible()
    state_of(page).to_have_text("Being painted")
    page.unroute_all()
    person.complaints = [words for words in person.complaints if "net::ERR_FAILED" not in words]
    page.get_by_role("button", name="Cancel").click()
    state_of(page).to_have_text("Cancelled")


def test_a_failed_job_says_why_and_is_tried_again_once(
    person: Visitor, user: ApiUser, backstage: Backstage, job: str
) -> None:
    page = open_job(person, job)
    backstage.fail(job, "generator_refused", "The generator refused the order.")
    state_of(page).to_have_text("Failed")
    reason = page.locator(".progress-panel").get_by_text("The generator refused this request. Other settings may help.")
    expect(reason).to_be_visible()
    expect(page).to_have_title(f"Failed · {SHORT} · Easel")
    backstage.let_go()
    page.get_by_role("button", name="Try again").dblclick()
    state_of(page).to_have_text("Finished")
    assert [entry["state"] for entry in user.jobs()] == ["succeeded", "failed"]


def test_tabs_inform_each_other(person: Visitor, user: ApiUser, backstage: Backstage, job: str) -> None:
    first = open_job(person, job)
    other = Visitor(first.context.new_page(), person.url, (person.url,))
    other.page.add_init_script(STAGE)
    second = open_job(other, job)
    second.evaluate("window.setHidden(true)")
    asked = looks_at(second, job)
    backstage.put_to_work(job, 0.4)
    expect(second).to_have_title(f"40 % · {SHORT} · Easel")
    first.get_by_role("button", name="Cancel").click()
    state_of(second).to_have_text("Cancelled")
    assert [request for request in asked if "wait=" not in request.url] == [], "the hidden tab asked for itself"
    first.clock.install()
    first.get_by_role("button", name="Delete").click()
    expect(first.get_by_role("heading", name="My pictures")).to_be_visible()
    first.clock.fast_forward("00:30")
    expect(second.get_by_role("heading", name="This picture does not exist.")).to_be_visible()
    assert other.complaints == []


def test_a_job_deleted_on_another_device_is_gone_when_the_tab_is_visible_again(
    person: Visitor, user: ApiUser, backstage: Backstage, job: str
) -> None:
    backstage.let_go()
    page = open_job(person, job)
    state_of(page).to_have_text("Finished")
    page.evaluate("window.setHidden(true)")
    assert user.call("DELETE", f"/v1/jobs/{job}").status_code == 204
    person.expected = [f"/v1/jobs/{job}"]
    page.evaluate("window.setHidden(false)")
    expect(page.get_by_role("heading", name="This picture does not exist.")).to_be_visible()


def test_offline_and_back(person: Visitor, backstage: Backstage, job: str) -> None:
    page = open_job(person, job)
    backstage.put_to_work(job, 0.4)
    expect(page.get_by_text("40 %")).to_be_visible()
    page.context.set_offline(True)
    notice = page.get_by_role("region", name="Notices")
    expect(notice).to_contain_text("You are offline.")
    expect(page.locator("#announcer")).to_contain_text("You are offline.")
    expect(page.get_by_role("heading", name=PROMPT)).to_be_visible()
    backstage.let_go()
    page.context.set_offline(False)
    expect(notice).to_contain_text("Back online.")
    state_of(page).to_have_text("Finished")
    expect(notice.locator(".connection")).to_have_count(0)


def test_a_gateway_that_breaks_down_for_a_while(person: Visitor, backstage: Backstage, job: str) -> None:
    page = person.page
    pattern = re.compile(f"/v1/jobs/{job}")
    problem = {"status": 503, "content_type": "application/problem+json", "body": json.dumps(UNAVAILABLE)}
    page.route(pattern, lambda route: route.fulfill(**problem))
    page.goto(f"{person.url}/pictures/{job}")
    notice = page.get_by_role("region", name="Notices")
    expect(notice).to_contain_text("Connection lost.")
    page.unroute_all()
    expect(notice).to_contain_text("Back online.")  # for four seconds
    backstage.let_go()
    state_of(page).to_have_text("Finished")
    person.complaints = [words for words in person.complaints if "status of 503" not in words]


def test_another_view_notices_the_lost_connection_and_its_return(person: Visitor) -> None:
    page = person.page
    page.route("**/v1/**", lambda route: route.abort("connectionreset"))
    page.goto(f"{person.url}/pictures")
    notice = page.get_by_role("region", name="Notices")
    expect(notice).to_contain_text("Connection lost.")
    page.unroute_all()
    expect(notice).to_contain_text("Back online.")
    person.complaints = [words for words in person.complaints if "ERR_CONNECTION_RESET" not in words]


def test_a_hidden_tab_polls_rarely_and_still_shows_the_end(
    person: Visitor, user: ApiUser, backstage: Backstage, job: str
) -> None:
    page = person.page
    page.clock.install()
    with page.expect_request(re.compile("wait=20")):  # the answer is held from here on
        open_job(person, job)
    tell = page.get_by_role("button", name="Notify me when it is done")
    assert page.evaluate("Notification.asked") == 0
    tell.click()
    expect(tell).to_have_attribute("aria-pressed", "true")
    asked = looks_at(page, job)
    page.evaluate("window.setHidden(true)")
    backstage.put_to_work(job, 0.5)
    expect(page).to_have_title(f"50 % · {SHORT} · Easel")
    backstage.let_go()
    finish(user, job)
    page.clock.fast_forward("00:20")
    expect(page).to_have_title(f"Finished · {SHORT} · Easel")
    assert {"wait=" in request.url for request in asked} == {False}
    assert page.evaluate("window.notified") == [
        {"title": "Your picture is finished", "body": PROMPT, "tag": f"easel-{job}"}
    ]
    page.evaluate("window.lastNotification.dispatchEvent(new Event('click'))")
    assert page.evaluate("window.focused") == 1


def test_a_visible_page_shows_no_notification(person: Visitor, backstage: Backstage, job: str) -> None:
    page = person.page
    page.add_init_script("Notification.permission = 'granted';")
    open_job(person, job)
    tell = page.get_by_role("button", name="Notify me when it is done")
    tell.click()
    page.reload()
    expect(tell).to_have_attribute("aria-pressed", "true")
    backstage.let_go()
    state_of(page).to_have_text("Finished")
    assert page.evaluate("window.notified") == []


def test_nothing_is_sent_twice_while_nothing_changes(person: Visitor, job: str) -> None:
    page = person.page
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if f"/v1/jobs/{job}" in answer.url else None)
    with page.expect_response(lambda answer: answer.status == 304 and job in answer.url, timeout=40_000):
        open_job(person, job)
    assert [answer.status for answer in answers] == [200, 304]
    asked, answered = (answers[1].request.timing[name] for name in ("requestStart", "responseStart"))
    assert answered - asked > 10_000, "less than one request in ten seconds"


def test_each_picture_has_its_links(person: Visitor, user: ApiUser, backstage: Backstage) -> None:
    job = user.submit(PROMPT, n=2, describe=True, seed=41)["id"]
    finish(user, job)
    page = person.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_job(person, job)
    [_, image] = user.job(job)["images"]
    second = page.get_by_role("list", name="Your pictures").get_by_role("listitem").nth(1)
    expect(second).to_contain_text("Picture 2 of 2 · Seed 42")
    expect(second).to_contain_text(image["description"])
    expect(second.get_by_role("link", name="Download")).to_have_attribute("href", f"{image['link']}?download=1")
    expect(second.get_by_role("link", name="Start from this picture")).to_have_attribute(
        "href", f"/create?start={image['id']}"
    )
    second.get_by_role("link", name="Open full size").click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_contain_text("2 of 2")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("1 of 2")
    page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)
    stop_clock(page)
    second.get_by_role("button", name="Copy link").click()
    expect(second.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == person.url + image["link"]
