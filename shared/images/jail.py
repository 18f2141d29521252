"""The jail: processes that decode untrusted pictures, with limits of memory, processor time and output.

A process decodes one picture at a time and is used again, until a picture exceeds a limit or ends it: then that
picture is refused, and another process takes its place. This module loads no Pillow itself.

Pictures from generators and pictures from users never wait for each other. A user's picture is first tried where only
quick ones are; one that takes longer starts again where it holds up only its like.
"""

import atexit
import contextlib
import importlib.util
import json
import logging
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, TypeVar, cast

import shared
from shared.core.errors import Unavailable
from shared.core.settings import library_path
from shared.core.turns import Turns
from shared.images.source_rules import MAX_PIXELS, PictureError

MAX_CPU_S = 5.0
"""The processor time that a picture may take, tries included."""

QUICK_CPU_S = 0.5
"""The processor time of a user's picture that is quick: a phone's photo of 12 Mpx takes 0.2 to 0.4 s."""

MAX_MEMORY_BYTES = 256 * 1024 * 1024
QUICK_MEMORY_BYTES = 128 * 1024 * 1024
"""What a process may allocate: Python and Pillow, 16 MB, and a picture with what its conversion needs."""

BYTES_A_PIXEL = 6
"""What a generator's picture needs, of more pixels than MAX_MEMORY_BYTES are enough for: its pixels, and parts of it
during conversion. A 64 Mpx one, which the job asked for, gets 450 MB."""

MAX_WALL_S = 30.0
"""How long an answer may take, on a machine that is busy with other things."""

MAX_WAIT_S = 60.0
"""How long a picture waits for its turn."""

_MAX_ANSWER_BYTES = 4096
_PIPE_BYTES = 1024 * 1024
_NICE = 5

_LOOK_AGAIN_S = 0.05
_MAX_ALONE_S = 10.0
"""How long a slow picture waits for one of another process, which may be frozen."""

_BOOT = (
    "import sys; sys.path[:0] = sys.argv[1:3]; from shared.images import jail_process; jail_process.main(sys.argv[3])"
)

_log = logging.getLogger(__name__)


class Exceeded(Exception):
    """The process ended or was ended, or the picture needs more memory than it may have."""


class TakesLong(Exception):
    """The picture is none of the quick ones, or is damaged, which only the slow lane can tell."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may take. `wall_s` counts from when the process has it."""

    memory_bytes: int = MAX_MEMORY_BYTES
    cpu_s: float = MAX_CPU_S
    wall_s: float = MAX_WALL_S


Read: TypeAlias = Callable[[memoryview], None]
"""Fills a buffer with the pixels that follow an answer."""

Speed = Literal["any", "quick", "slow"]
"""Among which of users' pictures one is decoded."""

Received = TypeVar("Received")
Receive: TypeAlias = Callable[[dict[str, Any], Read], Received]
"""Makes what the caller wants from an answer. Raises Exceeded if it is not what was asked for."""


