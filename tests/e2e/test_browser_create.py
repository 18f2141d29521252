"""The create form in a real browser: its fields, its errors, and one job per submission."""

import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.cabinet import log_in
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")

SMALL = {"quality": "draft", "width": 64, "height": 64, "steps": 3}


def png(colour: str = "teal", width: int = 96, height: int = 64) -> FilePayload:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return {"name": f"{colour}.png", "mimeType": "image/png", "buffer": buffer.getvalue()}


@pytest.fixture
def guest(site: RunningSite) -> Iterator[Visitor]:
    with visitor(site.url, site.s3_url) as person:
        yield person


@pytest.fixture
def painter(guest: Visitor, user: ApiUser) -> Visitor:
    """Open the site logged in as `user`."""
    log_in(guest, user)
    return guest


def open_form(person: Visitor, path: str = "/create", draft: dict[str, Any] | None = None) -> Page:
    """Open the form with this draft."""
    page = person.page
    if draft is not None:
        page.goto(f"{person.url}/login")
        page.evaluate("(draft) => localStorage.setItem('easel.draft', JSON.stringify(draft))", draft)
    page.goto(person.url + path)
    expect(prompt_of(page)).to_be_visible()
    return page


def prompt_of(page: Page) -> Locator:
    return page.get_by_label("Describe your picture")


def paint(page: Page) -> Locator:
    return page.get_by_role("button", name="Paint it")


