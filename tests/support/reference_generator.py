"""The reference generator as a separate process, for tests that call it over HTTP."""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.paths import ROOT
from tests.support.processes import started

START_LIMIT_S = 60
STOP_LIMIT_S = 20


@contextmanager
def reference_generator(*options: str, **environment: str) -> Iterator[str]:
    """Start it on a free port; yield its address. `options` and `environment` are added to the usual ones."""
    with started(
        [sys.executable, "-m", "generator", "--port", "0", *options],
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
            yield found[0]
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            finally:
                process.kill()
                reader.join(10)
                stdout.close()
