"""Operations of Easel in a process that dies, fails or freezes before one of its lines.

The processes are forked from one that has done the operation before, so each costs only what the operation does.
"""

import asyncio
import importlib
import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, Literal, NoReturn, Self
from uuid import UUID

import psycopg2

from functions.http import threads
from functions.http.app import create_lambda
from poller.app import list_rounds
from shared.clients import storage  # noqa: F401 # loaded here, so that no process has to
from shared.core.settings import Settings
from shared.images import jail
from shared.polling import dispatch
from shared.polling.client_pool import ClientPool
from shared.polling.pump import Pump
from shared.polling.worker import Worker
from shared.services import Services
from tests.support.lines import Act, Lines, ends_block

Fate = Literal["lives", "killed", "raises", "frozen"]
PATIENCE_S = 60


class Unexpected(Exception):
    """An exception that no code of Easel knows."""


@dataclass(frozen=True)
class Report:
    """What a process did that reached its end: its lines, when its effects came, and the answer of a function."""

    executed: int
    seen: frozenset[str]
    effects: tuple[int, ...]
    answer: Any


@dataclass(frozen=True)
class _Doom:
    arguments: dict[str, Any]
    fate: Fate
    at: int
    records: bool


class Template:
    """A process that has done an operation once, so that it has loaded and compiled everything, and forks for others.

    Ends with the block.
    """

    def __init__(self, environment: dict[str, str], operation: str, arguments: dict[str, Any]) -> None:
        self._ours, theirs = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(theirs, environment, operation, arguments), daemon=True)
        self._process.start()
        theirs.close()
        self._is_frozen = False
        assert self._next("undisturbed") is None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_frozen:
            self.thaw()
        self._process.kill()
        self._process.join(PATIENCE_S)
        self._process.close()
        self._ours.close()

    def meet(
        self, arguments: dict[str, Any], fate: Fate = "lives", at: int = 0, *, records: bool = False
    ) -> Report | Literal["frozen"] | None:
        """Have a process do the operation, and meet its fate before the line with the number `at`.

        Returns the report, None if it was killed, or that it is frozen; then `thaw` it.
        """
        self._ours.send(_Doom(arguments, fate, at, records))
        met: Report | Literal["frozen"] | None = self._next(f"{fate} before line {at}")
        self._is_frozen = met == "frozen"
        return met

    def live(self, arguments: dict[str, Any]) -> Report:
        """Have a process do the operation undisturbed."""
        report = self.meet(arguments)
        assert isinstance(report, Report)
        return report

    def thaw(self) -> Report | None:
        """Let the frozen process go on to its end."""
        self._ours.send("thaw")
        self._is_frozen = False
        report: Report | None = self._next("thawed")
        return report

    def _next(self, fate: str) -> Any:
        assert self._ours.poll(PATIENCE_S), f"{fate}, the process has not come to its end"
        return self._ours.recv()


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["pytest", __name__])  # what the main module of a test run imports, too


def _serve(commands: Connection, environment: dict[str, str], operation: str, arguments: dict[str, Any]) -> None:
    """Do the operation, then fork for each command until the pipe is closed."""
    logging.disable()
    threading.excepthook = lambda _: None
    os.environ.clear()
    os.environ.update(environment)
    services = Services(Settings.from_environment(environment))
    OPERATIONS[operation](services, arguments)()
    jail.lanes().close()
    commands.send(None)
    with suppress(EOFError):
        while True:
            doom = commands.recv()
            reports, report = _context.Pipe(duplex=False)
            child = os.fork()
            if not child:
                commands.close()
                _meet(services, operation, doom, report)
            report.close()
            commands.send(_wait(child, reports, commands))
            reports.close()


def _wait(child: int, reports: Connection, commands: Connection) -> Report | None:
    """Return the report of a forked process, None if it was killed. One that freezes goes on when that is commanded."""
    status = os.waitpid(child, os.WUNTRACED)[1]
    if os.WIFSTOPPED(status):
        commands.send("frozen")
        try:
            commands.recv()
        finally:
            os.kill(child, signal.SIGCONT)
            os.waitpid(child, 0)
    found: Report | None = None
    with suppress(EOFError):
        found = reports.recv()
    return found


