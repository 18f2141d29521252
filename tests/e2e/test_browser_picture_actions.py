"""Actions on the user's jobs: delete with undo, download, publish, repeat."""

import io
import zipfile

import pytest
import requests
from playwright.sync_api import expect

from tests.support.api_user import ApiUser
from tests.support.cabinet import HIDE, Owner, act, choose, look, record, tile, tiles
from tests.support.visitor import Visitor, stop_clock
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("browser")


def ids(user: ApiUser) -> set[str]:
    return {job["id"] for job in user.jobs()}


def test_delete_can_be_undone_and_is_sent_only_then(person: Visitor, owner: Owner) -> None:
    owner.copy("a fox", 2)
    page = look(person)
    stop_clock(page)
    sent = record(page, lambda request: request.method == "DELETE")
    act(page, "a fox 2", "Delete")
    expect(tiles(page)).to_have_count(2)
    expect(page.get_by_role("link", name="a fox 1")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(3)
    expect(page.get_by_role("link", name="a fox 2")).to_be_focused()
    act(page, "a fox 1", "Delete")
    page.keyboard.press("Control+z")
    expect(tiles(page)).to_have_count(3)
    page.clock.run_for(20_000)
    assert sent == []
    act(page, "a fox 2", "Delete")
    page.mouse.move(0, 0)
    page.clock.run_for(7_000)
    assert sent == []
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.clock.run_for(2_000)
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    until(lambda: len(ids(owner)) == 2, "the job is deleted")
    assert [request.method for request in sent] == ["DELETE"]


def test_pending_deletions_are_sent_when_the_view_or_the_page_is_left(person: Visitor, owner: Owner) -> None:
    [kept] = ids(owner)
    owner.copy("a fox", 40)
    page = look(person)
    act(page, "a fox 40", "Delete")
    page.get_by_role("link", name="Create", exact=True).click()
    until(lambda: len(ids(owner)) == 40, "leaving the view deletes")
    look(person)
    choose(page, "a fox 39")
    choose(page, "a fox 1", modifiers=["Shift"])
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(tiles(page)).to_have_count(1)
    page.goto("about:blank")
    until(lambda: ids(owner) == {kept}, "leaving the page deletes")


def test_a_refused_deletion_is_restored_with_a_message(person: Visitor, owner: Owner) -> None:
    owner.copy("a fox", 2)
    page = look(person)
    person.expected = [f"/v1/jobs/{job['id']}" for job in owner.jobs()]
    page.route("**/v1/jobs/*", lambda route: route.fulfill(status=409, json={"code": "still_running"}))
    act(page, "a fox 1", "Delete")
    page.get_by_role("link", name="Gallery", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("1 job could not be deleted. It is still being painted.")
    page.unroute("**/v1/jobs/*")
    look(person)
    expect(tiles(page)).to_have_count(3)


def test_a_zip_of_the_selection_holds_the_exact_pictures(person: Visitor, owner: Owner) -> None:
    [fox] = owner.copy("Fox: a/b | c?")
    [lost] = owner.copy("a lost boat")
    page = look(person)
    gone = owner.job(lost)["images"][1]["link"]
    person.expected = [gone]
    page.route(f"**{gone}", lambda route: route.fulfill(status=404, json={}))
    for prompt in ("Fox: a/b | c?", "a lost boat", "a lighthouse on a cliff"):
        choose(page, prompt)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert saved.value.suggested_filename.startswith("easel-")
    expect(page.get_by_role("alert")).to_have_text("1 picture could not be loaded. The ZIP file contains the other 5.")
    with zipfile.ZipFile(saved.value.path()) as archive:
        assert archive.testzip() is None
        names = [f"{name}{number}.png" for name in ("Fox a b c", "a lighthouse on a cliff") for number in ("", " (2)")]
        assert sorted(archive.namelist()) == sorted([*names, "a lost boat.png"])
        found = [archive.read(name) for name in ("Fox a b c.png", "Fox a b c (2).png")]
    links = [image["link"] for image in owner.job(fox)["images"]]
    wanted = [requests.get(owner.url + link, timeout=30).content for link in links]
    assert sorted(found) == sorted(wanted)
    assert all(content.startswith(b"\x89PNG") for content in wanted)


def test_several_pictures_download_as_a_zip_and_one_as_a_file(person: Visitor, owner: Owner) -> None:
    owner.submit("a single bed")
    owner.finished()
    page = look(person)
    with page.expect_download() as saved:
        act(page, "a lighthouse on a cliff", "Download all as ZIP")
    assert saved.value.suggested_filename == "a lighthouse on a cliff.zip"
    assert len(zipfile.ZipFile(io.BytesIO(saved.value.path().read_bytes())).namelist()) == 2
    with page.expect_download() as saved:
        act(page, "a single bed", "Download")
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")


def test_publish_and_unpublish(person: Visitor, owner: Owner) -> None:
    [first, second] = owner.copy("a fox", 2)
    page = look(person)
    act(page, "a fox 1", "Publish")
    expect(tile(page, "a fox 1")).to_contain_text("In the gallery")
    expect(page.get_by_role("button", name="Actions: a fox 1")).to_be_focused()
    assert owner.job(first)["public"] is True
    page.keyboard.press("Control+a")
    choose(page, "a fox 1")
    choose(page, "a fox 2")
    bar = page.get_by_role("region", name="Notices")
    bar.get_by_role("button", name="Publish (1)").click()
    bar.get_by_role("button", name="Remove from gallery", exact=True).click()
    until(lambda: not any(owner.job(job)["public"] for job in (first, second)), "both are taken back")
    expect(page.get_by_text("In the gallery", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    person.expected = [f"/v1/jobs/{second}/publication"]
    page.route("**/publication", lambda route: route.fulfill(status=403, json={"code": "taken_down", "detail": "No."}))
    act(page, "a fox 2", "Publish")
    expect(page.get_by_role("alert")).to_contain_text("It was removed from the gallery")


def test_vary_and_try_again_make_one_job_each(person: Visitor, owner: Owner) -> None:
    [failed] = owner.copy("a boat", state="failed")
    page = look(person)
    sent = record(page, lambda request: request.method == "POST")
    # The first answer is lost after the server has created the job.
    page.route("**/v1/jobs", lambda route: (route.fetch(), route.abort())[0], times=1)
    act(page, "a lighthouse on a cliff", "Make a variation")
    expect(page.get_by_role("alert")).to_contain_text("Easel cannot be reached.")
    page.get_by_text("Make a variation", exact=True).click()
    expect(tiles(page)).to_have_count(3)
    keys = {request.headers["idempotency-key"] for request in sent}
    assert (len(sent), len(keys)) == (2, 1)
    act(page, "a boat", "Try again")
    expect(tiles(page)).to_have_count(4)
    expect(tiles(page).first).to_contain_text("a boat")
    jobs = owner.finished()
    assert [job["prompt"] for job in jobs] == [
        "a boat",
        "a lighthouse on a cliff",
        "a boat",
        "a lighthouse on a cliff",
    ]
    assert jobs[0]["settings"]["seed"] == owner.job(failed)["settings"]["seed"]
    assert jobs[1]["settings"]["seed"] != jobs[3]["settings"]["seed"]
    page.evaluate(HIDE, False)
    expect(tiles(page).first).to_have_attribute("data-state", "succeeded")
    person.complaints = [note for note in person.complaints if "ERR_FAILED" not in note]


def test_start_picture_and_prompt_lead_to_the_form(person: Visitor, owner: Owner) -> None:
    page = look(person)
    page.get_by_role("button", name="Actions: a lighthouse on a cliff").click()
    start = page.get_by_role("link", name="Use as starting image")
    image = owner.jobs()[0]["images"][0]["id"]
    expect(start).to_have_attribute("href", f"/create?start={image}")
    page.keyboard.press("Escape")
    act(page, "a lighthouse on a cliff", "Use this prompt")
    expect(page.get_by_label("Describe your picture")).to_have_value("a lighthouse on a cliff")
