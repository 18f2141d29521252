"""A user of the site in a real browser with an empty profile, who finds elements by their text."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

from tests.support.chromium import chromium

LOAD_MS = 30_000
# Records each change of what a job's page shows, violations of the security policy, and layout shifts.
RECORDER = """
window.shown = [];
new MutationObserver(() => {
  const panel = document.querySelector(".progress-panel");
  if (panel === null) return;
  const now = [panel.dataset.state, panel.querySelector(".hint").textContent, panel.querySelector("progress").value];
  const last = window.shown.at(-1);
  if (JSON.stringify(now) !== JSON.stringify(last)) window.shown.push(now);
}).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`against the policy ${event.violatedDirective}: ${event.blockedURI}`);
});
{
  let moved = 0;
  const add = (shifts) => shifts.forEach(({hadRecentInput, value}) => { moved += hadRecentInput ? 0 : value; });
  const observer = new PerformanceObserver((list) => add(list.getEntries()));
  observer.observe({type: "layout-shift", buffered: true});
  window.moved = () => {
    add(observer.takeRecords());
    return moved;
  };
}
"""
# Clicks a link of the site. Marks the present view, so that its end can be awaited.
FOLLOW = """(path) => {
  document.querySelector("main").firstElementChild.dataset.left = "";
  const link = Object.assign(document.createElement("a"), {href: path});
  link.dataset.route = "";
  document.body.append(link);
  link.click();
  link.remove();
}"""


class Visitor:
    """The actions of a user. `complaints` are console errors, script errors, and requests to other origins.

    `expected` are paths whose refusals a test provokes: the browser's log of such a response is not a complaint.
    """

    def __init__(self, page: Page, url: str, allowed_origins: tuple[str, ...]) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self._allowed = allowed_origins
        page.set_default_timeout(LOAD_MS)
        expect.set_options(timeout=LOAD_MS)
        page.add_init_script(RECORDER)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._check_place)

    def sign_up(self, email: str, password: str) -> None:
        """Go from the front page to the create form."""
        self.page.goto(self.url)
        self.page.get_by_role("link", name="Sign up").click()
        self._fill_account(email, password, "Sign up")

    def log_in(self, email: str, password: str) -> None:
        """Go from the front page to the create form."""
        self.page.goto(self.url)
        self.page.get_by_role("link", name="Log in").click()
        self._fill_account(email, password, "Log in")

    def log_out(self) -> None:
        """Log out and return to the front page as a guest."""
        self.page.get_by_role("link", name="Account: ").click()
        self.see_complete()  # or a list that is still loading gets a 401
        self.page.get_by_role("button", name="Log out", exact=True).click()
        expect(self.page.get_by_role("link", name="Log in")).to_be_visible()

    def submit(self, prompt: str, *, quality: str, count: int) -> None:
        """Submit the form and open the new job's page."""
        self.page.get_by_label("Describe your picture").fill(prompt)
        self.page.locator(".option", has_text=quality).click()
        self.page.locator(".choice-n .option", has_text=str(count)).click()
        self.page.get_by_role("button", name="Paint it").click()
        expect(self.page.get_by_role("heading", name=prompt)).to_be_visible()

    def follow(self, path: str) -> None:
        """Go to another page like the site's links do, without a reload. Returns when the view is shown."""
        self.page.evaluate(FOLLOW, path)
        expect(self.page.locator("main [data-left]")).to_have_count(0)

    def see_complete(self) -> None:
        """Wait until the page has its heading and everything that it fetches, pictures too."""
        expect(self.page.get_by_role("heading", level=1)).to_be_visible()
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator("[aria-busy=true], .loading")).to_have_count(0)

    def moved(self) -> float:
        """Return the cumulative layout shift of the page, without shifts after user input (Layout Instability API)."""
        return float(self.page.evaluate("() => window.moved()"))

    def see_finished(self, limit_s: float) -> list[list[Any]]:
        """Wait for the end of the job on this page. Returns what was shown: state, text of the wait, progress."""
        expect(self.page.get_by_test_id("job-state")).to_have_text("Finished", timeout=limit_s * 1000)
        shown: list[list[Any]] = self.page.evaluate("window.shown")
        return shown

    def see_pictures(self, where: str, count: int, *, name: str) -> list[str]:
        """Return the addresses of the first `count` pictures in the list called `name`, all loaded."""
        if where:
            self.page.goto(self.url + where)
        pictures = self.page.get_by_role("list", name=name).locator("img.picture")
        expect(pictures.nth(count - 1)).to_be_attached()
        return [self._loaded(pictures.nth(number)) for number in range(count)]

    def _loaded(self, picture: Locator) -> str:
        picture.scroll_into_view_if_needed()
        handle = picture.element_handle()
        self.page.wait_for_function("(picture) => picture.complete && picture.naturalWidth > 0", arg=handle)
        return str(picture.evaluate("(picture) => picture.currentSrc"))

    def _fill_account(self, email: str, password: str, button: str) -> None:
        self.page.get_by_role("textbox", name="Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name=button).click()
        expect(self.page.get_by_label("Describe your picture")).to_be_visible()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        place = urlsplit(message.location["url"]).path
        # A browser logs every 401; this one is how the site learns that no user is signed in.
        if "status of 401" in message.text and place == "/v1/me":
            return
        if "the server responded with a status of 4" in message.text and place in self.expected:
            return
        self.complaints.append(f"console: {message.text} ({place})")

    def _check_place(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" not in self._allowed:
            self.complaints.append(f"elsewhere: {request.url}")


def stop_clock(page: Page) -> None:
    """Stop the clock of the page's scripts, a minute from now: what they show for a while stays."""
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(minutes=1))


@contextmanager
def visitor(url: str, pictures_url: str, *others: str, **options: Any) -> Iterator[Visitor]:
    """Yield a visitor of the site at url, with pictures from pictures_url. Skips the test without a browser.

    `others` are more origins where the site's pages lead.
    `options` are those of the browser context, such as color_scheme.
    """
    with chromium() as browser:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options})
        try:
            yield Visitor(context.new_page(), url, (url, pictures_url, *others))
        finally:
            context.close()
