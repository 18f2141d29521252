"""Injection attempts: hostile prompts and addresses are shown as text on every page."""

import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")

PROMPTS = (
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    '"><svg onload=window.hit=1>',
    "'-window.hit-'",
    "</title><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "<iframe srcdoc='<script>parent.hit=1</script>'>",
    "${window.hit=1}{{constructor.constructor('window.hit=1')()}}",
    "<a href='javascript:window.hit=1'>a boat</a>",
    "<style>*{background:url(javascript:window.hit=1)}</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=window.hit=1>",
    "\u202e<script>window.hit=1</script>\u202c a boat",
    "%3Cscript%3Ewindow.hit=1%3C/script%3E",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "<details open ontoggle=window.hit=1>",
    "<object data='data:text/html,<script>parent.hit=1</script>'>",
    "<base href='https://example.com/'>",
    "<meta http-equiv=refresh content='0;url=https://example.com/'>",
    "<template><script>window.hit=1</script></template><dialog open>a boat</dialog>",
    "__proto__ constructor toString " + "\u0301" * 60,
)
# The first five are valid in an address; the others are refused.
ADDRESSES = (
    "'onmouseover=window.hit=1//{}@example.com",
    "{}`${{window.hit=1}}`@example.com",
    "{}{{{{hit}}}}@example.com",
    "{}&lt=1@example.com",
    "{}'-hit-'@example.com",
    '"<script>window.hit=1</script>{}"@example.com',
    "<img src=x onerror=window.hit=1>{}@example.com",
    "{}@example.com\nBcc: other@example.com",
    "{}@<b>example.com</b>",
    "javascript:window.hit=1//{}@example.com",
)
# Elements and handler attributes that the site never uses.
FOREIGN = """() => {
  const LEADS = new Set(["href", "src", "srcset", "action", "formaction", "xlink:href", "data", "style"]);
  const RUNS = /^\\s*(javascript:|data:text)/i;
  const marks = [...document.querySelectorAll("*")].flatMap((node) =>
    [...node.attributes]
      .filter(({name, value}) => name.startsWith("on") || (LEADS.has(name) && RUNS.test(value)))
      .map(({name, value}) => `${node.localName} ${name}=${value}`));
  const wrong = [...document.querySelectorAll(
    "body script, iframe, object, embed, base, meta[http-equiv], body style, math, template, svg[onload], form form"
  )].map((node) => node.outerHTML);
  return [...marks, ...wrong, ...(window.hit === undefined ? [] : ["it ran"])];
}"""


@pytest.fixture(scope="module")
def jobs(site: RunningSite) -> Any:
    """Return a user with published jobs that have these prompts; some have them as negative prompts."""
    with ApiUser(site.url) as owner:
        jobs = [owner.submit(prompt, negative_prompt=prompt) for prompt in PROMPTS]
        owner.finished()
        for job in jobs:
            assert owner.call("PUT", f"/v1/jobs/{job['id']}/publication").status_code == 200
        yield owner, [job["id"] for job in jobs]


def check(person: Visitor) -> None:
    assert person.page.evaluate(FOREIGN) == [], person.page.url
    assert person.complaints == []


def seen(page: Page, prompt: str) -> None:
    """Check that the text is on the page, character by character."""
    page.wait_for_function("(words) => document.body.innerText.includes(words)", arg=prompt.strip()[:40])


def test_hostile_prompts_are_text(site: RunningSite, jobs: tuple[ApiUser, list[str]]) -> None:
    owner, ids = jobs
    with visitor(site.url, site.s3_url) as person:
        page = person.page
        person.log_in(owner.email, PASSWORD)
        page.goto(person.url)
        for path in ("/", "/pictures"):
            page.goto(person.url + path)
            expect(page.locator("main .placard").first).to_be_visible()
            seen(page, PROMPTS[1])
            check(person)
        for place in ("/pictures/", "/gallery/"):
            for prompt, job_id in zip(PROMPTS, ids, strict=True):
                person.follow(place + job_id)
                expect(page.locator("main img.picture").first).to_be_visible()
                seen(page, prompt)
                assert prompt.strip()[:5] in page.title()
                check(person)


@pytest.fixture(scope="module")
def guest(site: RunningSite) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        yield person


@pytest.mark.parametrize("prompt", [*PROMPTS[:2], *repeats(*PROMPTS[2:8])])
def test_hostile_addresses_of_pages_are_text(guest: Visitor, prompt: str) -> None:
    page = guest.page
    for path in ("/create?prompt=", "/pictures?q=", "/gallery/", "/?after=", "/login?next=", "/pictures/"):
        guest.expected = [f"/v1/gallery/{prompt}", "/v1/gallery", "/v1/jobs"]
        page.goto(f"{guest.url}{path}{quote(prompt, safe='')}")
        guest.see_complete()
        assert page.evaluate(FOREIGN) == [], page.url
        assert page.url.startswith(guest.url)
        assert not [complaint for complaint in guest.complaints if "console" not in complaint]


@pytest.mark.parametrize("pattern", [ADDRESSES[0], *ADDRESSES[5:], *repeats(*ADDRESSES[1:5])])
def test_hostile_email_addresses_are_text(site: RunningSite, pattern: str) -> None:
    email = pattern.format(secrets.token_hex(4))
    answer = requests.post(f"{site.url}/v1/signup", json={"email": email, "password": PASSWORD}, timeout=30)
    if pattern in ADDRESSES[:5]:
        assert answer.status_code == 201, answer.text
    else:
        assert answer.status_code == 422, answer.text
        return
    with visitor(site.url, site.s3_url) as person:
        person.log_in(email, PASSWORD)
        person.page.goto(person.url + "/account")
        expect(person.page.locator("main").get_by_text(email)).to_be_visible()
        person.page.hover(".me")
        check(person)


def test_a_hostile_answer_is_text_too(site: RunningSite) -> None:
    """The API's own messages are shown as text, too."""
    with visitor(site.url, site.s3_url) as person:
        words = {"title": PROMPTS[1], "detail": PROMPTS[0], "code": PROMPTS[2], "status": 400}
        person.page.route("**/v1/gallery?**", lambda route: route.fulfill(status=400, json=words))
        person.expected = ["/v1/gallery"]
        person.page.goto(person.url)
        expect(person.page.get_by_role("alert").first).to_contain_text(PROMPTS[0])
        check(person)