def give(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def box(page: Page, label: str) -> Locator:
    """Return a text field by its exact label."""
    return page.get_by_role("textbox", name=label, exact=True)


def tiles(page: Page) -> Locator:
    return page.get_by_role("list", name="Starting images").get_by_role("listitem")


def error_at(page: Page, label: str) -> Locator:
    """Return the error message that is linked to a field."""
    described = box(page, label).get_attribute("aria-describedby")
    assert described is not None
    return page.locator(f"#{described.split()[0]}")


def see_job(page: Page, prompt: str) -> str:
    """Return the id of the job whose page is open."""
    expect(page.get_by_role("heading", name=prompt)).to_be_visible()
    found = re.search(r"/pictures/([0-9a-f-]{36})$", page.url)
    assert found is not None, page.url
    return found[1]


def change_presets(page: Page, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the site's presets before they reach the page."""

    def answer(route: Route) -> None:
        presets = route.fetch().json()
        change(presets)
        route.fulfill(json=presets)

    page.route("**/v1/presets", answer)


SHOW = """async (image) => {
  const { picture } = await import("/parts/picture.js");
  document.body.append(picture(image, { prompt: "", isEager: true }));
}"""


def expected(complaints: list[str], *parts: str) -> list[str]:
    """Return the complaints except those about these paths: a browser logs every failed response, provoked ones too."""
    return [complaint for complaint in complaints if not any(part in complaint for part in parts)]


def test_the_chosen_settings_are_painted(painter: Visitor, user: ApiUser) -> None:
    page = open_form(painter)
    page.get_by_role("button", name="a red fox asleep").click()
    expect(prompt_of(page)).to_be_focused()
    prompt_of(page).fill("a lighthouse in a (storm)")
    for label in ("Painting", "Draft 15 steps"):
        page.get_by_role("radio", name=label, exact=True).check()
    page.get_by_role("checkbox", name="Watercolour").check()
    page.locator(".choice-n .option", has_text="2").click()
    page.get_by_role("button", name="Random seed").click()
    seed = box(page, "Seed").input_value()
    assert seed.isdecimal()
    page.get_by_label("Leave out").fill("people")
    page.get_by_text("Advanced", exact=True).click()
    for label, value in (("Width", "128"), ("Height", "64"), ("Steps", "3"), ("Guidance", "6,5")):
        box(page, label).fill(value)
    expect(page.get_by_text("128 × 64 pixels", exact=True)).to_be_visible()
    page.get_by_label("Describe the pictures").check()
    box(page, "Description length").fill("20")
    page.get_by_label("Artists").check()
    prompt_of(page).press("Control+Enter")
    job = user.job(see_job(page, "a lighthouse in a (storm)"))
    look = {
        "type": "painting",
        "style": "watercolour",
        "quality": "draft",
        "negative_prompt": "people",
        "describe": True,
    }
    numbers = {"n": 2, "seed": int(seed), "width": 128, "height": 64, "steps": 3, "scale": 6.5, "upscale": 1}
    assert job["settings"].items() >= (look | numbers).items()
    assert job["settings"]["description"].items() >= {"blip_max_len": 20, "skip_list": ["artists"]}.items()
    assert painter.complaints == []


def test_several_styles_are_a_picture_in_each(painter: Visitor, user: ApiUser) -> None:
    page = open_form(painter, draft={"prompt": "a fox in two styles", "width": 64, "height": 64, "steps": 1})
    page.get_by_role("radio", name="Pixel art").check()
    page.get_by_role("group", name="Cells on the longer side").get_by_role("radio", name="32").check()
    page.get_by_role("checkbox", name="Oil painting").check()
    expect(page.get_by_role("group", name="Number of pictures")).to_be_visible()
    # The keyboard opens a theme and chooses a style.
    page.locator("summary", has_text="Artists").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Banksy")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_text("2 pictures: Oil painting, Banksy.")).to_be_visible()
    expect(page.get_by_role("group", name="Number of pictures")).to_be_hidden()
    example = page.locator(".choice-style img").first
    expect(example).to_have_js_property("complete", value=True)
    assert example.evaluate("(image) => image.naturalWidth") == 192
    prompt_of(page).press("Control+Enter")
    job = user.job(see_job(page, "a fox in two styles"))
    look = {"style": ["oil", "banksy"], "n": 2, "type": "pixel_art", "pixel_art": {"cells": 32, "colours": 16}}
    assert job["settings"].items() >= look.items()
    expect(page.get_by_text("Oil painting, Banksy", exact=True)).to_be_visible()
    expect(page.get_by_text("32 cells, 16 colours")).to_be_visible()
    assert painter.complaints == []


def test_the_form_is_built_from_the_presets(guest: Visitor) -> None:
    def change(presets: dict[str, Any]) -> None:
        presets["styles"].append({"key": "neon", "title": "Neon tubes", "theme": "mood"})
        presets["aspects"][1]["offered"] = False
        for field in presets["fields"]:
            if field["name"] in ("source_images", "describe", "notify"):
                field["offered"] = False
            if field["name"] == "n":
                field["maximum"] = 3

    change_presets(guest.page, change)
    page = open_form(guest)
    page.get_by_text("Mood", exact=True).click()
    expect(page.get_by_role("checkbox", name="Neon tubes")).to_be_enabled()
    widescreen = page.get_by_role("radio", name="Widescreen Not available on this site")
    expect(widescreen).to_be_disabled()
    expect(page.locator(".choice-n input")).to_have_count(3)
    for absent in ("Start from an image", "Describe the pictures", "When it is finished"):
        expect(page.get_by_text(absent)).to_have_count(0)
    assert expected(guest.complaints, "/presets/style-neon.webp") == []  # this style has no example


def test_a_double_click_makes_one_job(painter: Visitor, user: ApiUser) -> None:
    page = open_form(painter, draft={"prompt": "twice the same fox", **SMALL})
    paint(page).dblclick(no_wait_after=True)
    see_job(page, "twice the same fox")
    assert len(user.jobs()) == 1
    assert painter.complaints == []


def test_a_lost_reply_and_a_reload_make_one_job(painter: Visitor, user: ApiUser) -> None:
    page = open_form(painter, draft={"prompt": "a fox whose answer is lost", **SMALL})

    def lose_reply(route: Route) -> None:
        assert route.fetch().status == 202
        route.abort()

    page.route("**/v1/jobs", lose_reply)
    paint(page).click()
    expect(page.get_by_text("Sending it again will not create a second job.")).to_be_visible()
    assert len(user.jobs()) == 1
    paint(page).click()
    expect(page.get_by_text("Sending it again will not create a second job.")).to_be_visible()
    page.unroute("**/v1/jobs")
    page.reload()
    paint(page).click()
    job_id = see_job(page, "a fox whose answer is lost")
    assert [job["id"] for job in user.jobs()] == [job_id]
    open_form(painter)
    paint(page).click()
    assert see_job(page, "a fox whose answer is lost") != job_id, "what has been answered is over"
    assert expected(painter.complaints, "ERR_FAILED") == []


def test_errors_are_shown_at_their_fields(painter: Visitor) -> None:
    page = open_form(painter)
    paint(page).click()
    expect(prompt_of(page)).to_be_focused()
    expect(error_at(page, "Describe your picture")).to_have_text("This field is required.")
    prompt_of(page).fill("a fox")
    expect(error_at(page, "Describe your picture")).to_have_text("")
    page.get_by_text("Advanced", exact=True).click()
    box(page, "Steps").fill("400")
    box(page, "Width").fill("100")
    page.get_by_text("Advanced", exact=True).click()
    expect(box(page, "Steps")).to_be_hidden()
    paint(page).click()
    expect(box(page, "Steps")).to_be_focused()
    expect(error_at(page, "Steps")).to_have_text("Must be at most 150.")
    expect(error_at(page, "Width")).to_have_text("Must be a multiple of 8.")
    expect(page.get_by_text("Your own values apply: Steps 400.")).to_be_visible()
    page.locator(".choice-quality").get_by_role("button", name="Reset").click()
    expect(box(page, "Steps")).to_have_value("")
    assert painter.complaints == []


def test_refusals_of_the_api_are_shown_in_the_pages_language(painter: Visitor) -> None:
    page = open_form(painter, draft={"prompt": "a fox", **SMALL})
    errors = [
        {"field": "seed", "message": "is too large", "code": "too_large", "limit": 99},
        {"field": "n", "message": "a remark without a code"},
        {"field": "prompt", "message": "No pets here.", "code": "prompt_rejected", "limit": None},
        {"field": "new_field", "message": "is odd", "code": "invalid", "limit": None},
    ]
    problem = {"code": "invalid_request", "status": 422, "detail": "No.", "errors": errors}
    page.evaluate("localStorage.setItem('easel.language', 'ru')")
    page.route("**/v1/jobs", lambda route: route.fulfill(status=422, json=problem))
    page.reload()
    page.get_by_role("button", name="Написать", exact=True).click()
    expect(page.get_by_text("Слишком много. Не больше 99.")).to_be_visible()
    expect(page.get_by_text("A remark without a code.")).to_be_visible()
    expect(page.get_by_text("Владельцы сайта не разрешают такие слова: No pets here.")).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="new_field: is odd")).to_be_visible()
    assert expected(painter.complaints, "status of 422") == []


