"""The video of a picture's making: asked for in the form, and played on the job's page and in the gallery."""

from pathlib import Path

import av
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.api_user import PASSWORD, ApiUser
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor
from tests.support.waiting import until

H264 = "document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.640028\"')"


def check_it_plays(page: Page) -> None:
    video = page.get_by_label("Video of the picture being painted")
    expect(video).to_be_visible()
    assert video.evaluate("video => video.controls && video.poster.includes('X-Amz-Signature')")
    # Headless browsers pause what is out of sight.
    video.scroll_into_view_if_needed()
    video.evaluate("video => video.play()")
    until(lambda: video.evaluate("video => video.currentTime") > 0.5, "the video moves", 60, 0.1)
    assert 6 < video.evaluate("video => video.duration") < 8
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [128, 96]


def test_the_making_is_a_video_that_plays(browser: Browser, site: RunningSite, user: ApiUser, tmp_path: Path) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB") as context:
        person = Visitor(context.new_page(), site.url, (site.url, site.s3_url))
        page = person.page
        if not page.evaluate(H264):
            pytest.skip("this browser has no decoder for H.264")
        account = {"email": user.email, "password": PASSWORD}
        assert context.request.post(f"{site.url}/v1/login", data=account).ok
        page.goto(f"{site.url}/create")
        page.get_by_label("Describe your picture").fill("a red house by a lake")
        page.get_by_text("Advanced", exact=True).click()
        page.get_by_label("Width", exact=True).fill("128")
        page.get_by_label("Height", exact=True).fill("96")
        page.get_by_label("Also make a time-lapse video").check()
        page.get_by_role("button", name="Paint it").click()
        check_it_plays(page)

        job = user.finished()[0]
        with page.expect_download() as downloading:
            page.get_by_role("link", name="Download the video").click()
        saved = tmp_path / "video.mp4"
        downloading.value.save_as(saved)
        with av.open(saved, "r") as container:
            assert container.streams.video[0].codec_context.name == "h264"
        assert downloading.value.suggested_filename == f"easel-{job['images'][0]['id']}.mp4"

        assert user.call("PUT", f"/v1/jobs/{job['id']}/publication").status_code == 200
        page.goto(f"{site.url}/gallery/{job['id']}")
        check_it_plays(page)
        assert person.complaints == []
