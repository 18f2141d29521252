"""The site as `make run` has it, with two workers and two quick generators, part by part."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from local.config import Config
from local.ports import free_port
from local.process import Part, Process
from local.servers import http_answers, private_folder
from local.site import choose_servers, site_environment, site_parts
from shared.core.settings import MANY, Settings
from shared.services import Services
from tests.support.running_site import own_environment, processes_of
from tests.support.waiting import until

TASKS = ("initdb", "bucket", "migrate")
SERVERS = ("postgres", "redis", "s3")
GENERATORS = ("generator 1", "generator 2")
WORKERS = ("worker", "worker 2")
ONLY_ONES = ("postgres", "s3", "gateway")
"""Parts that the site has once, and without which no job is accepted or none succeeds."""

PLACES = 64
"""Of each generator: enough for the other jobs while those that a dead worker held wait for the end of its leases."""

START_LIMIT_S, STOP_LIMIT_S = 120, 60

_LIMITS = {
    "EASEL_MAX_RUNNING": "8",
    "EASEL_MAX_QUEUED": "100",
    "EASEL_JOBS_PER_DAY": "1000000",
    "EASEL_SIGNUPS_PER_ADDRESS": str(MANY),
    "EASEL_MAX_ACCOUNTS_PER_HOUR": str(MANY),
    "EASEL_MAILS_PER_DAY": str(MANY),
    "EASEL_MAX_USER_MB": "100000",
}


class Site:
    """Parts by name. `unasked` has the names of parts that ended without having been killed."""

    def __init__(self, home: Path) -> None:
        ports = [free_port() for _ in GENERATORS]
        generators = ",".join(f"img_generator+http://127.0.0.1:{port}?max_in_flight={PLACES}" for port in ports)
        config = Config.load(own_environment(home) | _LIMITS | {"EASEL_GENERATORS": generators})
        servers, _ = choose_servers(config)
        self.settings = site_environment(config, [server.env for server in servers])
        self.home = config.home
        private_folder(self.home / "log")
        self.url = f"http://127.0.0.1:{config.ports['EASEL_PORT']}"
        parts = [part for server in servers for part in server.parts]
        parts += site_parts(config, self.settings, {part.name for part in parts})
        self.parts = {part.name: part for part in parts}
        self.parts["worker 2"] = replace(self.parts["worker"], name="worker 2")
        for name, port in zip(GENERATORS, ports, strict=True):
            self.parts[name] = self._generator(name, port)
        self.unasked: list[str] = []
        self._starts: Counter[str] = Counter()
        self._running: dict[str, Process] = {}
        self._killed: set[str] = set()

    def _generator(self, name: str, port: int) -> Part:
        argv = (*self.parts["migrate"].argv[:1], "-m", "tests.reliability.generators", str(port), str(PLACES))
        return replace(
            self.parts["migrate"], name=name, argv=argv, needs=(), ready=lambda: http_answers(port, "/health")
        )

    def start_all(self) -> None:
        """Start every part, each when those that it needs work."""
        names = ["initdb", "postgres", "redis", "s3", "bucket", "migrate", *GENERATORS, *WORKERS, "gateway"]
        for name in names:
            if name in self.parts:
                self.start(name)

    @property
    def names(self) -> list[str]:
        """Return the names of the parts that go on running."""
        return [name for name in self._running if name not in TASKS]

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start a part; each start has a log of its own."""
        self._starts[name] += 1
        log = self.home / "log" / f"{name} {self._starts[name]}.log"
        self._running[name] = process = Process(self.parts[name], log, lambda *_: None)
        if wait:
            until(process.is_ready, f"{name} works", START_LIMIT_S)

    def kill(self, name: str) -> None:
        """Kill a part with all its children."""
        process = self._running.pop(name)
        self._killed.discard(name)
        process.kill()
        self._end(name, process)

    def stop(self, name: str) -> None:
        """Ask a part to end, and wait for it."""
        process = self._running.pop(name)
        process.stop()
        self._end(name, process)

    def revive(self) -> None:
        """Start what has ended, as a container's policy does, and note what was not killed."""
        for name in self.names:
            if self._running[name].exit_code is None:
                continue
            if name not in self._killed:
                said = "".join(list(self._running[name].tail)[-1:])
                self.unasked.append(f"{name} ended; its last line: {said[:200]}")
            self._killed.discard(name)
            self._running.pop(name).close()
            self.start(name, wait=False)

    def kill_process(self, name: str, pid: int) -> None:
        """Kill one process of a part; only its first process may take the part with it."""
        if pid in [child.pid for child in psutil.Process(self._running[name]._guard.pid).children()]:
            self._killed.add(name)
        send(pid, signal.SIGKILL)

    def pids(self, name: str) -> list[int]:
        """Return the process ids of a part, its guard left out."""
        if self._running[name].exit_code is not None:
            return []
        guard = psutil.Process(self._running[name]._guard.pid)
        return [child.pid for child in guard.children(recursive=True)]

    def close(self) -> None:
        """Stop everything."""
        for name in reversed(list(self._running)):
            for pid in self.pids(name) if self._running[name].exit_code is None else ():
                send(pid, signal.SIGCONT)
            self.stop(name)
        assert processes_of(self.home) == []

    def _end(self, name: str, process: Process) -> None:
        until(lambda: process.exit_code is not None, f"{name} has ended", STOP_LIMIT_S)
        process.close()


def send(pid: int, number: signal.Signals) -> bool:
    """Send a signal; return False if the process is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


@contextmanager
def running_site(home: Path) -> Iterator[tuple[Site, Services]]:
    """Run a site for the duration of the block; yield it, and clients of its database and storage."""
    site = Site(home)
    try:
        site.start_all()
        services = Services(Settings.from_environment(site.settings))
        try:
            yield site, services
        finally:
            services.db.close()
    finally:
        site.close()
