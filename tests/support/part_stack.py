"""The site's parts, each of which the test can kill and start again.

`python -m local` stops everything when a part dies; here the same parts, with the same command lines and settings, run
one by one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.config import Config
from local.process import Part, Process
from local.site import choose_servers, site_environment, site_parts
from local.stack import Stack, running
from shared.core.settings import Settings
from shared.services import Services
from tests.support.running_site import own_environment, processes_of
from tests.support.waiting import until

POLLER = ("worker",)
PARTS = ("generator", "gateway", *POLLER)
START_LIMIT_S = 90
STOP_LIMIT_S = 40


@dataclass
class PartStack:
    """Generator, gateway and worker beside running servers."""

    url: str
    generator_url: str
    settings: dict[str, str]
    home: Path
    parts: dict[str, Part]
    _processes: dict[str, Process] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start these parts. Returns when each of them works."""
        for name in names:
            self._processes[name] = Process(self.parts[name], self.home / "log" / f"{name}.log", _ignore)
        until(lambda: all(self._works(name) for name in names), f"{names} work", START_LIMIT_S)

    def kill(self, *names: str) -> None:
        """Send SIGKILL to these parts and all their children at once."""
        for name in names:
            self._processes[name].kill()
        self._wait_for_the_end(names)

    def stop(self, *names: str) -> None:
        """Ask these parts to stop, and wait until they have."""
        for name in names:
            self._processes[name].stop()
        self._wait_for_the_end(names)

    def close(self) -> None:
        """Stop every part that still runs."""
        self.stop(*reversed(self._processes))

    def _works(self, name: str) -> bool:
        process = self._processes[name]
        assert process.exit_code in (None, 0), f"{name} ended; its last output: {list(process.tail)}"
        return process.is_ready()

    def _wait_for_the_end(self, names: tuple[str, ...]) -> None:
        ending = [self._processes.pop(name) for name in names]
        until(lambda: all(process.exit_code is not None for process in ending), f"{names} have ended", STOP_LIMIT_S)
        for process in ending:
            process.close()


def _ignore(name: str, line: str) -> None:
    """Do nothing: the logs are in the home."""


@contextmanager
def part_stack(home: Path, **environment: str) -> Iterator[PartStack]:
    """Run all parts in a new home for the block; no process is left after it. `environment` is added to the usual."""
    config = Config.load(own_environment(home) | environment)
    servers, _ = choose_servers(config)
    settings = site_environment(config, [server.env for server in servers])
    server_parts = [part for server in servers for part in server.parts]
    parts = {part.name: part for part in site_parts(config, settings, {part.name for part in server_parts})}
    stack = PartStack(
        url=f"http://127.0.0.1:{config.ports['EASEL_PORT']}",
        generator_url=f"http://127.0.0.1:{config.ports['EASEL_GENERATOR_PORT']}",
        settings=settings,
        home=config.home,
        parts=parts,
    )
    with running(Stack(server_parts, config.home / "log")):
        try:
            stack.start("migrate")
            stack.start(*PARTS)
            yield stack
        finally:
            stack.close()
    assert processes_of(config.home) == []


@contextmanager
def services_of(stack: PartStack) -> Iterator[Services]:
    """Yield clients of the stack's database and storage."""
    services = Services(Settings.from_environment(stack.settings))
    try:
        yield services
    finally:
        services.db.close()
