"""The reference generator as a separate process, for tests that call it over HTTP."""

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from tests.support.paths import ROOT
from tests.support.processes import started
from tests.support.waiting import until

START_LIMIT_S = 300
STOP_LIMIT_S = 60


@contextmanager
def reference_generator(*options: str, python: str = sys.executable, **environment: str) -> Iterator[str]:
    """Start it on a free port; yield its address once its engine is loaded.

    `options` and `environment` are added to the usual ones, and `python` is that of the engine.
    """
    with started(
        [python, "-m", "generator", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment,
    ) as process:
        stdout = process.stdout
        assert stdout is not None
        lines: queue.Queue[str] = queue.Queue()

        def read_lines() -> None:
            for line in stdout:
                lines.put(line)

        reader = threading.Thread(target=read_lines, daemon=True)
        reader.start()
        try:
            while not (found := re.search(r"http://127\.0\.0\.1:\d+", lines.get(timeout=START_LIMIT_S))):
                assert process.poll() is None
            address = found[0]
            until(lambda: not _is_loading(address), "the engine is loaded", START_LIMIT_S, 0.05)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            finally:
                process.kill()
                reader.join(10)
                stdout.close()


def _is_loading(address: str) -> bool:
    with urlopen(f"{address}/health", timeout=START_LIMIT_S) as response:
        return "loading" in json.load(response)
