"""The site's modules that need no browser, in Node's test runner."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from shared.jobs.states import Event, State

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WORDS = ROOT / "web" / "text" / "en.js"
REASONS = ROOT / "docs" / "reasons.md"
OLDEST_NODE = 20


def test_modules_without_dom_pass_their_tests_in_node() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the site's modules are tested by Node's own runner")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version.strip()}: the tests need {OLDEST_NODE} or later")
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("key", [*(f"event.{event}" for event in Event), *(f"job.{state}" for state in State)])
def test_the_site_has_texts_for_every_event_and_state(key: str) -> None:
    assert f'"{key}":' in WORDS.read_text(encoding="utf-8")


def test_the_site_has_texts_for_exactly_the_existing_reasons() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", REASONS.read_text(encoding="utf-8"), re.MULTILINE)
    worded = re.findall(r'^  "reason\.(\w+)":', WORDS.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(listed) > 30
    assert sorted(worded) == sorted(listed)
