"""The system's Chromium for browser tests.

The headless shell is preferred: the same engine without the browser's own interface takes half the processor time.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


_running: list[Browser] = []


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a headless browser: the one of an outer `with`, else a new one.

    The caller closes the contexts. Skips the test without a browser.
    """
    if _running:
        yield _running[0]
        return
    program = next((path for path in map(shutil.which, NAMES) if path is not None), None)
    if program is None:
        pytest.skip(f"none of {', '.join(NAMES)} is on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        _running.append(browser)
        try:
            yield browser
        finally:
            _running.clear()
            browser.close()
