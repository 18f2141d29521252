"""Runs one program and ends it, and everything it started, when the supervisor is gone.

Started as a script with `python -I -S guard.py <options> -- program arguments`. Standard input is a pipe whose other
end only the supervisor holds. It carries the commands: STOP sends the program its stop signal, waits for a bounded
time, then sends SIGKILL to its process group; KILL sends that SIGKILL immediately. The kernel closes the pipe however
the supervisor ends, SIGKILL included, and a closed pipe means STOP. It imports only the standard library, because it
runs before every part.
"""

import argparse
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading

STOP = b"s"
KILL = b"k"


def main(arguments: list[str]) -> int:
    """Run the program. Returns its exit code, or 128 plus the number of the signal that ended it, as a shell counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--stop-signal", type=int, default=int(signal.SIGTERM))
    parser.add_argument("--grace-s", type=float, default=10.0)
    parser.add_argument("--user")
    parser.add_argument("argv", nargs="+")
    options = parser.parse_args(arguments)
    try:
        program = _start(options.argv, options.user)
    except OSError as error:
        print(f"Cannot start {options.argv[0]}: {error.strerror}", flush=True)
        return 127
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: program.send_signal(options.stop_signal))
    watcher = threading.Thread(target=_obey, args=(program, options.stop_signal, options.grace_s))
    watcher.daemon = True
    watcher.start()
    code = program.wait()
    _kill_group(program.pid)
    return code if code >= 0 else 128 - code


def _start(argv: list[str], user: str | None) -> "subprocess.Popen[bytes]":
    """Start the program as the leader of a new process group, so that its children can be killed with it."""
    if user is None:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, process_group=0)
    import pwd

    account = pwd.getpwnam(user)
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        process_group=0,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
    )


def _obey(program: "subprocess.Popen[bytes]", stop_signal: int, grace_s: float) -> None:
    order = os.read(0, 1)
    if order != KILL:
        program.send_signal(stop_signal)
    if order == STOP:
        select.select([0], [], [], grace_s)
    elif order == b"":
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(grace_s)
    _kill_group(program.pid)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # macOS reports "not permitted" for a group in which only a zombie process is left.
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