class Jail:
    """One process, which is started when it is needed, or before."""

    def __init__(self, nice: int = 0) -> None:
        self._nice = nice
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process_id(self) -> int | None:
        """Return the process that the next picture is given to, None if it is not started yet."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the process, if there is none; it gets ready beside the caller.

        Raises:
            Unavailable: This machine starts no more processes.
        """
        if self._process is None or self._process.poll() is not None:
            self.close()
            try:
                # Without this process's environment, which has keys, and without its files.
                self._process = subprocess.Popen(  # noqa: S603 # the program is Easel's
                    [sys.executable, "-I", "-S", "-c", _BOOT, *_packages(), str(self._nice)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env=library_path(),
                    bufsize=0,
                )
            except OSError as error:
                raise Unavailable("Pictures cannot be looked at right now.") from error
            _widen(self._process)

    def ask(self, request: dict[str, object], data: bytes, limits: Limits, receive: Receive[Received]) -> Received:
        """Have a picture file decoded; return what `receive` makes of the answer.

        Raises:
            Exceeded: The picture was too much, and the process is replaced.
            Unavailable: This machine starts no more processes.
        """
        self.start()
        process = cast("subprocess.Popen[bytes]", self._process)
        source, target = cast(IO[bytes], process.stdout), cast(IO[bytes], process.stdin)
        watch = threading.Timer(limits.wall_s, process.kill)
        watch.start()
        whole = False
        try:
            head = json.dumps(request | {"memory_bytes": limits.memory_bytes, "cpu_s": limits.cpu_s}).encode()
            _write(target, struct.pack(">II", len(head), len(data)) + head)
            _write(target, data)
            received = receive(_read_answer(source), partial(_read, source))
            whole = True
            return received
        except OSError as error:
            raise Exceeded(type(error).__name__) from None
        finally:
            watch.cancel()
            if not whole:
                self.close()
                _log.info("a picture ended its process: %s", process.returncode)
                with contextlib.suppress(Unavailable):
                    self.start()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


class Lane:
    """So many processes as pictures may be decoded at once; those that are used are started one after the other.

    `alone`: while a picture is decoded, the same lanes of Easel's other processes here wait.
    """

    def __init__(
        self, jails: int, limits: Limits, nice: int = 0, max_wait_s: float = MAX_WAIT_S, *, alone: bool = False
    ) -> None:
        self.limits = limits
        self._free = [Jail(nice) for _ in range(jails)]
        self._turns = Turns(jails)
        self._max_wait_s = max_wait_s
        self._alone = alone

    def ask(
        self, request: dict[str, object], data: bytes, receive: Receive[Received], limits: Limits | None = None
    ) -> Received:
        """Have a picture file decoded, within the lane's limits or others.

        Raises:
            PictureError: It cannot be used.
            Exceeded: It was too much.
            Unavailable: Too many pictures wait.
        """
        with self.jail() as jail:
            found = jail.ask(request, data, limits or self.limits, partial(_receive, receive))
        if isinstance(found, PictureError):
            raise found
        return found

    @contextlib.contextmanager
    def jail(self) -> Iterator[Jail]:
        """Wait for a turn, and lend a process. Raises Unavailable if that takes too long."""
        with self._turns.turn(self._max_wait_s, "Too many pictures are being looked at.", retry_after_s=5):
            jail = self._free.pop()
            try:
                with _alone_here() if self._alone else contextlib.nullcontext():
                    yield jail
            finally:
                self._free.append(jail)

    def start(self) -> None:
        """Start one process ahead of the first picture."""
        with self.jail() as jail:
            jail.start()

    def close(self) -> None:
        """End the processes that are not in use."""
        for jail in self._free:
            jail.close()


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of this process: generators' pictures; users' pictures while they are quick, and the others."""

    generated: Lane
    quick: Lane
    slow: Lane

    def close(self) -> None:
        """End the processes that are not in use."""
        for lane in (self.generated, self.quick, self.slow):
            lane.close()


_by_process: dict[int, Lanes] = {}
"""The lanes by the id of the process that uses them."""


def lanes() -> Lanes:
    """Return the lanes of this process; one that was forked has others than its parent."""
    found = _by_process.get(os.getpid())
    if found is None:
        found = _by_process.setdefault(os.getpid(), _new_lanes())
        atexit.register(found.close)
    return found


def _new_lanes() -> Lanes:
    return Lanes(
        Lane(min(4, os.cpu_count() or 1), Limits()),
        Lane(1, Limits(QUICK_MEMORY_BYTES, QUICK_CPU_S), _NICE),
        Lane(1, Limits(MAX_MEMORY_BYTES, MAX_CPU_S - QUICK_CPU_S), _NICE, alone=True),
    )


@contextlib.contextmanager
def _alone_here(max_wait_s: float = _MAX_ALONE_S) -> Iterator[None]:
    """Wait until no other process on this machine is in such a block, up to a limit.

    Slow pictures are large ones: side by side, those of all processes would need memory and cores that others miss.
    """
    import fcntl

    until = time.monotonic() + max_wait_s
    with open(__file__, "rb") as file:  # the lock of a file ends with its process
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < until:
                    time.sleep(_LOOK_AGAIN_S)
                    continue
            except OSError:
                _log.debug("this file system has no locks")
            break
        yield


def of_user(
    request: dict[str, object],
    data: bytes,
    receive: Receive[Received],
    most_bytes: int | None = None,
    speed: Speed = "any",
) -> Received:
    """Have a user's picture file decoded: among the quick ones, or else among the slow ones. speed: only among those.

    Raises:
        PictureError: It cannot be used, or takes too much.
        TakesLong: It is not a quick one, and only those are wanted.
        Unavailable: Too many pictures wait.
    """
    if speed != "slow":
        try:
            return lanes().quick.ask(request, data, receive)
        except Exceeded:
            pass
        except PictureError as error:
            if not error.damaged:  # a library that has no memory may report a damaged file
                raise
        if speed == "quick":
            raise TakesLong
    slow = lanes().slow
    limits = replace(slow.limits, memory_bytes=most_bytes) if most_bytes else slow.limits
    try:
        return slow.ask(request, data, receive, limits)
    except Exceeded:
        raise refused() from None


def memory_for(pixels: int) -> int:
    """Return the memory for a picture with so many pixels that Easel asked for, or made."""
    return max(MAX_MEMORY_BYTES, BYTES_A_PIXEL * min(pixels, MAX_PIXELS) + 64 * 1024 * 1024)


def refused() -> PictureError:
    """Return the error for a picture that ended its process, or exceeded what it may take."""
    return PictureError("picture_broken", "The picture's file is broken, or takes too much to be decoded.")


@cache
def _packages() -> tuple[str, str]:
    """Return the folders from which the process imports Easel and Pillow."""
    pillow = importlib.util.find_spec("PIL")
    assert pillow is not None
    assert pillow.origin is not None
    return str(Path(shared.__path__[0]).parent), str(Path(pillow.origin).parent.parent)


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Let a picture of 512 x 512 pixels through without a pause, where the system can."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # a limit for this user
                fcntl.fcntl(cast(IO[bytes], pipe), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _write(pipe: IO[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[pipe.write(rest) :]


def _read(pipe: IO[bytes], target: memoryview) -> None:
    """Fill a buffer from a process. Raises Exceeded if it ends before."""
    while target:
        count = cast(Any, pipe).readinto(target)
        if not count:
            raise Exceeded("ended")
        target = target[count:]


def _receive(receive: Receive[Received], found: dict[str, Any], read: Read) -> "Received | PictureError":
    """Return a refusal as it is, so that it does not end the process, or what the caller makes of an answer."""
    if "code" in found:
        return PictureError(str(found["code"]), str(found.get("message")))
    return receive(found, read)


def _read_answer(pipe: IO[bytes]) -> dict[str, Any]:
    head = bytearray(4)
    _read(pipe, memoryview(head))
    (length,) = struct.unpack(">I", head)
    if length > _MAX_ANSWER_BYTES:
        raise Exceeded("no answer")
    text = bytearray(length)
    _read(pipe, memoryview(text))
    try:
        found = json.loads(text)
    except ValueError:
        raise Exceeded("no JSON") from None
    if not isinstance(found, dict) or found.get("exceeded"):
        raise Exceeded("memory")
    return found
