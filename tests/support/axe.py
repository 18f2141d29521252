"""axe-core, the accessibility checker, from npm: fetched once, checked by hash, kept in the environment."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Page

VERSION = "4.14.1"
SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
KEPT = Path(sys.prefix) / f"axe-core-{VERSION}.tgz"


def axe_source() -> str:
    """Return the checker's script. Skips the test if npm cannot fetch it."""
    if not KEPT.exists():
        _fetch()
    data = KEPT.read_bytes()
    assert base64.b64encode(hashlib.sha512(data).digest()).decode() == SHA512, f"{KEPT} is not axe-core {VERSION}"
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        return script.read().decode()


def violations(page: Page, source: str) -> list[str]:
    """Return the violations of all axe-core rules on the page, each with rule, help text and elements."""
    page.evaluate(source)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {rule['help']}: {json.dumps([node['target'] for node in rule['nodes']])}"
        for rule in found["violations"]
    ]


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on the PATH: axe-core, which checks accessibility, comes from it")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"axe-core@{VERSION}", "--silent", "--pack-destination", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        fetched = Path(folder) / f"axe-core-{VERSION}.tgz"
        if done.returncode != 0 or not fetched.exists():
            pytest.skip(f"npm cannot fetch axe-core: {done.stderr.strip()[-300:]}")
        # Other processes may fetch it at the same time: each moves a complete file into place.
        whole = KEPT.with_suffix(f".{Path(folder).name}")
        shutil.copyfile(fetched, whole)
        whole.replace(KEPT)
