"""A new user in a real browser: from the first visit to the picture, and through a restart of the stack."""

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.support.api_user import PASSWORD, gallery_of
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

PROMPT = "a lighthouse on a cliff at night"


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Start a separate stack, since a test stops it. Its gallery is still being painted."""
    site = RunningSite(tmp_path_factory.mktemp("own") / "home")
    try:
        site.start()
        yield site
    finally:
        site.stop()


@pytest.fixture
def newcomer(own_site: RunningSite) -> Iterator[Visitor]:
    with visitor(own_site.url, own_site.s3_url) as person:
        yield person


def paths(addresses: list[str]) -> list[str]:
    return [urlsplit(address).path for address in addresses]


def test_a_sentence_becomes_a_picture_that_stays(own_site: RunningSite, newcomer: Visitor) -> None:
    email = f"newcomer-{secrets.token_hex(6)}@example.com"
    newcomer.sign_up(email, PASSWORD)
    newcomer.submit(PROMPT, quality="Better", count=2)
    shown = newcomer.see_finished(limit_s=120)
    assert shown[-1][0] == "succeeded"
    bars = [bar for state, _, bar in shown if state == "generating"]
    assert len(set(bars)) >= 2, shown
    assert bars == sorted(bars)
    first = newcomer.see_pictures("", 2, name="Your pictures")
    assert {f"{urlsplit(address).scheme}://{urlsplit(address).netloc}" for address in first} == {own_site.s3_url}
    assert all("X-Amz-Signature=" in address for address in first)
    job_path = urlsplit(newcomer.page.url).path
    assert paths(newcomer.see_pictures(job_path, 2, name="Your pictures")) == paths(first)
    [thumbnail] = paths(newcomer.see_pictures("/pictures", 1, name="My pictures"))
    assert thumbnail.rsplit("/", 1)[0] == paths(first)[0].rsplit("/", 1)[0]

    newcomer.page.goto("about:blank")
    own_site.stop()
    own_site.start()
    assert paths(newcomer.see_pictures(job_path, 2, name="Your pictures")) == paths(first)

    newcomer.log_out()
    newcomer.log_in(email, PASSWORD)
    assert paths(newcomer.see_pictures("/pictures", 1, name="My pictures")) == [thumbnail]
    assert newcomer.complaints == []


def test_the_gallery_shows_example_pictures(own_site: RunningSite, newcomer: Visitor) -> None:
    gallery_of(own_site.url, 3)
    addresses = newcomer.see_pictures("/", 3, name="Pictures")
    assert all(address.startswith(f"{own_site.s3_url}/") for address in addresses)
    assert newcomer.complaints == []