def _meet(services: Services, operation: str, doom: _Doom, report: Connection) -> NoReturn:
    """Do the operation until the doom comes, in a process that was just forked."""
    for pool in (threads._threads, threads.passwords):
        pool.cache_clear()  # their threads are the parent's
    db = services.db
    db.forget()
    services = Services(services.settings)
    vars(services)["db"] = db  # with the statements that it has compiled
    operate = OPERATIONS[operation](services, doom.arguments)
    lines = Lines(_ACTS[doom.fate], doom.at, records=doom.records)
    answer = None
    with suppress(Exception), lines.traced():
        answer = operate()
    report.send(Report(lines.executed, frozenset(lines.seen), tuple(lines.effects), answer))
    jail.lanes().close()
    os._exit(0)


def _raise(frame: FrameType) -> bool:
    if ends_block(frame):
        return False
    raise Unexpected


def _send(number: signal.Signals) -> bool:
    os.kill(os.getpid(), number)
    return True


_ACTS: dict[Fate, Act] = {
    "lives": lambda _: True,
    "killed": lambda _: _send(signal.SIGKILL),
    "raises": _raise,
    "frozen": lambda _: _send(signal.SIGSTOP),
}

Operation = Callable[[], Any]


def _call(services: Services, arguments: dict[str, Any]) -> Operation:
    """Call a function as Lambda does; the answer is its status and its body."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    function = create_lambda(importlib.import_module(f"functions.{arguments['function']}").router, services)
    http = {"method": arguments["method"], "path": arguments["path"], "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"}
    headers = {"authorization": f"Bearer {arguments['token']}", "content-type": "application/json"}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": arguments["path"],
        "rawQueryString": "",
        "headers": headers | arguments.get("headers", {}),
        "requestContext": {"http": http, "requestId": "event", "stage": "$default", "timeEpoch": 0},
        "isBase64Encoded": False,
        "body": json.dumps(arguments["body"]) if "body" in arguments else "",
    }

    def call() -> tuple[int, Any]:
        answer: Any = function(event, None)  # type: ignore[arg-type] # the tests have no context of Lambda
        body = answer["body"]
        services.flush(1)
        return answer["statusCode"], json.loads(body) if body else None

    return call


def _worker(services: Services) -> Worker:
    return Worker(services, ClientPool(services.generators))


def _step(services: Services, arguments: dict[str, Any]) -> Operation:
    """Do one step of a job, as the pump does."""
    worker, job_id = _worker(services), UUID(arguments["job_id"])

    def step() -> None:
        if taken := worker.claim(job_id):
            worker.write([worker.do(taken)])

    return step


def _pump(services: Services, arguments: dict[str, Any]) -> Operation:
    """Move a job to its end by a pump with all its threads, or until the pump has ended."""
    pump = Pump(_worker(services))
    observer = psycopg2.connect(services.settings.database_url.replace("+psycopg2", ""))
    observer.autocommit = True

    def has_ended() -> bool:
        with observer.cursor() as cursor:
            cursor.execute("SELECT finished_at IS NOT NULL FROM jobs WHERE id = %s", (arguments["job_id"],))
            found = cursor.fetchone()
        return found is None or bool(found[0])

    def move() -> None:
        pump.wake()
        thread = pump._thread
        while thread is not None and thread.is_alive() and not has_ended():
            thread.join(0.02)
        pump.stop()

    return move


def _start(services: Services, _: dict[str, Any]) -> Operation:
    worker = _worker(services)
    return lambda: dispatch.start(services, worker.pool.count_ignored())


def _round(name: str) -> Callable[[Services, dict[str, Any]], Operation]:
    """Return what does one round of a worker's process."""

    def prepare(services: Services, _: dict[str, Any]) -> Operation:
        [entry] = (entry for entry in list_rounds(_worker(services), lambda: None) if entry.name == name)
        return entry.work

    return prepare


OPERATIONS: dict[str, Callable[[Services, dict[str, Any]], Operation]] = {
    "call": _call,
    "step": _step,
    "pump": _pump,
    "start": _start,
    **{name: _round(name) for name in ("sweep", "collection", "mails", "webhooks")},
}
"""By its name, what makes an operation of the services and its arguments; only the operation is traced."""

for _name in ("submit", "batches", "cancel", "delete", "account"):
    importlib.import_module(f"functions.{_name}")  # beforehand, like all others
