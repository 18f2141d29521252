"""Operations of Easel in a process that dies, fails or freezes before one of its lines.

The processes are forked from a server that has imported everything and has no other thread (`multiprocessing`'s fork
server), so one costs some milliseconds.
"""

import asyncio
import importlib
import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg2

from functions.http.app import create_lambda
from poller.app import create_app
from shared.clients import storage  # noqa: F401 # loaded here, so that no process has to
from shared.clients.broker import COLLECT, SWEEP
from shared.core.settings import Settings
from shared.exports import making
from shared.images import jail
from shared.notify import outbox, webhooks
from shared.polling import dispatch, periodic
from shared.polling.client_pool import ClientPool
from shared.polling.pump import Pump
from shared.polling.worker import Worker
from shared.services import Services
from tests.support.lines import Lines

Fate = Literal["lives", "killed", "raises", "frozen"]
PATIENCE_S = 120


class Unexpected(Exception):
    """An exception that no code of Easel knows."""


@dataclass(frozen=True)
class Doom:
    """What a process does, and what happens before the line with the number `at`. The environment has its settings."""

    environment: dict[str, str]
    operation: str
    arguments: dict[str, Any]
    fate: Fate = "lives"
    at: int = 0


@dataclass(frozen=True)
class Report:
    """What a process that reached its end did: its lines, those with effects, and the answer of a function."""

    executed: int
    seen: frozenset[str]
    effects: tuple[int, ...]
    answer: Any


class Doomed:
    """A process with its doom; `report` is None if it did not reach its end."""

    def __init__(self, process: ForkServerProcess, receiver: Connection) -> None:
        self.process = process
        self._receiver = receiver

    @property
    def is_frozen(self) -> bool:
        """Return whether the process is stopped by a signal."""
        with suppress(FileNotFoundError):
            return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].startswith("T")
        return False

    def thaw(self) -> None:
        """Let a frozen process go on."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def wait(self) -> Report | None:
        """Wait for the end; return the report, None of a process that was killed."""
        report = None
        with suppress(EOFError):
            if self._receiver.poll(PATIENCE_S):
                report = self._receiver.recv()
        self.process.join(PATIENCE_S)
        assert self.process.exitcode in (0, -signal.SIGKILL), self.process.exitcode
        return report


_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


@contextmanager
def begun(doom: Doom) -> Iterator[Doomed]:
    """Start the process, which is ended with the block."""
    receiver, sender = _context.Pipe(duplex=False)
    process = _context.Process(target=_meet, args=(doom, sender), daemon=True)
    process.start()
    sender.close()
    try:
        yield Doomed(process, receiver)
    finally:
        process.kill()
        process.join(PATIENCE_S)
        process.close()
        receiver.close()


def run(doom: Doom) -> Report | None:
    """Start the process and wait for its end; see `Doomed.wait`."""
    with begun(doom) as process:
        return process.wait()


def _meet(doom: Doom, sender: Connection) -> None:
    """Do the operation until the doom comes (in the new process)."""
    logging.disable()
    os.environ.clear()
    os.environ.update(doom.environment)
    services = Services(Settings.from_environment(doom.environment))
    operation = OPERATIONS[doom.operation](services, doom.arguments)
    lines = Lines(_ACTS[doom.fate], doom.at, records=doom.fate == "lives")
    answer = None
    with lines.traced(), suppress(*() if doom.fate == "lives" else (Exception,)):
        answer = operation()
    sender.send(Report(lines.executed, frozenset(lines.seen), tuple(lines.effects), answer))
    sender.close()
    jail.lanes().close()
    os._exit(0)


def _raise() -> None:
    raise Unexpected


_ACTS: dict[Fate, Callable[[], None]] = {
    "lives": lambda: None,
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "raises": _raise,
    "frozen": lambda: os.kill(os.getpid(), signal.SIGSTOP),
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


def _task(name: str) -> Callable[[Services, dict[str, Any]], Operation]:
    def prepare(services: Services, _: dict[str, Any]) -> Operation:
        task: Operation = create_app(services).tasks[name]
        return task

    return prepare


def _sender(send_due: Callable[..., int]) -> Callable[[Services, dict[str, Any]], Operation]:
    return lambda services, _: periodic.Sender(services, threading.Event(), send_due).send


OPERATIONS: dict[str, Callable[[Services, dict[str, Any]], Operation]] = {
    "call": _call,
    "step": _step,
    "pump": _pump,
    "start": _start,
    "sweep": _task(SWEEP),
    "collect": _task(COLLECT),
    "mail": _sender(outbox.send_due),
    "webhook": _sender(webhooks.send_due),
    "export": _sender(making.make_due),
}
"""By its name, what makes an operation of the services and its arguments; only the operation is traced."""

for _name in ("submit", "batches", "cancel", "delete", "account"):
    importlib.import_module(f"functions.{_name}")  # beforehand, like all others