def test_a_start_picture_goes_to_the_storage_and_into_the_job(painter: Visitor, user: ApiUser) -> None:
    page = open_form(painter, draft={"prompt": "a fox from a picture", **SMALL})
    give(page, png("teal"), png("maroon"))
    expect(tiles(page)).to_have_count(2)
    expect(tiles(page).get_by_text("Uploaded")).to_have_count(2)
    page.get_by_role("button", name="Remove: maroon.png").click()
    expect(tiles(page)).to_have_count(1)
    expect(page.locator(".canvas-picture")).to_be_visible()
    page.get_by_label("How much to change").fill("0.3")
    expect(page.get_by_text("the same picture, repainted")).to_be_visible()
    page.reload()
    expect(page.get_by_role("img", name="teal.png")).to_be_visible()
    expect(page.get_by_label("How much to change")).to_have_value("0.3")
    paint(page).click()
    settings = user.job(see_job(page, "a fox from a picture"))["settings"]
    assert (len(settings["source_images"]), settings["strength"]) == (1, 0.3)
    assert painter.complaints == []


def test_a_picture_can_be_kept_and_only_enlarged(painter: Visitor, user: ApiUser) -> None:
    page = open_form(painter, draft=SMALL)
    give(page, png("navy", 64, 64))
    page.get_by_role("radio", name=re.compile("^Keep it")).check()
    expect(page.get_by_text("No description is needed")).to_be_visible()
    box(page, "Enlarge").fill("2")
    paint(page).click()
    expect(page.get_by_test_id("job-state")).to_have_text("Finished", timeout=60_000)
    [job] = user.jobs()
    assert (job["settings"]["strength"], job["prompt"]) == (-1, "")
    assert [(image["width"], image["height"]) for image in job["images"]] == [(128, 128)]
    assert painter.complaints == []


