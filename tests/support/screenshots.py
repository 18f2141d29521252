"""The pictures of the site in the docs, taken from a running stack: `make screenshots`.

A visitor who is made up for it uses the stack that runs here (or one that is started for the occasion), and the docs
get what such a visitor sees.
"""

import io
import secrets
import sys

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from local.config import CHECKOUT, Config
from local.demo import reachable_site
from local.stack import StackError
from tests.support.api_user import gallery_of
from tests.support.chromium import chromium
from tests.support.visitor import Visitor

DOCS = CHECKOUT / "docs"
SIZE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
PASSWORD = secrets.token_urlsafe(24)
EXAMPLES = 12
PAINTED_A_BIT = "() => document.querySelector('.progress-panel progress')?.value > 0.4"
PROMPT = "a lighthouse on a cliff at night, storm"
OTHERS = (
    "a red fox in the snow, first light of the morning",
    "an orchard in bloom, watercolour",
    "a harbour at dusk, fog, small boats",
    "a castle above the clouds, low poly",
    "stained glass: a fish and the moon",
)

DECODE_THE_SEEN = """() => Promise.all([...document.images]
  .filter((image) => image.getBoundingClientRect().top < innerHeight)
  .map((image) => image.decode().catch(() => null)))"""


def save(page: Page, name: str, *, at_once: bool = False) -> None:
    """What the window shows, as docs/<name>.webp, once all of it is there."""
    if not at_once:
        expect(page.locator("[aria-busy=true], .loading")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        page.evaluate(DECODE_THE_SEEN)
    path = DOCS / f"{name}.webp"
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(path, quality=82, method=6)
    print(f"{path.relative_to(CHECKOUT)}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def window(browser: Browser, url: str, **options: object) -> Visitor:
    """A window of somebody new."""
    context = browser.new_context(**{"viewport": SIZE, "locale": "en-GB", **options})
    return Visitor(context.new_page(), url, (url,))


def take_pictures(browser: Browser, url: str) -> None:
    gallery_of(url, EXAMPLES)
    guest = window(browser, url)
    guest.page.goto(url)
    save(guest.page, "gallery")
    guest.page.locator(".wall a.hung").nth(2).click()
    expect(guest.page.get_by_role("link", name="Use this prompt")).to_be_visible()
    save(guest.page, "picture")

    member = window(browser, url, reduced_motion="reduce")  # so that bar and canvas show the moment that the words tell
    member.sign_up(f"painter-{secrets.token_hex(4)}@example.com", PASSWORD)
    for prompt in OTHERS:
        member.submit(prompt, quality="Normal", count=1)
        member.see_finished(limit_s=300)
        member.page.goto(f"{url}/create")
    member.page.get_by_label("Describe your picture").fill(PROMPT)
    save(member.page, "create")
    member.submit(PROMPT, quality="Best", count=2)
    member.page.wait_for_function(PAINTED_A_BIT, timeout=120_000)
    save(member.page, "progress", at_once=True)
    member.see_finished(limit_s=300)
    member.see_pictures("", 2, name="Your pictures")
    save(member.page, "job")
    member.page.goto(f"{url}/pictures")
    save(member.page, "pictures")

    pocket = window(browser, url, viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    pocket.page.goto(url)
    save(pocket.page, "phone")


def main() -> int:
    """0 when the pictures are saved, 1 with a sentence when not."""
    try:
        with reachable_site(Config.load()) as url, chromium() as browser:
            take_pictures(browser, url)
    except StackError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
