"""The page of a job while it is being made: the picture as it is, which changes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor
from tests.support.waiting import until

# For `evaluate_all`, in one look: between two, or while one waits for it, the page may take the picture away.
DECODED_ADDRESSES = """(images) => images
  .filter(({complete, naturalWidth}) => complete && naturalWidth > 0)
  .map(({currentSrc}) => currentSrc)"""


@pytest.fixture
def person(browser: Browser, site: RunningSite, user: ApiUser) -> Iterator[Visitor]:
    """Open the site as a logged-in user."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB") as context:
        person = Visitor(context.new_page(), site.url, (site.url, site.s3_url))
        account = {"email": user.email, "password": PASSWORD}
        assert context.request.post(f"{site.url}/v1/login", data=account).ok
        yield person
        assert person.complaints == []


def test_the_page_shows_the_picture_as_it_is_made(person: Visitor, user: ApiUser, site: RunningSite) -> None:
    job = user.submit("a castle by a lake at dusk", n=8, width=768, height=512, steps=150)
    page = person.page
    page.goto(f"{site.url}/pictures/{job['id']}")
    preview = page.get_by_role("img", name="The picture as it is now")
    seen: dict[str, None] = {}

    def shows_another() -> bool:
        state = page.get_by_test_id("job-state").text_content()
        assert state in ("Waiting in the queue", "Being painted"), state
        seen.update(dict.fromkeys(preview.evaluate_all(DECODED_ADDRESSES)))
        return len(seen) >= 3

    until(shows_another, "the third preview is shown", 60, 0.1)
    assert all(address.startswith(f"{site.s3_url}/") and "/preview/" in address for address in seen)
    expect(page.locator(".job .wash")).to_be_hidden()
    assert user.job(job["id"])["images"] == []
    user.call("POST", f"/v1/jobs/{job['id']}/cancel")
    expect(page.get_by_test_id("job-state")).to_have_text("Cancelled")
    expect(preview).to_be_hidden()
    assert user.job(job["id"])["preview_url"] is None
