"""`make demo` against the running stack."""

import subprocess
import sys
from pathlib import Path

from PIL import Image

from local.config import CHECKOUT
from tests.support.running_site import RunningSite


def test_it_works(site: RunningSite) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "local.demo", "a lighthouse at night"],
        cwd=CHECKOUT,
        env=site.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    path = CHECKOUT / Path(run.stdout.splitlines()[-1])
    try:
        assert path.parent == CHECKOUT / "results"
        assert path.name.startswith("a-lighthouse-at-night-")
        with Image.open(path) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("PNG", (512, 512))
    finally:
        path.unlink()
    assert "100% succeeded" in run.stdout
