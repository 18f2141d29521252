"""The page for trying both protocols: what it may load, and its use in a browser."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fake_engine import FakeEngine
from playwright.sync_api import Browser, Page, expect
from serving import Listen, Service, encoded

from generator import glide, request
from generator.engines.base import ModelInfo
from generator.site import FOLDER
from tests.support.chromium import chromium

PATIENCE_MS = 20_000


class Tags(HTMLParser):
    """Collects each tag of a page with its attributes, and the text inside scripts and styles."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in ("script", "style"):
            self.inline += data.strip()


@pytest.mark.parametrize("name", ["index.html", "docs/index.html"])
def test_the_pages_have_no_inline_code_and_load_only_their_origin(name: str) -> None:
    page = Tags(FOLDER / name)
    assert page.inline == ""
    for tag, attributes in page.tags:
        assert tag != "style"
        assert not [key for key in attributes if key == "style" or key.startswith("on")], tag
        for key in ("src", "href"):
            assert (attributes.get(key) or "/").startswith("/"), (tag, attributes)
            assert not (attributes.get(key) or "/").startswith("//"), (tag, attributes)


def test_the_scripts_never_build_markup_from_text() -> None:
    scripts = sorted(FOLDER.rglob("*.js"))
    assert len(scripts) == 3
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(", text)
        assert "http:" not in text
        assert "https:" not in text


def test_the_fields_have_the_limits_of_the_service() -> None:
    fields = {attributes.get("id"): attributes for _, attributes in Tags(FOLDER / "index.html").tags}
    numbers = {
        "width": (request.MIN_SIDE_PX, request.MAX_SIDE_PX),
        "height": (request.MIN_SIDE_PX, request.MAX_SIDE_PX),
        "n": (1, request.MAX_N),
        "seed": (0, request.MAX_SEED),
        "steps": (1, request.MAX_STEPS),
        "scale": (0, request.MAX_SCALE),
        "strength": (-2, 1),
        "batch_size": (1, glide.MAX_BATCH),
        "guidance_scale": (0, request.MAX_SCALE),
        "upsample_temp": (0, 1),
        "base_steps": (1, request.MAX_STEPS),
        "up_steps": (1, request.MAX_STEPS),
    }
    for name, limits in numbers.items():
        assert tuple(float(fields[name][key] or "") for key in ("min", "max")) == limits, name
    assert {fields[name]["maxlength"] for name in ("prompt", "neg_prompt")} == {str(request.MAX_PROMPT)}


@pytest.mark.parametrize("path", ["/", "/page/page.js", "/page/page.css", "/docs/", "/docs/swagger-ui.css"])
def test_every_file_is_served_under_a_strict_policy(service: Service, path: str) -> None:
    answer = service.client.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert ("'unsafe-inline'" in policy["style-src"]) == path.startswith("/docs")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/page/../service.py", "/page/%2e%2e/service.py", "/page/", "/redoc", "/missing"])
def test_nothing_else_is_served(service: Service, path: str) -> None:
    assert service.client.get(path).status_code == 404


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextmanager
def visit(browser: Browser, address: str, width: int = 1280, scheme: str = "light") -> Iterator[Page]:
    """Open the page in a tab; fail on console errors and on requests to other origins."""
    complaints: list[str] = []

    def check_place(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "blob" and f"{parts.scheme}://{parts.netloc}" != address:
            complaints.append(f"elsewhere: {url}")

    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: check_place(request.url))
        page.goto(address)
        yield page
        # Browsers log every 4xx and 5xx answer; the page expects these.
        assert [words for words in complaints if "Failed to load resource" not in words] == []
    finally:
        context.close()


def loaded(page: Page, count: int) -> list[tuple[int, int]]:
    """Return the natural sizes of the shown pictures in pixels."""
    pictures = page.get_by_role("list", name="Pictures").get_by_role("img")
    expect(pictures).to_have_count(count)
    page.wait_for_function("[...document.querySelectorAll('#pictures img')].every((picture) => picture.naturalWidth)")
    sizes: list[list[int]] = pictures.evaluate_all("(all) => all.map((one) => [one.naturalWidth, one.naturalHeight])")
    return [(width, height) for width, height in sizes]


def test_a_sentence_becomes_pictures(browser: Browser, listen: Listen, engine: FakeEngine) -> None:
    with visit(browser, listen()) as page:
        expect(page.get_by_text("Engine: fake. 0 at work, 0 waiting.")).to_be_visible()
        page.get_by_label("Your picture in words").fill("a boat")
        page.get_by_label("Width").fill("128")
        page.get_by_label("Height").fill("64")
        page.locator("#img_generator").get_by_label("Pictures").fill("2")
        page.get_by_label("Seed").fill("7")
        page.get_by_role("button", name="Paint it").click()
        assert loaded(page, 2) == [(128, 64), (128, 64)]
        expect(page.get_by_text("128x64")).to_have_count(2)
        expect(page.get_by_text(re.compile(r"^Painted in \d+\.\d s\.$"))).to_be_visible()
        expect(page.get_by_role("img", name="Picture 1 of 2: a boat")).to_be_visible()
    first = engine.image_requests[0]
    assert (first.prompt, first.width, first.height, first.seed, first.steps) == ("a boat", 128, 64, 7, 30)


def test_the_models_values_are_shown_once_it_is_loaded(browser: Browser, listen: Listen, engine: FakeEngine) -> None:
    engine.model = ModelInfo("tiny", "cpu", "float32", 12, 3.5, 64, 96)
    loading = {"engine": "fake", "loading": "model is loading, about 40 s", "queue": 0, "processing": 0}
    with visit(browser, listen()) as page:
        page.route("**/health", lambda route: route.fulfill(json=loading))
        page.reload()
        expect(page.get_by_text("The model is loading, about 40 s.")).to_be_visible()
        expect(page.get_by_label("Steps").first).to_have_value("30")
        page.get_by_label("Height").fill("128")
        page.unroute_all()
        expect(page.get_by_text("Engine: fake, tiny. 0 at work, 0 waiting.")).to_be_visible()
        values = [page.locator(f"#{name}").input_value() for name in ("width", "height", "steps", "scale")]
        assert values == ["64", "128", "12", "3.5"]


def test_a_sheet_can_be_made_with_the_keyboard_only(browser: Browser, listen: Listen, engine: FakeEngine) -> None:
    with visit(browser, listen()) as page:
        page.get_by_label("img_generator", exact=True).focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("a castle")
        page.keyboard.press("Control+Enter")
        assert loaded(page, 1) == [(256 * 3, 256)]
        expect(page.get_by_text("GPU memory: 1.72 Gb in use, 4.48 Gb reserved.")).to_be_visible()
    assert {image_request.prompt for image_request in engine.image_requests} == {"a castle"}


def test_the_steps_of_the_stages_are_set_and_the_networks_shown(
    browser: Browser, listen: Listen, engine: FakeEngine
) -> None:
    with visit(browser, listen()) as page:
        page.locator(".protocols label", has_text="Glide").click()
        page.get_by_text("Diffusion steps").click()
        page.get_by_label("Base model").fill("9")
        page.get_by_label("Up model").fill("4")
        page.get_by_role("button", name="Set the steps").click()
        expect(page.get_by_text("base model 1,234, up model 567")).to_be_visible()
        page.get_by_role("button", name="Paint it").click()
        loaded(page, 1)
    assert [image_request.steps for image_request in engine.image_requests] == [9, 4] * 3


def test_position_and_progress_are_shown_and_stop_cancels(browser: Browser, listen: Listen, engine: FakeEngine) -> None:
    address = listen()
    with visit(browser, address) as first, visit(browser, address) as second:
        first.get_by_label("Your picture in words").fill("wait for it")
        first.get_by_role("button", name="Paint it").focus()
        first.keyboard.press("Enter")
        expect(first.get_by_role("status").get_by_text("Painting", exact=True)).to_be_visible()
        expect(first.get_by_role("progressbar")).to_have_attribute("value", re.compile("^5[0-9]$"))
        second.get_by_role("button", name="Paint it").click()
        expect(second.get_by_text("Waiting: number 1 in the queue")).to_be_visible()
        expect(first.get_by_role("button", name="Stop")).to_be_focused()
        first.keyboard.press("Enter")
        expect(first.get_by_text("Stopped.")).to_be_visible()
        expect(first.get_by_role("button", name="Paint it")).to_be_focused()
        loaded(second, 1)
    assert engine.stopped.is_set()


def test_stopping_a_sheet_disconnects(browser: Browser, listen: Listen, engine: FakeEngine) -> None:
    with visit(browser, listen()) as page:
        page.locator(".protocols label", has_text="Glide").click()
        page.get_by_label("Your picture in words").fill("wait for it")
        page.get_by_role("button", name="Paint it").click()
        assert engine.waiting.wait(PATIENCE_MS / 1000)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Stopped.")).to_be_visible()
    assert engine.stopped.wait(PATIENCE_MS / 1000)


@pytest.mark.parametrize("protocol", ["img_generator", "Glide"])
def test_a_failure_is_shown_as_a_message(browser: Browser, listen: Listen, protocol: str) -> None:
    with visit(browser, listen()) as page:
        page.locator(".protocols label", has_text=protocol).click()
        page.get_by_label("Your picture in words").fill("raise")
        page.get_by_role("button", name="Paint it").click()
        expect(page.get_by_role("alert")).to_have_text("The engine failed.")
        page.get_by_label("Your picture in words").fill("a boat")
        page.get_by_role("button", name="Paint it").click()
        loaded(page, 1)
        expect(page.get_by_role("alert")).to_be_hidden()


def test_a_refused_parameter_is_shown_at_its_field(browser: Browser, listen: Listen) -> None:
    with visit(browser, listen()) as page:
        page.get_by_label("Your picture in words").fill("   ")
        page.get_by_role("button", name="Paint it").click()
        expect(page.get_by_role("alert")).to_contain_text("Prompt is required")
        expect(page.get_by_label("Your picture in words")).to_be_focused()
        expect(page.get_by_label("Your picture in words")).to_have_attribute("aria-invalid", "true")


def test_a_picture_can_be_used_as_source(browser: Browser, listen: Listen, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "start.png").write_bytes(base64.b64decode(encoded(64, 64)))
    with visit(browser, listen()) as page:
        page.get_by_label("Width").fill("64")
        page.get_by_label("Height").fill("64")
        page.get_by_text("Start from a picture").click()
        page.get_by_label("PNG or JPEG").set_input_files(tmp_path / "start.png")
        page.get_by_label("Strength").fill("0.25")
        page.get_by_role("button", name="Paint it").click()
        assert loaded(page, 1) == [(64, 64)]
    assert engine.strengths == [0.25]


@pytest.mark.parametrize("protocol", ["img_generator", "Glide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_screen_in_both_themes(browser: Browser, listen: Listen, protocol: str, scheme: str) -> None:
    with visit(browser, listen(), width=360, scheme=scheme) as page:
        page.locator(".protocols label", has_text=protocol).click()
        for summary in page.locator("summary:visible").all():
            summary.click()
        page.get_by_label("Your picture in words").fill("a" * 300)
        page.get_by_role("button", name="Paint it").click()
        loaded(page, 1)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
        assert brightness > 200 if scheme == "light" else brightness < 50


def test_the_docs_work_without_another_origin(browser: Browser, listen: Listen) -> None:
    with visit(browser, listen()) as page:
        page.get_by_role("link", name="All calls").click()
        expect(page.get_by_text("/basemodel")).to_be_visible()