DROP = """([target, kind, bytes, type, padding]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes), new Uint8Array(padding)], `${kind}.png`, { type }));
  const options = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { ...options, clipboardData: data })
    : new DragEvent("drop", { ...options, dataTransfer: data });
  document.querySelector(target).dispatchEvent(event);
}"""


def test_pictures_are_dropped_and_pasted_and_others_refused(painter: Visitor) -> None:
    page = open_form(painter)
    bytes_of = list(png()["buffer"])
    page.evaluate(DROP, [".canvas", "drop", bytes_of, "image/png", 0])
    page.evaluate(DROP, ["textarea", "paste", bytes_of, "image/png", 0])
    expect(tiles(page).get_by_text("Uploaded")).to_have_count(2)
    page.evaluate(DROP, [".canvas", "drop", bytes_of, "image/gif", 0])
    expect(page.get_by_text("drop.png is not a PNG, JPEG or WebP picture.")).to_be_visible()
    page.evaluate(DROP, [".canvas", "drop", [1, 2, 3], "image/png", 0])
    expect(page.get_by_text("drop.png cannot be read as an image.")).to_be_visible()
    page.evaluate(DROP, [".canvas", "drop", [], "image/png", 20 * 1024 * 1024 + 1])
    expect(page.get_by_text("drop.png is larger than 20 MB.")).to_be_visible()
    give(page, png("teal"), png("maroon"), png("navy"))
    expect(page.get_by_text("You can add at most 4 images.")).to_be_visible()
    expect(tiles(page)).to_have_count(4)
    assert painter.complaints == []


def test_a_failed_upload_can_be_retried(painter: Visitor, site: RunningSite) -> None:
    page = open_form(painter, draft={"prompt": "a fox", **SMALL})
    page.route(f"{site.s3_url}/**", lambda route: route.abort())
    give(page, png())
    expect(tiles(page).get_by_text("Easel cannot be reached.")).to_be_visible()
    paint(page).click()
    again = page.get_by_role("button", name="Send again: teal.png")
    expect(again).to_be_focused()
    expect(page.get_by_text("A starting image is missing.")).to_be_visible()
    page.unroute(f"{site.s3_url}/**")
    again.press("Enter")
    expect(tiles(page).get_by_text("Uploaded")).to_be_visible()
    assert expected(painter.complaints, "ERR_FAILED") == []


def test_a_missing_start_picture_is_reported(painter: Visitor, user: ApiUser) -> None:
    draft = {"prompt": "a fox", **SMALL, "source_images": ["uploads/nobody/gone.png"], "strength": 0.5}
    page = open_form(painter, draft=draft)
    expect(tiles(page)).to_have_count(1)
    paint(page).click()
    remove = page.get_by_role("button", name="Remove: Starting image")
    expect(remove).to_be_focused()
    expect(tiles(page).get_by_text("Choose it again.")).to_be_visible()
    remove.press("Enter")
    expect(page.get_by_role("button", name="Start from an image")).to_be_focused()
    paint(page).click()
    assert user.job(see_job(page, "a fox"))["settings"]["source_images"] == []
    assert expected(painter.complaints, "status of 422") == []


def test_prompt_and_pixels_of_another_picture_are_used(painter: Visitor, user: ApiUser) -> None:
    user.submit()
    [job] = user.finished()
    page = open_form(painter, f"/create?start={job['images'][0]['id']}&prompt=a%20heron%20%7C%20ink")
    expect(prompt_of(page)).to_have_value("a heron | ink")
    expect(tiles(page).get_by_text("Uploaded")).to_be_visible()
    assert page.url == f"{painter.url}/create"
    page.reload()
    expect(prompt_of(page)).to_have_value("a heron | ink")
    expect(tiles(page)).to_have_count(1)
    open_form(painter, "/create?start=00000000-0000-0000-0000-000000000000")
    expect(page.get_by_text("This picture no longer exists.")).to_be_visible()
    assert expected(painter.complaints, "status of 404") == []


