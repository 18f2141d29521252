"""`make run` as a user starts it: one process with a separate home and ports, ended by Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from local import guard
from local.config import CHECKOUT, PORTS, Config, read_env_file
from local.lock import find_running
from local.ports import free_port
from local.servers import private_folder
from local.site import choose_servers, seeded_marker, site_environment
from shared.core.settings import Settings
from shared.services import Services
from tests.support.waiting import until

START_LIMIT_S = 90
STOP_LIMIT_S = 60
_LIKE_CTRL_C = ("--stop-signal", str(int(signal.SIGINT)), "--grace-s", str(STOP_LIMIT_S))


def own_environment(home: Path) -> dict[str, str]:
    """Return this process's environment with a home and free ports, and without any other setting of Easel.

    An empty variable hides what a .env file in the checkout says.
    """
    ports: set[int] = set()
    while len(ports) < len(PORTS):
        ports.add(free_port())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EASEL_", "AWS_"))}
    hidden = {name: "" for name in read_env_file(CHECKOUT / ".env", {}) if name.startswith("EASEL_")}
    named = {name: str(port) for name, port in zip(PORTS, ports, strict=True)}
    return kept | hidden | named | {"EASEL_HOME": str(home)}


def site_settings(environment: dict[str, str]) -> dict[str, str]:
    """Return the settings of a stack with this environment, for access to its database and storage."""
    config = Config.load(environment)
    return site_environment(config, [server.env for server in choose_servers(config)[0]])


class RunningSite:
    """The whole stack in a subprocess. It can be stopped and started again, and keeps its data.

    It also stops when the tests are killed: its guard sees that this process's end of the pipe is closed. An `empty`
    site begins without the example pictures, which take long to paint, and without scenes.
    """

    def __init__(self, home: Path, *, empty: bool = False) -> None:
        self.home = home
        if empty:
            marker = seeded_marker(home)
            for folder in (home, marker.parent):
                private_folder(folder)
            marker.touch()
        self.environment = own_environment(home)
        self.url = f"http://127.0.0.1:{self.environment['EASEL_PORT']}"
        self.s3_url = f"http://127.0.0.1:{self.environment['EASEL_S3_PORT']}"
        self._log = home.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the stack. Returns when it has printed its address."""
        with self._log.open("wb") as log:
            self._process = process = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *_LIKE_CTRL_C, "--", sys.executable, "-m", "local"],
                cwd=CHECKOUT,
                env=self.environment,
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: self._has_said(f"Easel is at {self.url}", process), "the stack is up", START_LIMIT_S)

    def stop(self) -> None:
        """Stop it as Ctrl-C does; check the exit code and that no process is left."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        process.send_signal(signal.SIGINT)
        with process.stdin:
            try:
                code = process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.stdin.write(guard.KILL)
                process.wait()
                raise
        assert code == 0, self._log.read_text()[-5000:]
        assert find_running(self.home) is None
        assert processes_of(self.home) == []

    def services(self) -> Services:
        """Return clients of its database and storage. The caller closes `services.db`."""
        return Services(Settings.from_environment(site_settings(self.environment)))

    def _has_said(self, words: str, process: "subprocess.Popen[bytes]") -> bool:
        said = self._log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"the stack ended with code {process.returncode}:\n{said[-5000:]}"
        return words in said


def processes_of(home: Path) -> list[str]:
    """Return the command lines of the processes started for this home; none on systems without /proc."""
    mark = os.fsencode(home)
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            if mark in command or mark in (folder / "environ").read_bytes():
                found.append(os.fsdecode(command.replace(b"\0", b" ")))
        except OSError:
            continue
    return found
