"""Messages of the browser: subscribing on a click, the worker that shows them, and the site as an installed one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, CDPSession, Page, expect
from sqlalchemy import text

from shared.notify import push_keys
from shared.services import Services
from tests.support.api_user import ApiUser
from tests.support.cabinet import log_in
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

ENDPOINT = "https://push.example.com/send/1"
# A push service is another company's server, which a test does not ask. What the page hands over is real.
SUBSCRIBE = """
PushManager.prototype.subscribe = async function (options) {
  window.asked = options;
  const endpoint = "https://push.example.com/send/1";
  const keys = {p256dh: "B" + "A".repeat(86), auth: "A".repeat(22)};
  const subscription = {
    endpoint, toJSON: () => ({endpoint, expirationTime: null, keys}), unsubscribe: async () => true,
  };
  PushManager.prototype.getSubscription = async () => subscription;
  return subscription;
};
"""
SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(
  ({title, tag, lang, data}) => ({title, tag, lang, url: data.url}))"""


@pytest.fixture
def member(browser: Browser, site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        person.page.context.grant_permissions(["notifications"], origin=site.url)
        person.page.add_init_script(SUBSCRIBE)
        log_in(person, user)
        person.page.goto(person.url)
        if person.page.evaluate("Notification.permission") != "granted":
            pytest.skip("this browser shows no notifications, as Chromium's headless shell")
        yield person
        assert person.complaints == []


@pytest.fixture
def waiting_job(user: ApiUser) -> str:
    """Submit a job that runs for long enough to be looked at."""
    return str(user.submit("a castle by a lake at dusk", n=8, width=768, height=512, steps=150)["id"])


def endpoints(services: Services) -> list[str]:
    with services.db.statement() as connection:
        return list(connection.execute(text("SELECT endpoint FROM push_subscriptions")).scalars())


def deliver(session: CDPSession, page: Page, origin: str, data: str) -> None:
    """Hand a message to the worker as a push service's message is, after it was decrypted."""
    found: list[dict[str, Any]] = []
    session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
    session.send("ServiceWorker.enable")
    until(lambda: page.evaluate("1") and found, "the worker's registration is known", 60, 0.05)
    registration = found[-1]["registrationId"]
    given = {"origin": origin, "registrationId": registration, "data": data}
    session.send("ServiceWorker.deliverPushMessage", given)


def test_a_click_subscribes_and_another_one_leaves(member: Visitor, site_services: Services, waiting_job: str) -> None:
    key = push_keys.ensure(site_services).application_key
    page = member.page
    page.goto(f"{member.url}/pictures/{waiting_job}")
    button = page.get_by_role("button", name="Notify me when it is done")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert endpoints(site_services) == []
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    until(lambda: page.evaluate("1") and endpoints(site_services) == [ENDPOINT], "the browser is known", 60, 0.05)
    assert page.evaluate("window.asked") == {"userVisibleOnly": True, "applicationServerKey": key}
    assert page.evaluate("navigator.serviceWorker.ready.then(({active}) => active.scriptURL)").endswith(
        "/service-worker.js"
    )
    button.click()
    until(lambda: page.evaluate("1") and endpoints(site_services) == [], "the browser is forgotten", 60, 0.05)


def test_the_account_counts_browsers_and_says_why_this_one_is_not(
    member: Visitor, site_services: Services, user: ApiUser
) -> None:
    push_keys.ensure(site_services)
    page = member.page
    page.goto(f"{member.url}/account")
    part = page.get_by_role("region", name="Notifications")
    button = part.get_by_role("button", name="Notify me in this browser")
    expect(part).to_contain_text("Browser notifications are on in 0 browsers.")
    button.click()
    expect(part).to_contain_text("Browser notifications are on in 1 browser.")
    expect(button).to_have_attribute("aria-pressed", "true")
    assert endpoints(site_services) == [ENDPOINT]
    button.click()
    expect(part).to_contain_text("Browser notifications are on in 0 browsers.")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.evaluate("() => { PushManager.prototype.subscribe = () => Promise.reject(new Error()) }")
    button.click()
    expect(part).to_contain_text("you are notified only while a page of Easel is open")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(part).not_to_contain_text("only while a page")
    page.evaluate("() => { Notification.requestPermission = async () => 'denied' }")
    button.click()
    expect(part).to_contain_text("Your browser blocks notifications from Easel.")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert endpoints(site_services) == []


def test_the_worker_shows_a_message(member: Visitor, waiting_job: str) -> None:
    page = member.page
    page.goto(f"{member.url}/pictures/{waiting_job}")
    page.get_by_role("button", name="Notify me when it is done").click()
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    session = page.context.new_cdp_session(page)
    said = {"title": "Your picture is ready.", "url": f"/pictures/{waiting_job}", "tag": "easel-x", "lang": "en"}
    deliver(session, page, member.url, json.dumps(said))
    until(lambda: page.evaluate(SHOWN) == [said], "the message is shown", 60, 0.05)


def test_the_site_can_be_installed(member: Visitor) -> None:
    member.page.goto(member.url)
    manifest = member.page.context.new_cdp_session(member.page).send("Page.getAppManifest")
    assert (manifest["url"], manifest["errors"]) == (f"{member.url}/manifest.json", [])
    for icon in json.loads(manifest["data"])["icons"]:
        answer = requests.get(member.url + icon["src"], timeout=30)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    worker = requests.get(f"{member.url}/service-worker.js", timeout=30)
    assert worker.headers["cache-control"] == "no-cache"
    assert "javascript" in worker.headers["content-type"]
