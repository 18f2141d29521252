"""`python -m shared.testing openai sdapi`: fake servers of these protocols on this machine, until Ctrl-C."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack

from shared.testing.fake_generator import FakeGenerator
from shared.testing.fake_glide import FakeGlide
from shared.testing.fake_horde import FakeHorde
from shared.testing.fake_openai import FakeOpenAi
from shared.testing.fake_sdapi import FakeSdapi
from shared.testing.fake_server import FakeServer

FAKES: dict[str, Callable[..., FakeServer]] = {
    "img_generator": FakeGenerator,
    "glide": FakeGlide,
    "openai": FakeOpenAi,
    "sdapi": FakeSdapi,
    "horde": FakeHorde,
}


def main() -> int:
    """Start the fakes, print their entries of EASEL_GENERATORS in one line, and wait. Returns 0."""
    parser = argparse.ArgumentParser(prog="python -m shared.testing", description=__doc__)
    parser.add_argument("protocols", nargs="+", choices=FAKES, metavar="PROTOCOL", help=f"one of {', '.join(FAKES)}")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as running:
        fakes = [running.enter_context(FAKES[protocol](max_in_flight=1)) for protocol in arguments.protocols]
        sys.stdout.write(",".join(fake.setting for fake in fakes) + "\n")
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