def test_a_picture_that_the_browser_has_kept_can_be_used(painter: Visitor, user: ApiUser) -> None:
    """The storage names no origin in its answer to an img unless the img asks as fetch does."""
    user.submit()
    [job] = user.finished()
    image = job["images"][0]
    page = open_form(painter, "/create")
    page.evaluate(SHOW, image)
    expect(page.locator(f'img.picture.is-loaded[src="{image["url"]}"]')).to_have_count(1)
    page = open_form(painter, f"/create?start={image['id']}")
    expect(tiles(page).get_by_text("Uploaded")).to_be_visible()
    assert painter.complaints == []


def test_a_guest_logs_in_and_finds_everything_as_it_was(guest: Visitor, user: ApiUser) -> None:
    page = open_form(guest, draft=SMALL)
    prompt_of(page).fill("a fox that a guest thought of")
    give(page, png())
    expect(tiles(page).get_by_text("It will be sent when you log in")).to_be_visible()
    paint(page).click()
    page.get_by_role("textbox", name="Email").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(prompt_of(page)).to_have_value("a fox that a guest thought of")
    expect(tiles(page).get_by_text("Uploaded")).to_be_visible()
    expect(page.get_by_text("jobs left today")).to_be_visible()
    paint(page).click()
    job = user.job(see_job(page, "a fox that a guest thought of"))
    assert len(job["settings"]["source_images"]) == 1
    assert guest.complaints == []


def test_settings_of_a_job_are_shown_as_choices(painter: Visitor, user: ApiUser) -> None:
    job = user.submit(
        "a fox with settings",
        style="ink",
        n=3,
        seed=7,
        aspect="portrait",
        quality="draft",
        width=None,
        height=None,
        steps=4,
    )
    page = open_form(painter, draft={"prompt": job["prompt"], **job["settings"]})
    expect(page.get_by_role("checkbox", name="Ink", exact=True)).to_be_checked()
    for label in ("Portrait", "Draft 15 steps", "3"):
        expect(page.get_by_role("radio", name=label, exact=True)).to_be_checked()
    expect(box(page, "Seed")).to_have_value("7")
    expect(box(page, "Steps")).to_have_value("4")
    for label in ("Width", "Height", "Guidance", "Enlarge"):
        expect(box(page, label)).to_have_value("")
    assert painter.complaints == []


def test_the_form_can_be_cleared_and_restored(guest: Visitor) -> None:
    page = open_form(guest, draft={"prompt": "a fox", "style": "ink"})
    page.get_by_role("button", name="Clear the form").click()
    expect(prompt_of(page)).to_have_value("")
    expect(prompt_of(page)).to_be_focused()
    expect(page.get_by_text("Choose up to 8: one picture is made in each.")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(prompt_of(page)).to_have_value("a fox")
    expect(page.get_by_role("checkbox", name="Ink", exact=True)).to_be_checked()
    assert json.loads(page.evaluate("localStorage.getItem('easel.draft')"))["prompt"] == "a fox"
    assert guest.complaints == []


def test_the_keyboard_reaches_everything(guest: Visitor) -> None:
    page = open_form(guest)
    prompt_of(page).focus()
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nested brackets give them even more.")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Start from an image")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Painting", exact=True)).to_be_checked()
    prompt_of(page).fill("x" * 2001)
    expect(page.get_by_text("2,001 of 2,000: 1 too many")).to_be_visible()
    assert guest.complaints == []


def test_a_site_that_cannot_train_says_so(site: RunningSite, user: ApiUser) -> None:
    # Before the poller has asked its generator, a site may be able to train.
    until(lambda: not user.call("GET", "/v1/presets").json()["trains_likenesses"], "the generator was asked")
    with visitor(site.url, site.s3_url) as person:
        person.page.goto(f"{site.url}/likenesses")
        refusal = person.page.get_by_text("No generator of this site can learn from photos")
        expect(refusal).to_be_visible()
        log_in(person, user)
        person.page.goto(f"{site.url}/likenesses")
        expect(refusal).to_be_visible()
        assert person.page.get_by_role("button", name="Make a code").count() == 0
        person.page.goto(f"{site.url}/create")
        expect(person.page.get_by_label("Describe your picture")).to_be_visible()
        assert person.page.get_by_label("Code of a likeness").count() == 0
        assert person.complaints == []
