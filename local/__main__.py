"""`python -m local`: everything that Easel needs, on this machine, until Ctrl-C."""

import os
import signal
import sys
from types import FrameType

from cli.streams import prepare_streams
from local import mail_page
from local.config import Config
from local.console import Console
from local.site import prepared_site
from local.stack import Interrupted, PartDied, Stack, StackError


def main() -> int:
    """Run the stack until Ctrl-C. Returns exit code 0 after a requested stop, 1 after an error was printed."""
    prepare_streams()
    os.umask(0o077)  # logs, like everything below the data folder, are for this user alone
    console = Console()
    try:
        with prepared_site(Config.load(), console) as (stack, config):
            stop_on_signals(stack)
            return run(stack, config, console)
    except StackError as error:
        print(error, file=sys.stderr, flush=True)
        return 1


def run(stack: Stack, config: Config, console: Console) -> int:
    """Start the stack, print its address, watch it until a stop is requested or a part dies, then stop it.

    Returns the exit code.
    """
    code = 0
    try:
        stack.start()
        console.say(f"\n    Easel is at {config.public_url}    (Ctrl-C stops it, data is in {config.home})\n")
        if not config.has("EASEL_MAIL_URL"):
            console.say(f"    Mail is not sent: {config.local_url}{mail_page.PATH} shows it.\n")
        stack.watch()
    except Interrupted:
        pass
    except PartDied as error:
        print(error, file=sys.stderr, flush=True)
        code = 1
    finally:
        console.say("Stopping. Press Ctrl-C again to stop immediately.")
        stack.stop()
    console.say("Everything is stopped.")
    return code


def stop_on_signals(stack: Stack) -> None:
    """Install handlers: the first signal requests an orderly stop, the second an immediate one."""

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        (stack.hurry if stack.interrupted.is_set() else stack.interrupted).set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)


if __name__ == "__main__":
    sys.exit(main())
