"""The page "Put me in": five photos become a code, which is used in pictures and scenes, shared, renamed and deleted.

The generator is the reference generator with the engine and trainer of `training_engine`, which take no time: they pass
the suites of scenes and of trainings as the diffusion engine does, which takes minutes, and the painter does not train.
"""

import io
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from shared.scenes.starter_set import STARTER
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.axe import axe_source, violations
from tests.support.cabinet import log_in, record
from tests.support.likeness_page import add, blurred, cards, drop, see_refused, submit, take_away, tiles
from tests.support.photos import photo
from tests.support.repeats import repeats
from tests.support.running_site import RunningSite
from tests.support.scene_form import SHOW_PICTURES, choose, option
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")

WITHIN_MS = 60_000
CODE = re.compile(r"^\d{8}$")


@pytest.fixture
def signs(school: RunningSite) -> Path:
    """Return the folder of signs; without the file `go` a training waits at a half."""
    folder = school.home.parent / "signs"
    (folder / "go").unlink(missing_ok=True)
    return folder


@pytest.fixture
def member(school: RunningSite) -> Iterator[ApiUser]:
    with ApiUser(school.url) as user:
        yield user


@pytest.fixture(params=[1280, *repeats(360)])
def sitter(school: RunningSite, member: ApiUser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """Open the page logged in, on a desktop and on a phone."""
    with visitor(school.url, school.s3_url, viewport={"width": request.param, "height": 900}) as person:
        log_in(person, member)
        person.page.goto(school.url)
        person.page.get_by_role("link", name="Put me in").click()
        expect(person.page.get_by_role("button", name="Make a code")).to_be_visible()
        yield person
        assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert person.complaints == []


def test_five_photos_become_a_code_that_draws_them(sitter: Visitor, member: ApiUser, signs: Path) -> None:
    page = sitter.page
    asked = record(page, lambda request: request.method == "POST" and request.url.endswith("/v1/likenesses"))
    page.get_by_role("radio", name="An animal").press("Space")
    add(page, photo(0), photo(1), photo(3))
    sitter.expected = ["/v1/likeness-checks"]
    add(page, blurred(200))
    see_refused(page, 3, "It is too small.*It is blurred")
    expect(page.locator("#announcer")).to_contain_text("0.jpg: It is too small")
    expect(tiles(page).get_by_text("Looks good")).to_have_count(3)
    take_away(page, 3)
    add(page, photo(1))
    see_refused(page, 3, "It shows the same as another one")
    take_away(page, 1)
    expect(tiles(page).get_by_text("Looks good")).to_have_count(3)
    submit(page)
    expect(page.get_by_text("Exactly 5 uploaded photos are needed.")).to_be_visible()
    expect(page.get_by_text("Without this consent no code can be made.")).to_be_visible()
    assert asked == [], "nothing is submitted before"

    add(page, photo(4), photo(2))
    page.get_by_label("Name", exact=True).fill("Rex")
    page.get_by_label("I may use these photos").press("Space")
    submit(page)

    card = cards(page).first
    expect(card.get_by_test_id("job-state")).to_have_text("Learning from the photos", timeout=WITHIN_MS)
    expect(card.locator("progress")).to_have_js_property("value", 0.5)
    expect(tiles(page)).to_have_count(0)
    code = card.locator("code").inner_text()
    assert CODE.match(code)
    (signs / "go").touch()
    expect(card.get_by_text("works until")).to_be_visible(timeout=WITHIN_MS)
    expect(card.get_by_text("In a description, write “word animal”.")).to_be_visible()

    card.get_by_label("Share").press("Space")
    expect(page.locator("#announcer")).to_have_text("The code now works for others, too.")
    card.get_by_text("Rename").press("Enter")
    card.get_by_label("Name").fill("Rex II")
    card.get_by_role("button", name="Save name").press("Enter")
    expect(card.get_by_role("heading", name="Rex II")).to_be_visible()
    [kept] = member.call("GET", "/v1/likenesses").json()["likenesses"]
    assert (kept["code"], kept["shared"], kept["name"], kept["subject"]) == (code, True, "Rex II", "animal")

    draw(page, card, code)
    [job] = [job for job in member.finished() if job["images"]]
    with Image.open(io.BytesIO(member.session.get(job["images"][0]["url"], timeout=60).content)) as picture:
        # What this engine paints: the seed, the steps, and ten for an adapter.
        assert picture.convert("RGB").getpixel((0, 0)) == (3 + job["settings"]["steps"] + 10,) * 3

    remove(page, sitter, "Rex II")
    assert member.call("GET", "/v1/likenesses").json()["likenesses"] == []
    page.reload()
    expect(page.get_by_text("You have none yet.")).to_be_visible()


def draw(page: Page, card: Locator, code: str) -> None:
    """Use the likeness in a picture: once from its card, where the form already has the code."""
    card.get_by_role("button", name="Use in a picture").press("Enter")
    field = page.get_by_label("Code of a likeness")
    expect(field).to_have_value(code)
    assert code not in page.url
    expect(page.get_by_label("Describe your picture")).to_have_value("word animal")
    assert code not in page.evaluate("JSON.stringify({...localStorage})")
    chip = page.get_by_role("group", name="Your likenesses").get_by_role("button", name="Rex II")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.press("Enter")
    expect(field).to_have_value("")
    field.fill("1234")
    page.get_by_role("button", name="Paint it").press("Enter")
    expect(page.get_by_text("A code has eight digits.")).to_be_visible()
    field.fill(f"{code[:4]} {code[4:]}")
    expect(page.get_by_text("A code has eight digits.")).to_be_hidden()
    expect(chip).to_have_attribute("aria-pressed", "true")
    field.press_sequentially(", 0000 0000")
    page.locator(".option", has_text="Draft").click()
    page.get_by_label("Seed", exact=True).fill("3")
    page.get_by_role("button", name="Paint it").press("Enter")
    expect(page.get_by_test_id("job-state")).to_have_text("Finished", timeout=WITHIN_MS)
    assert code not in page.url
    page.get_by_role("button", name="Use this prompt").press("Enter")
    expect(field).to_have_value(f"{code}, 00000000")
    assert "0000" not in page.evaluate("localStorage.getItem('easel.draft')")


def remove(page: Page, person: Visitor, name: str) -> None:
    page.goto(f"{person.url}/likenesses")
    page.get_by_role("button", name=f"Delete: {name}").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep it").press("Enter")
    expect(cards(page)).to_have_count(1)
    page.get_by_role("button", name=f"Delete: {name}").press("Enter")
    dialog.get_by_role("button", name="Delete").press("Enter")
    expect(cards(page)).to_have_count(0)
    expect(page.get_by_role("heading", name="Your likenesses")).to_be_focused()


@pytest.mark.parametrize("theme", ["dark", *repeats("light")])
def test_every_state_is_accessible(school: RunningSite, member: ApiUser, signs: Path, theme: str) -> None:
    source, found = axe_source(), {}
    with visitor(school.url, school.s3_url, color_scheme=theme, reduced_motion="reduce") as person:
        log_in(person, member)
        page = person.page
        person.expected = ["/v1/likenesses", "/v1/likeness-checks"]  # they refuse a photo

        def look(state: str) -> None:
            found[state] = violations(page, source)

        page.goto(f"{school.url}/likenesses")
        expect(page.get_by_text("You have none yet.")).to_be_visible()
        look("empty")
        page.get_by_role("radio", name="An animal").press("Space")
        add(page, *map(photo, range(4)), blurred())
        see_refused(page, 4, "It is blurred.")
        look("photos judged")
        submit(page)
        expect(page.get_by_text("Without this consent no code can be made.")).to_be_visible()
        look("without consent")
        page.get_by_label("I may use these photos").check()
        submit(page)
        expect(page.get_by_text("Some photos cannot be used. Replace them.")).to_be_visible()
        look("photos refused")
        take_away(page, 4)
        add(page, photo(4))
        submit(page)
        card = cards(page).first
        expect(card.locator("progress")).to_have_js_property("value", 0.5, timeout=WITHIN_MS)
        look("training")
        (signs / "go").touch()
        expect(card.get_by_text("works until")).to_be_visible(timeout=WITHIN_MS)
        card.get_by_text("Rename").press("Enter")
        look("ready")
        card.get_by_role("button", name="Delete").press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        look("asked")
        page.keyboard.press("Escape")
        assert person.complaints == []
    assert {state: rules for state, rules in found.items() if rules} == {}


def test_a_training_is_cancelled(school: RunningSite, member: ApiUser, signs: Path) -> None:
    assert not (signs / "go").exists()
    with visitor(school.url, school.s3_url) as person:
        log_in(person, member)
        page = person.page
        page.goto(f"{school.url}/likenesses")
        page.get_by_role("radio", name="An animal").press("Space")
        add(page, *map(photo, range(5)))
        page.get_by_label("I may use these photos").check()
        submit(page)
        card = cards(page).first
        expect(card.get_by_test_id("job-state")).to_have_text("Learning from the photos", timeout=WITHIN_MS)
        page.reload()
        card.get_by_role("button", name="Cancel").press("Enter")
        expect(card.get_by_text("The training was cancelled.")).to_be_visible(timeout=WITHIN_MS)
        assert card.locator("code").count() == 0
        [training] = member.jobs()
        page.goto(f"{school.url}/pictures/{training['id']}")
        page.wait_for_url(f"{school.url}/likenesses")
        page.goto(f"{school.url}/pictures")
        expect(page.get_by_text("You have no pictures yet.")).to_be_visible()
        remove(page, person, "An animal")
        assert person.complaints == []


def test_from_signing_up_to_a_scene_that_anyone_with_its_link_sees(school: RunningSite, signs: Path) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visitor(school.url, school.s3_url, permissions=allowed) as person:
        person.sign_up(f"user-{secrets.token_hex(8)}@example.com", PASSWORD)
        code = learn(school, person, signs)
        draw_with(person, code)
        link = make_scene(person, code)
        assert see_face(school, link) == 110, "what this engine paints with one adapter"

        person.page.goto(f"{school.url}/likenesses")
        remove(person.page, person, "An animal")
        # The form still has everything that was entered, but for the code, which no browser keeps.
        person.page.goto(f"{school.url}/scenes")
        expect(person.page.get_by_label("Details")).to_have_value("wearing a red coat")
        expect(person.page.get_by_label("Code of a likeness")).to_have_value("")
        person.page.get_by_label("Code of a likeness").fill(code)
        link = finish_scene(person)
        expect(timeline(person.page).get_by_text("The picture is made without it")).to_be_visible()
        assert see_face(school, link) == 100
        assert person.complaints == []


def learn(school: RunningSite, person: Visitor, signs: Path) -> str:
    """Drop five photos, replace the one that is refused, and watch the training; return the code."""
    page = person.page
    page.get_by_role("link", name="Put me in", exact=True).click()
    expect(page.get_by_role("button", name="Make a code")).to_be_visible()
    page.get_by_role("radio", name="An animal").press("Space")  # what is drawn has no face
    person.expected = ["/v1/likeness-checks"]
    drop(page, photo(0), photo(1), blurred(), photo(3), photo(4))
    page.get_by_label("I may use these photos").check()
    see_refused(page, 2, "It is blurred.")
    take_away(page, 2)
    drop(page, photo(2))
    submit(page)
    card = cards(page).first
    expect(card.get_by_test_id("job-state")).to_have_text("Learning from the photos", timeout=WITHIN_MS)
    expect(card.locator("progress")).to_have_js_property("value", 0.5)
    services = school.services()
    folder = f"uploads/{page.request.get(f'{school.url}/v1/me').json()['user']['id']}/"
    with services.db.statement() as connection:
        photos = set(connection.exec_driver_sql("SELECT upload_key FROM job_sources").scalars())
    assert len(photos & services.storage.sizes_bytes(folder).keys()) == 5
    (signs / "go").touch()
    expect(card.get_by_text("works until")).to_be_visible(timeout=WITHIN_MS)
    card.get_by_role("button", name="Copy code").click()
    expect(card.get_by_role("button", name="Copied")).to_be_visible()
    code = str(page.evaluate("navigator.clipboard.readText()"))
    assert CODE.match(code)
    expect(card.locator("code")).to_have_text(code)
    until(lambda: not photos & services.storage.sizes_bytes(folder).keys(), "the photos are deleted")
    services.db.close()
    return code


def draw_with(person: Visitor, code: str) -> None:
    """Type the code into the ordinary form, and see what comes of it."""
    page = person.page
    page.goto(f"{person.url}/create")
    page.get_by_label("Describe your picture").fill("a word animal on a beach")
    page.locator("summary", has_text="Advanced").click()
    page.get_by_label("Code of a likeness").fill(code)
    page.get_by_label("Seed", exact=True).fill("3")
    page.get_by_label("Steps", exact=True).fill("20")
    page.get_by_role("button", name="Paint it").click()
    person.see_finished(WITHIN_MS / 1000)
    [picture] = person.see_pictures("", 1, name="Your pictures")
    # What this engine paints: the seed, the steps, and ten for an adapter.
    assert (pixels(page.request.get(picture).body())[0, 0] == 3 + 20 + 10).all()


def make_scene(person: Visitor, code: str) -> str:
    """Choose place, action and shot by their pictures; return the link to the scene."""
    page = person.page
    page.get_by_role("navigation", name="Site").get_by_role("link", name="Scenes").click()
    expect(option(page, "Place", "Park")).to_be_visible()
    page.evaluate(SHOW_PICTURES)
    choose(page, Place="Park", Action="Reading", Distance="Close", Person="Woman")
    page.get_by_label("Details").fill("wearing a red coat")
    page.get_by_label("Code of a likeness").fill(code)
    return finish_scene(person)


def finish_scene(person: Visitor) -> str:
    page = person.page
    page.get_by_role("button", name="Make the scene").click()
    page.wait_for_url("**/pictures/*")
    person.see_finished(WITHIN_MS / 1000)
    card = page.get_by_role("region", name="Scene")
    expect(card.get_by_text("made by a machine")).to_be_visible()
    return f"{person.url}/s/{card.locator('code').inner_text()}"


def see_face(school: RunningSite, link: str) -> int:
    """Open the link as a stranger; check the place in the picture, and return the grey of the face."""
    with visitor(school.url, school.s3_url) as stranger:
        stranger.page.goto(link)
        assert stranger.page.evaluate("document.images[0].naturalWidth") == 512
        picture = pixels(stranger.page.request.get(link).body())
        assert stranger.page.context.cookies() == []
    place, person, face = (
        pixels((STARTER / name).read_bytes())
        for name in (
            "places/park/1.webp",
            "actions/reading/CLS-pose_mask.png",
            "actions/reading/CLS-face_mask.png",
        )
    )
    assert (picture == place)[person == 0].all()
    [grey] = np.unique(picture[face > 0])
    return int(grey)


def pixels(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as picture:
        return np.asarray(picture.convert("RGB"))


def timeline(page: Page) -> Locator:
    return page.get_by_role("region", name="Timeline")
