"""The supervisor with small real children. A running child holds a lock on its file, which ends with the process."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from local.console import Quiet
from local.process import Part
from local.stack import MOST_ENDS, Interrupted, PartDied, Stack, describe_exit, running
from tests.support.paths import ROOT as CHECKOUT
from tests.support.waiting import until

LIVE = """
import fcntl, os, select, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("alive")
file.flush()
print("at work", flush=True)
select.select([], [], [], 120)
"""
DEAF = (
    "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    + LIVE
)
NOTES_ITS_END = """
import signal, sys
def end(*_):
    with open(sys.argv[2], "a") as notes:
        notes.write(sys.argv[3] + " ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
"""
# A parent that exits immediately on SIGTERM, with a child that ignores it.
WITH_CHILD = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {DEAF!r}, sys.argv[2]])
{LIVE}
"""
SUPERVISOR = """
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from local.__main__ import run, stop_on_signals
from local.config import Config
from local.console import Console
from local.lock import hold
from local.stack import Stack
from tests.integration.local.test_supervisor import DEAF, LIVE, WITH_CHILD, part
home = Path({home!r})
console = Console()
with hold(home, console) as held:
    held.record("http://127.0.0.1:1", {{}})
    stack = Stack({parts}, home / "log", console, held.descriptor)
    stop_on_signals(stack)
    sys.exit(run(stack, Config.load({{}}, home), console))
"""


LIMIT_S = 30


class Recorder(Quiet):
    """Records what the stack reports."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.lines: list[tuple[str, str]] = []

    def line(self, name: str, text: str) -> None:
        self.lines.append((name, text))

    def ready(self, name: str, seconds: float) -> None:
        self.order.append(name)


def part(name: str, code: str, folder: Path, *arguments: str, needs: tuple[str, ...] = (), grace_s: float = 10) -> Part:
    """Return a part: a Python child that is ready when its file shows that it is alive."""
    file = folder / name
    return Part(
        name=name,
        argv=(sys.executable, "-c", code, str(file), *arguments),
        env=dict(os.environ),
        ready=lambda: file.exists() and file.read_text() == "alive",
        needs=needs,
        grace_s=grace_s,
    )


def task(name: str, code: str, needs: tuple[str, ...] = ()) -> Part:
    return Part(name=name, argv=(sys.executable, "-c", code), env=dict(os.environ), needs=needs)


def is_alive(file: Path) -> bool:
    """Return whether a process still holds the lock on its file; unlike a process id, this is right for zombies."""
    if not file.exists():
        return False
    with file.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_parts_start_after_what_they_need(tmp_path: Path) -> None:
    console = Recorder()
    parts = [
        part("gateway", LIVE, tmp_path, needs=("migrate",)),
        task("migrate", "print('done')", needs=("postgres",)),
        part("postgres", LIVE, tmp_path),
    ]
    with running(Stack(parts, tmp_path / "log", console)):
        assert console.order == ["postgres", "migrate", "gateway"]
        assert is_alive(tmp_path / "gateway")
    assert not is_alive(tmp_path / "gateway")
    assert not is_alive(tmp_path / "postgres")


def test_a_failing_task_stops_the_start_and_is_named(tmp_path: Path) -> None:
    parts = [
        part("postgres", LIVE, tmp_path),
        task("migrate", "import sys; print('no such column'); sys.exit(3)", needs=("postgres",)),
        part("gateway", LIVE, tmp_path, needs=("migrate",)),
    ]
    words = r"migrate ended with exit code 3(?s:.)*no such column(?s:.)*migrate\.log"
    with pytest.raises(PartDied, match=words), running(Stack(parts, tmp_path / "log")):
        raise AssertionError("the stack must not start")
    assert not (tmp_path / "gateway").exists()
    assert not is_alive(tmp_path / "postgres")


def test_a_server_that_exits_with_0_before_it_is_ready_has_failed(tmp_path: Path) -> None:
    stack = Stack([part("redis", "pass", tmp_path)], tmp_path / "log")
    with pytest.raises(PartDied, match="redis ended with exit code 0 before it was ready"), running(stack):
        raise AssertionError("the stack must not start")


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    absent = Part("redis", ("/no/such/program",), dict(os.environ), ready=lambda: True)
    stack = Stack([absent], tmp_path / "log")
    with pytest.raises(PartDied, match=r"exit code 127(?s:.)*Cannot start /no/such/program"), running(stack):
        stack.watch()


def test_a_part_that_is_never_ready_times_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.stack.START_LIMIT_S", 0.5)
    idle = Part("s3", (sys.executable, "-c", LIVE, str(tmp_path / "s3")), dict(os.environ), ready=lambda: False)
    with pytest.raises(PartDied, match="s3 was not ready after"), running(Stack([idle], tmp_path / "log")):
        raise AssertionError("the stack must not start")
    assert not is_alive(tmp_path / "s3")


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[tuple[Stack, Recorder, Path]]:
    """Run a stack whose first part kills itself each time that something is written to a file."""
    kill_self = LIVE.replace(
        "select.select([], [], [], 120)", "os.read(os.open(sys.argv[2], 0), 1); os.kill(os.getpid(), 9)"
    )
    trigger, recorder = tmp_path / "trigger", Recorder()
    os.mkfifo(trigger)
    parts = [part("redis", kill_self, tmp_path, str(trigger)), part("gateway", LIVE, tmp_path, needs=("redis",))]
    with running(Stack(parts, tmp_path / "log", recorder)) as stack:
        yield stack, recorder, trigger
    assert not is_alive(tmp_path / "gateway")


def has_started(recorder: Recorder, times: int) -> bool:
    return recorder.order.count("redis") == times


@contextmanager
def watched(stack: Stack) -> Iterator[Future[None]]:
    """Watch a stack in a thread, until the end of the block."""
    with ThreadPoolExecutor(1) as threads:
        try:
            yield threads.submit(stack.watch)
        finally:
            stack.interrupted.set()


def test_a_part_that_ends_is_started_again(mortal: tuple[Stack, Recorder, Path]) -> None:
    stack, recorder, trigger = mortal
    with watched(stack) as watching:
        trigger.write_text("now")
        until(lambda: recorder.order == ["redis", "gateway", "redis"], "it is ready again", LIMIT_S)
        stack.interrupted.set()
        watching.result(LIMIT_S)


def test_a_part_that_ends_again_and_again_is_named_with_the_signal(mortal: tuple[Stack, Recorder, Path]) -> None:
    stack, recorder, trigger = mortal
    with watched(stack) as watching:
        for starts in range(1, MOST_ENDS + 1):
            until(partial(has_started, recorder, starts), "it is ready", LIMIT_S)
            trigger.write_text("now")
        with pytest.raises(PartDied, match=r"redis ended with exit code 137 \(SIGKILL\), for the(?s:.)*at work"):
            watching.result(LIMIT_S)


def test_dependents_stop_first(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    parts = [
        part("postgres", NOTES_ITS_END + LIVE, tmp_path, str(notes), "postgres"),
        part("worker", NOTES_ITS_END + LIVE, tmp_path, str(notes), "worker", needs=("postgres",)),
    ]
    with running(Stack(parts, tmp_path / "log")):
        assert not notes.exists()
    assert notes.read_text() == "worker postgres "


def test_stopping_ends_grandchildren_and_processes_that_ignore_signals(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    parts = [part("worker", WITH_CHILD, tmp_path, str(grandchild)), part("beat", DEAF, tmp_path, grace_s=0.2)]
    with running(Stack(parts, tmp_path / "log")):
        until(lambda: is_alive(grandchild), "the grandchild runs", LIMIT_S)
    assert not is_alive(tmp_path / "worker")
    assert not is_alive(tmp_path / "beat")
    until(lambda: not is_alive(grandchild), "the grandchild has ended", LIMIT_S)


def test_an_immediate_stop_does_not_wait_for_unresponsive_processes(tmp_path: Path) -> None:
    stack = Stack([part("worker", DEAF, tmp_path, grace_s=100)], tmp_path / "log")
    stack.start()
    stopping = threading.Thread(target=stack.stop)
    stopping.start()
    stack.hurry.set()
    stopping.join(30)
    assert not stopping.is_alive()
    assert not is_alive(tmp_path / "worker")


def test_an_interrupt_ends_the_start(tmp_path: Path) -> None:
    stack = Stack([part("s3", LIVE, tmp_path)], tmp_path / "log")
    stack.interrupted.set()
    with pytest.raises(Interrupted), running(stack):
        raise AssertionError("the stack must not start")


def test_lines_are_shown_once_the_part_is_ready_and_always_logged(tmp_path: Path) -> None:
    # Not ready before the test writes into the pipe; "at work" comes after it.
    waits = "import os, sys\nprint('starting', flush=True)\nos.read(os.open(sys.argv[2], 0), 1)\n" + LIVE
    trigger = tmp_path / "trigger"
    os.mkfifo(trigger)
    console = Recorder()
    log = tmp_path / "log"
    log.mkdir()
    (log / "gateway.log").write_text("an earlier run\n")

    def let_it_begin() -> None:
        # Between the old log and the new one there is no file.
        until(
            lambda: (log / "gateway.log.1").exists() and (log / "gateway.log").exists(),
            "there is a second log",
            LIMIT_S,
        )
        until(lambda: (log / "gateway.log").read_text().startswith("starting"), "the log has begun", LIMIT_S)
        trigger.write_text("now")

    beginning = threading.Thread(target=let_it_begin)
    beginning.start()
    with running(Stack([part("gateway", waits, tmp_path, str(trigger))], log, console)):
        until(lambda: "at work" in (log / "gateway.log").read_text(), "the gateway works", LIMIT_S)
    beginning.join(10)
    assert ("gateway", "starting") not in console.lines
    assert (log / "gateway.log").read_text().splitlines()[:2] == ["starting", "at work"]
    assert (log / "gateway.log.1").read_text() == "an earlier run\n"


def test_lines_of_a_ready_part_are_shown(tmp_path: Path) -> None:
    says_more = LIVE.replace(
        "select.select([], [], [], 120)", "os.read(os.open(sys.argv[2], 0), 1); print('second')\n" + LIVE
    )
    trigger = tmp_path / "trigger"
    os.mkfifo(trigger)
    console = Recorder()
    with running(Stack([part("gateway", says_more, tmp_path, str(trigger))], tmp_path / "log", console)):
        trigger.write_text("now")
        until(lambda: ("gateway", "second") in console.lines, "the second line is shown", LIMIT_S)


@pytest.mark.parametrize(
    ("code", "text"), [(3, "exit code 3"), (143, "exit code 143 (SIGTERM)"), (255, "exit code 255")]
)
def test_exit_codes_are_reported_with_their_signal(code: int, text: str) -> None:
    assert describe_exit(code).startswith(text)


def supervise(home: Path, parts: str) -> "subprocess.Popen[str]":
    code = SUPERVISOR.format(home=str(home), parts=parts)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_to_the_supervisor_ends_everything(tmp_path: Path, number: signal.Signals) -> None:
    grandchild = tmp_path / "grandchild"
    process = supervise(tmp_path, f"[part('worker', WITH_CHILD, home, {str(grandchild)!r})]")
    until(lambda: is_alive(grandchild), "the grandchild runs", LIMIT_S)
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Everything is stopped." in output
    assert not is_alive(tmp_path / "worker")
    until(lambda: not is_alive(grandchild), "the grandchild has ended", LIMIT_S)


def test_a_second_interrupt_kills_unresponsive_processes_immediately(tmp_path: Path) -> None:
    process = supervise(tmp_path, "[part('worker', DEAF, home, grace_s=100)]")
    until(lambda: is_alive(tmp_path / "worker"), "the worker runs", LIMIT_S)
    process.send_signal(signal.SIGINT)
    stdout = process.stdout
    assert stdout is not None
    until(lambda: "Stopping" in stdout.readline(), "it says that it stops", LIMIT_S)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert not is_alive(tmp_path / "worker")


def test_a_killed_supervisor_leaves_nothing_and_the_next_run_waits_for_it(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    parts = f"[part('worker', WITH_CHILD, home, {str(grandchild)!r}), part('beat', DEAF, home, grace_s=5)]"
    first = supervise(tmp_path, parts)
    until(lambda: is_alive(grandchild) and is_alive(tmp_path / "beat"), "the grandchild and the beat run", LIMIT_S)
    first.kill()
    first.communicate(timeout=30)
    second = supervise(tmp_path, "[part('gateway', LIVE, home)]")
    until(lambda: is_alive(tmp_path / "gateway"), "the gateway runs", LIMIT_S)
    assert not is_alive(tmp_path / "worker")
    assert not is_alive(tmp_path / "beat")
    assert not is_alive(grandchild)
    second.send_signal(signal.SIGTERM)
    assert "still ending" in second.communicate(timeout=30)[0]


def test_a_second_run_is_refused_with_the_address_of_the_first(tmp_path: Path) -> None:
    first = supervise(tmp_path, "[part('gateway', LIVE, home)]")
    until(lambda: is_alive(tmp_path / "gateway"), "the gateway runs", LIMIT_S)
    second = supervise(tmp_path, "[part('other', LIVE, home)]")
    output, _ = second.communicate(timeout=30)
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=30)
    assert second.returncode == 1
    assert f"already runs at http://127.0.0.1:1 (process {first.pid}" in output
    assert not (tmp_path / "other").exists()
