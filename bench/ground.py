"""The environment of the benchmarks: servers in a temporary home, processes that end with them, and test data."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqlalchemy import make_url, text

from local.ports import free_port
from local.process import Part
from local.servers import base_environment, embedded_servers, http_answers
from local.stack import Stack, running
from shared.accounts import store as user_store
from shared.accounts import token_store
from shared.accounts.store import User
from shared.accounts.tokens import new_token, token_hash
from shared.core.settings import MANY, Settings
from shared.services import Services

ROOT = Path(__file__).parent.parent
RUN_LIMIT_S = 120

_NO_LIMIT = str(MANY)
_LIMITS = {
    "EASEL_MAX_QUEUED": "100000",
    "EASEL_JOBS_PER_DAY": "1000000",
    "EASEL_MAX_QUEUED_TOTAL": _NO_LIMIT,
    "EASEL_MAX_USER_MB": _NO_LIMIT,
    "EASEL_MAX_ACCOUNTS_PER_HOUR": _NO_LIMIT,
    "EASEL_LOGINS_PER_ACCOUNT": _NO_LIMIT,
    "EASEL_LOGINS_PER_ADDRESS": _NO_LIMIT,
    "EASEL_SIGNUPS_PER_ADDRESS": _NO_LIMIT,
    "EASEL_UPLOADS_PER_HOUR": _NO_LIMIT,
    "EASEL_UPLOAD_MB_PER_HOUR": _NO_LIMIT,
    "EASEL_UPLOAD_MB_IN_ALL": _NO_LIMIT,
}
"""Benchmarks do in a minute what a site takes in days."""


@dataclass(frozen=True)
class Build:
    """A checkout of Easel, with the Python of its environment."""

    root: Path
    python: str

    @classmethod
    def at(cls, root: Path) -> "Build":
        """Return the build of another checkout, whose environment is in its `.venv`.

        Raises:
            FileNotFoundError: The checkout has no environment; `make check` there makes one.
        """
        root = root.resolve()
        python = root / ".venv/bin/python"
        if not python.exists():
            raise FileNotFoundError(f"{python} does not exist; run 'make .venv/dev.stamp' in {root} first")
        return cls(root, str(python))


OURS = Build(ROOT, sys.executable)


@dataclass(frozen=True)
class Ground:
    """Running servers, with the tables created.

    Attributes:
        env: The variables with which a process finds the servers.
        rival: Another build of Easel to compare with, instead of the usual program. Both use the same servers and
            tables, so their schemas must be the same.
    """

    home: Path
    env: dict[str, str]
    rival: Build | None = None

    @cached_property
    def services(self) -> Services:
        """Return Easel's services in this process, to insert rows with."""
        return Services(Settings.from_environment(self.env))

    @contextmanager
    def processes(self, *parts: Part) -> Iterator[None]:
        """Run these programs for the duration of the block, which starts when all are ready."""
        with running(Stack(list(parts), self.home / "log")):
            yield

    def python(
        self,
        name: str,
        *argv: str,
        asked: tuple[int, str] | None = None,
        env: dict[str, str] | None = None,
        build: Build = OURS,
    ) -> Part:
        """Return a Python module of a build as a part, with `env` added to the servers' variables.

        It is ready when `asked` (port, path) answers; without `asked`, immediately.
        """
        return Part(
            name=name,
            argv=(build.python, "-m", *argv),
            env=self.env | (env or {}),
            ready=(lambda: True) if asked is None else (lambda: http_answers(*asked)),
            cwd=build.root,
        )

    @contextmanager
    def beside(self, database: str) -> Iterator["Ground"]:
        """Create another database on the same server, with the tables, for measurements in turns."""
        with self.services.db.statement() as connection:
            connection.execute(text(f"CREATE DATABASE {database}"))
        url = make_url(self.env["EASEL_DATABASE_URL"]).set(database=database)
        ground = Ground(self.home, self.env | {"EASEL_DATABASE_URL": url.render_as_string(hide_password=False)})
        ground.run("-m", "alembic", "upgrade", "head")
        try:
            yield ground
        finally:
            ground.services.db.close()

    def run(
        self,
        *argv: str,
        given: str = "",
        build: Build = OURS,
        python: str | None = None,
        env: dict[str, str] | None = None,
    ) -> str:
        """Run a Python process, for at most two minutes, and return its output. `env` is added to its variables.

        Raises:
            RuntimeError: The process failed.
        """
        done = subprocess.run(
            [python or build.python, *argv],
            input=given,
            env=self.env | (env or {}),
            cwd=build.root,
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
        """Create users, each with an API token, and return them."""
        made = []
        with self.services.db.begin() as connection:
            for _ in range(count):
                token = new_token()
                user = user_store.create(connection, f"{token[-12:]}@example.com".lower(), "no password")
                token_store.create_token(
                    connection, user.id, token_hash(token) or b"", kind="api", name="bench", lifetime_s=None
                )
                made.append((user, token))
        return made

    def clear_jobs(self) -> None:
        """Delete all jobs and their rows; users and tokens are kept."""
        with self.services.db.begin() as connection:
            # In the poller's lock order, since its sweep may run at the same time.
            connection.execute(text("UPDATE queue_clock SET turn = 0"))
            connection.execute(text("TRUNCATE jobs, garbage CASCADE"))
            connection.execute(text("UPDATE users SET queued = 0, running = 0, next_turn = 0, quota_used = 0"))


@contextmanager
def prepared(rival: Build | None = None) -> Iterator[Ground]:
    """Start Postgres, Redis and S3 on free ports in a temporary home, which is removed after the block."""
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as folder:
        home = Path(folder).resolve()
        with embedded_servers(home) as settings:
            env = base_environment(home) | settings | _LIMITS | {"EASEL_PORT": str(free_port())}
            ground = Ground(home, env, rival)
            ground.run("-m", "alembic", "upgrade", "head")
            try:
                yield ground
            finally:
                ground.services.db.close()
