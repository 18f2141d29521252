"""No process started by a test run survives it, even after SIGKILL."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.waiting import until

# Two programs that ignore SIGTERM, the second with a child, as a test starts them; then it hangs.
RUN = """
import subprocess, sys, time
from tests.support.processes import started
deaf = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
alone = deaf + "print('up', flush=True); time.sleep(300)"
parent = deaf + f"subprocess.Popen([sys.executable, '-c', {alone!r}]); time.sleep(300)"
with started([sys.executable, "-c", alone]) as first, started([sys.executable, "-c", parent]) as second:
    print("pids", first.pid, second.pid, flush=True)
    time.sleep(300)
"""


def test_programs_of_a_killed_test_run_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        run = subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdout=file)
    try:
        until(lambda: log.read_text().count("up") == 2 and "pids" in log.read_text(), "the programs run")
    finally:
        run.kill()
        run.wait()
    [line] = [line for line in log.read_text().splitlines() if line.startswith("pids")]
    for group in map(int, line.split()[1:]):
        until(partial(has_ended, group), f"no process is left in the group {group}")


def has_ended(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
