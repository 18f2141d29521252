"""The page "Put me in" looks at photos as they come: what it says of them before, and without, a submit."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from shared.images.faces import find_counter
from tests.support import faces
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.cabinet import log_in
from tests.support.likeness_page import add, cards, see_refused, submit, take_away, tiles
from tests.support.photos import photo
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

pytestmark = pytest.mark.usefixtures("browser")


@pytest.fixture
def member(school: RunningSite) -> Iterator[ApiUser]:
    with ApiUser(school.url) as user:
        yield user


@pytest.fixture
def phone(school: RunningSite, member: ApiUser) -> Iterator[Visitor]:
    """Open the page on a phone."""
    size = {"width": 360, "height": 780}
    with visitor(school.url, school.s3_url, viewport=size, has_touch=True, is_mobile=True) as person:
        log_in(person, member)
        person.page.goto(f"{school.url}/likenesses")
        person.expected = ["/v1/likeness-checks"]
        yield person
        assert person.complaints == []


def test_a_submit_names_what_no_check_has(phone: Visitor) -> None:
    page = phone.page
    phone.expected.append("/v1/likenesses")
    page.route("**/v1/likeness-checks", lambda route: route.fulfill(status=429))
    files: list[FilePayload] = [
        {"name": f"{place}.jpg", "mimeType": "image/jpeg", "buffer": photo(min(place, 3))} for place in range(5)
    ]
    choose(page, "An animal")
    page.locator(".likeness-form input[type=file]").first.set_input_files(files)
    page.get_by_label("I may use these photos").press("Space")
    submit(page)
    see_refused(page, 4, "It shows the same as another one")
    expect(tiles(page).get_by_text("Looks good")).to_have_count(4)
    expect(page.get_by_role("button", name="Make a code")).to_be_enabled()


@pytest.mark.skipif(find_counter() is None, reason="what counts faces is not installed")
def test_photos_of_a_person_need_a_face(phone: Visitor) -> None:
    page = phone.page
    add(page, faces.person(), photo(1))
    see_refused(page, 1, "It shows no face")
    choose(page, "An object")
    choose(page, "A person")
    see_refused(page, 1, "It shows no face")
    choose(page, "An animal")
    expect(tiles(page).get_by_text("Looks good")).to_have_count(2)
    phone.follow("/gallery")
    phone.follow("/likenesses")
    expect(page.get_by_role("radio", name="An animal")).to_be_checked()
    expect(tiles(page).get_by_text("Looks good")).to_have_count(2)


def choose(page: Page, subject: str) -> None:
    page.get_by_role("radio", name=subject).press("Space")


def test_a_phone_takes_photos(phone: Visitor) -> None:
    page = phone.page
    choose(page, "An animal")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Take a photo").tap()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files({"name": "image.jpg", "mimeType": "image/jpeg", "buffer": photo(1)})
    expect(tiles(page).get_by_text("Looks good")).to_have_count(1)
    add(page, *map(photo, (2, 3, 4, 5)))
    expect(page.get_by_role("button", name="Take a photo")).to_be_hidden()


def test_the_keyboard_stays_in_the_list_when_a_photo_is_removed(phone: Visitor) -> None:
    page = phone.page
    choose(page, "An animal")
    add(page, photo(1), photo(2))
    take_away(page, 0)
    expect(tiles(page).get_by_role("button", name="Remove")).to_be_focused()
    take_away(page, 0)
    expect(page.get_by_role("button", name="Add photos")).to_be_focused()


def test_a_session_that_expires_leaves_nothing_to_another_user(phone: Visitor, school: RunningSite) -> None:
    page = phone.page
    choose(page, "An animal")
    add(page, photo(1))
    phone.follow("/create")
    page.get_by_label("Describe your picture").fill("a secret wish")
    phone.follow("/likenesses")
    expect(tiles(page)).to_have_count(1)
    page.context.clear_cookies()
    phone.expected.append("/v1/uploads")
    page.locator(".likeness-form input[type=file]").first.set_input_files(
        {"name": "2.jpg", "mimeType": "image/jpeg", "buffer": photo(2)}
    )
    expect(tiles(page).get_by_text("It will be sent when you log in.")).to_be_visible()
    submit(page)
    with ApiUser(school.url) as other:
        page.get_by_role("textbox", name="Email").fill(other.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").press("Enter")
    expect(page.get_by_role("button", name="Make a code")).to_be_visible()
    expect(tiles(page)).to_have_count(0)
    phone.follow("/create")
    expect(page.get_by_label("Describe your picture")).to_have_value("")


def test_a_submit_whose_answer_was_not_awaited_is_shown_once(phone: Visitor) -> None:
    page = phone.page
    choose(page, "An animal")
    add(page, *map(photo, range(5)))
    page.get_by_label("I may use these photos").check()

    def keep_answer(route: Route) -> None:
        route.fetch()
        page.evaluate("window.isAccepted = true")

    page.route("**/v1/likenesses", keep_answer, times=1)
    submit(page)
    page.wait_for_function("() => window.isAccepted")
    phone.follow("/gallery")
    phone.follow("/likenesses")
    expect(cards(page)).to_have_count(1)
    expect(tiles(page)).to_have_count(5)
    page.get_by_label("I may use these photos").check()
    submit(page)
    expect(tiles(page)).to_have_count(0)
    expect(cards(page)).to_have_count(1)
