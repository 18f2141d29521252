"""Where the benchmarks run: real servers in a temporary home, processes that end with them, and rows to work on."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import text

from local.ports import free_port
from local.process import Part
from local.servers import base_environment, embedded_servers, http_answers
from local.stack import Stack, running
from shared.accounts import store as user_store
from shared.accounts.store import User
from shared.accounts.tokens import new_token, token_hash
from shared.core.settings import Settings
from shared.services import Services

ROOT = Path(__file__).parent.parent
RUN_LIMIT_S = 120

_LIMITS = {"EASEL_MAX_QUEUED": "100000", "EASEL_JOBS_PER_DAY": "1000000"}


@dataclass(frozen=True)
class Ground:
    """Servers that are up, the tables made, and `env`: all that a process needs to find them."""

    home: Path
    env: dict[str, str]

    @cached_property
    def services(self) -> Services:
        """Easel's services in this process, for putting rows into place."""
        return Services(Settings.from_environment(self.env))

    @contextmanager
    def processes(self, *parts: Part) -> Iterator[None]:
        """These programs, ready, for as long as the block runs."""
        with running(Stack(list(parts), self.home / "log")):
            yield

    def python(
        self, name: str, *argv: str, asked: tuple[int, str] | None = None, env: dict[str, str] | None = None
    ) -> Part:
        """A Python module as a part, with `env` on top. It is ready when it answers `asked` (port, path); without
        that, at once."""
        return Part(
            name=name,
            argv=(sys.executable, "-m", *argv),
            env=self.env | (env or {}),
            ready=(lambda: True) if asked is None else (lambda: http_answers(*asked)),
            cwd=ROOT,
        )

    def run(self, *argv: str, given: str = "") -> str:
        """Run a Python process to its end, within two minutes; return what it printed."""
        done = subprocess.run(
            [sys.executable, *argv],
            input=given,
            env=self.env,
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_S,
            start_new_session=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"python {' '.join(argv[:2])} failed:\n{done.stderr}")
        return done.stdout

    def users(self, count: int) -> list[tuple[User, str]]:
        """New users, each with a token."""
        made = []
        with self.services.db.begin() as connection:
            for _ in range(count):
                token = new_token()
                user = user_store.create(connection, f"{token[-12:]}@example.com".lower(), "no password")
                user_store.create_token(
                    connection, user.id, token_hash(token) or b"", kind="api", name="bench", lifetime_s=None
                )
                made.append((user, token))
        return made

    def clear_jobs(self) -> None:
        """Empty the queue and everything that hangs on jobs; users and tokens stay."""
        with self.services.db.begin() as connection:
            # The poller's order of locks: its sweep may run at the same moment.
            connection.execute(text("UPDATE queue_clock SET turn = 0"))
            connection.execute(text("TRUNCATE jobs, garbage CASCADE"))
            connection.execute(text("UPDATE users SET queued = 0, running = 0, next_turn = 0, quota_used = 0"))


@contextmanager
def prepared() -> Iterator[Ground]:
    """Postgres, Redis and S3 on free ports in a temporary home. All of it is gone after the block."""
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as folder:
        home = Path(folder).resolve()
        with embedded_servers(home) as settings:
            env = base_environment(home) | settings | _LIMITS | {"EASEL_PORT": str(free_port())}
            ground = Ground(home, env)
            ground.run("-m", "alembic", "upgrade", "head")
            try:
                yield ground
            finally:
                ground.services.db.close()
