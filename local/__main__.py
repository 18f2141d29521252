"""`python -m local`: everything that Easel needs, on this machine, until Ctrl-C."""

import signal
import sys
from types import FrameType

from local.config import Config
from local.console import Console
from local.site import prepared_site
from local.stack import Interrupted, PartDied, Stack, StackError


def main() -> int:
    """0 after an orderly stop that was asked for, 1 when something went wrong, after a sentence that says what."""
    console = Console()
    try:
        with prepared_site(Config.load(), console) as (stack, config):
            stop_on_signals(stack)
            return run(stack, config, console)
    except StackError as error:
        print(error, file=sys.stderr, flush=True)
        return 1


def run(stack: Stack, config: Config, console: Console) -> int:
    """Start, give the address, watch until the end is asked for or a part dies, and stop. Returns the exit code."""
    code = 0
    try:
        stack.start()
        console.say(f"\n    Easel is at {config.public_url}    (Ctrl-C stops it, data is in {config.home})\n")
        stack.watch()
    except Interrupted:
        pass
    except PartDied as error:
        print(error, file=sys.stderr, flush=True)
        code = 1
    finally:
        console.say("Stopping. Ctrl-C once more ends it at once.")
        stack.stop()
    console.say("Everything is stopped.")
    return code


def stop_on_signals(stack: Stack) -> None:
    """Stop in order at the first signal, and at once at the second."""

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        (stack.hurry if stack.interrupted.is_set() else stack.interrupted).set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)


if __name__ == "__main__":
    sys.exit(main())
