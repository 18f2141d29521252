"""Publishing where operators look first: waiting, a refusal with its reason, an appeal by keyboard, and its end."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from shared.accounts.auth import Credential
from shared.accounts.tokens import token_hash
from shared.admin import gallery
from shared.gallery import publication
from shared.services import Services
from tests.support.cabinet import HIDE, Owner
from tests.support.visitor import Visitor

pytestmark = pytest.mark.usefixtures("browser")


@pytest.fixture
def asked(owner: Owner, site_services: Services) -> Iterator[str]:
    """Publish the owner's job as on a site with EASEL_REVIEW=before; return its id."""
    careful = Services(site_services.settings.model_copy(update={"review": "before"}))
    [job] = owner.jobs()
    digest = token_hash(owner.token)
    assert digest is not None
    publication.publish(careful, Credential(digest), UUID(job["id"]))
    yield job["id"]
    careful.db.close()


def recheck(page: Page) -> None:
    """Have the page look again, as it does when its tab is shown."""
    page.evaluate(HIDE, True)
    page.evaluate(HIDE, False)


def test_a_refused_publication_is_appealed_and_approved(person: Visitor, asked: str, site_services: Services) -> None:
    page, job_id = person.page, UUID(asked)
    page.goto(f"{person.url}/pictures/{asked}")
    expect(page.get_by_text("It waits for the operators to look at it.")).to_be_visible()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    gallery.take_down(site_services, job_id, "Not for all <b>eyes</b>.")
    recheck(page)
    notice = page.get_by_role("region", name="The operators did not publish it")
    expect(notice).to_contain_text("Their reason: Not for all <b>eyes</b>.")
    field = notice.get_by_label("Appeal")
    send = notice.get_by_role("button", name="Send appeal")
    person.expected = [f"/v1/jobs/{asked}/publication/appeal"]
    send.press("Enter")
    expect(notice.get_by_text("Too short")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.type("It is a <i>lighthouse</i>.")
    page.keyboard.press("Tab")
    expect(send).to_be_focused()
    page.keyboard.press("Enter")
    expect(notice).to_contain_text("Your appeal waits for an answer:")
    expect(notice.locator("blockquote")).to_have_text("It is a <i>lighthouse</i>.")
    expect(page.get_by_role("heading", name="The operators did not publish it")).to_be_focused()
    expect(send).to_have_count(0)
    [waiting] = [job for job in gallery.list_awaiting(site_services, limit=100) if job.id == job_id]
    assert (waiting.review, waiting.appeal) == ("refused", "It is a <i>lighthouse</i>.")
    gallery.approve(site_services, job_id)
    recheck(page)
    expect(page.get_by_role("button", name="Remove from gallery")).to_be_visible()
    expect(notice).to_have_count(0)
    page.goto(f"{person.url}/gallery/{asked}")
    expect(page.get_by_role("heading", level=1)).to_have_text("a lighthouse on a cliff")


def test_a_refused_appeal_is_final(person: Visitor, asked: str, site_services: Services) -> None:
    page, job_id = person.page, UUID(asked)
    gallery.take_down(site_services, job_id, "Not for all.")
    page.goto(f"{person.url}/pictures/{asked}")
    page.get_by_label("Appeal").fill("Please.")
    page.get_by_role("button", name="Send appeal").click()
    notice = page.get_by_role("region", name="The operators did not publish it")
    expect(notice).to_contain_text("Your appeal waits for an answer:")
    gallery.take_down(site_services, job_id)
    recheck(page)
    expect(notice).to_contain_text("Your appeal was refused:")
    expect(page.get_by_role("button", name="Send appeal")).to_have_count(0)


def test_what_waits_can_be_taken_back(person: Visitor, asked: str) -> None:
    page = person.page
    page.goto(f"{person.url}/pictures/{asked}")
    page.get_by_role("button", name="Do not publish").click()
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_visible()
    expect(page.get_by_text("It waits for the operators")).to_have_count(0)
