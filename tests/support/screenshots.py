"""Take the docs' screenshots from a running stack: `make screenshots`.

A new user signs up in the stack that runs here, or in one started for this purpose. Each screenshot is taken only in
the state that its caption in README.md describes, with every visible picture loaded. Where EASEL_GENERATORS lists the
painter and two fakes, as docs/engines.md says, only the screenshot of that page is taken.
"""

import io
import re
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from local.config import CHECKOUT, Config
from local.demo import reachable_site
from local.stack import StackError
from shared.images.recipe import read_recipe
from tests.support.api_user import PASSWORD as API_PASSWORD
from tests.support.api_user import ApiUser, gallery_of
from tests.support.chromium import chromium
from tests.support.visitor import Visitor

DOCS = CHECKOUT / "docs"
SIZE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
JOB_REQUESTS = re.compile(r"/v1/jobs/[0-9a-f-]{36}(\?|$)")
PASSWORD = secrets.token_urlsafe(24)
EXAMPLES = 12
AT_ONCE = 8
AT_WORK = (0.4, 0.8)
PROMPT = "a lighthouse on a cliff at night, storm"
OTHERS = (
    "a red fox in the snow, first light of the morning",
    "an orchard in bloom, watercolour",
    "a harbour at dusk, fog, small boats",
    "a castle above the clouds, low poly",
    "stained glass: a fish and the moon",
)

# Rejects if a visible picture cannot be decoded; resolves once the page shows all of them.
SHOW_VISIBLE = """async () => {
  const seen = [...document.images].filter((image) => {
    const {top, bottom} = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight && image.getAttribute("src");
  });
  await Promise.all(seen.map((image) => image.decode()));
  while (seen.some((image) => image.matches(".picture:not(.is-loaded)"))) await new Promise(requestAnimationFrame);
}"""


def save(page: Page, name: str, shows: Locator) -> None:
    """Save what the window shows as docs/<name>.webp, once `shows` is there and every visible picture is loaded."""
    expect(shows).to_be_attached()
    expect(page.locator("[aria-busy=true], .loading")).to_have_count(0)
    page.evaluate(SHOW_VISIBLE)
    path = DOCS / f"{name}.webp"
    Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB").save(path, quality=82, method=6)
    print(f"{path.relative_to(CHECKOUT)}  {path.stat().st_size / 1000:.0f} kB", flush=True)


def hold_at_work(page: Page) -> None:
    """Repeat the first answer that shows the page's job half painted, so that the page stays in that state."""
    held: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        if held:
            route.fulfill(json=held[0])
            return
        response = route.fetch()
        job = response.json() if response.status == 200 else {}
        if job.get("state") == "generating" and AT_WORK[0] <= (job["progress"] or 0) <= AT_WORK[1]:
            held.append(job)
        route.fulfill(response=response)

    page.route(JOB_REQUESTS, answer)


def window(browser: Browser, url: str, **options: Any) -> Visitor:
    """Open a window with an empty profile."""
    context = browser.new_context(**{"viewport": SIZE, "locale": "en-GB", **options})
    return Visitor(context.new_page(), url, (url,))


def take_pictures(browser: Browser, url: str) -> None:
    gallery_of(url, EXAMPLES)
    guest = window(browser, url)
    guest.page.goto(url)
    save(guest.page, "gallery", guest.page.locator(".wall [data-job]").nth(EXAMPLES - 1))
    guest.page.locator(".wall a.hung").nth(2).click()
    save(guest.page, "picture", guest.page.locator(".recipe dt").first)

    member = window(browser, url, reduced_motion="reduce")  # bar and canvas then match the percentage in the text
    member.sign_up(f"painter-{secrets.token_hex(4)}@example.com", PASSWORD)
    for prompt in OTHERS:
        member.submit(prompt, quality="Normal", count=1)
        member.see_finished(limit_s=300)
        member.page.goto(f"{url}/create")
    prompt_field = member.page.get_by_label("Describe your picture")
    prompt_field.fill(PROMPT)
    save(member.page, "create", prompt_field)
    take_scene_form(member, url)
    member.page.goto(f"{url}/create")
    hold_at_work(member.page)
    member.submit(PROMPT, quality="Best", count=2)
    member.page.wait_for_function(f"() => document.querySelector('.progress-panel progress')?.value >= {AT_WORK[0]}")
    save(member.page, "progress", member.page.get_by_text("Painting started"))
    expect(member.page.get_by_test_id("job-state")).to_have_text("Being painted")
    member.page.unroute(JOB_REQUESTS)
    member.see_finished(limit_s=300)
    member.see_pictures("", 2, name="Your pictures")
    save(member.page, "job", member.page.locator(".results img").last)
    member.page.goto(f"{url}/pictures")
    save(member.page, "pictures", member.page.locator(".tile[data-id]").nth(len(OTHERS)))

    pocket = window(browser, url, viewport=PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    pocket.page.goto(url)
    save(pocket.page, "phone", pocket.page.locator(".wall [data-job]").nth(EXAMPLES - 1))


def take_scene_form(member: Visitor, url: str) -> None:
    """Show the form of a scene with a place and an action chosen, down to the actions."""
    member.page.set_viewport_size({"width": SIZE["width"], "height": 1120})
    member.page.goto(f"{url}/scenes")
    for name in ("Park", "Waving"):
        member.page.get_by_role("radio", name=name).check(force=True)
    member.page.evaluate("scrollTo(0, 0)")
    save(member.page, "scene-form", member.page.get_by_role("radio", name="View 2"))
    member.page.set_viewport_size({"width": SIZE["width"], "height": SIZE["height"]})


def take_engines(browser: Browser, url: str) -> None:
    """Show pictures of one sentence by the painter and by both fakes."""
    with ApiUser(url) as user:
        wanted = {"prompt": PROMPT, "n": 4, "width": 768, "height": 768}

        def submit(seed: int) -> None:
            user.call("POST", "/v1/jobs", json=wanted | {"seed": seed}).raise_for_status()

        with ThreadPoolExecutor(AT_ONCE) as threads:  # at once, so that one generator alone cannot draw them
            list(threads.map(submit, range(AT_ONCE)))
        drawn = {drawn_with(user, job) for job in user.finished(limit_s=600)}
        if drawn != {"img_generator", "openai", "sdapi"}:
            raise StackError(f"only {', '.join(sorted(drawn))} drew, not the painter and both fakes.")
        member = window(browser, url)
        member.log_in(user.email, API_PASSWORD)
        expect(member.page.get_by_label("Describe your picture")).to_be_visible()
    member.page.goto(f"{url}/pictures")
    save(member.page, "engines", member.page.locator(".tile[data-id]").nth(AT_ONCE - 1))


def drawn_with(user: ApiUser, job: dict[str, Any]) -> str:
    """Return the protocol of the generator that drew a job, as the recipe in its picture says."""
    picture = user.job(job["id"])["images"][0]["url"]
    recipe = read_recipe(user.session.get(picture, headers={"Authorization": None}, timeout=60).content)
    return recipe["generator"] if recipe else ""


def main() -> int:
    """Return 0 when the screenshots are saved, else 1 with a message."""
    try:
        config = Config.load()
        take = take_engines if "," in config.environment.get("EASEL_GENERATORS", "") else take_pictures
        with reachable_site(config) as url, chromium() as browser:
            take(browser, url)
    except StackError as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
