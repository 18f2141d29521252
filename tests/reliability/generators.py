"""`python -m tests.reliability.generators PORT PLACES`: a quick generator, which forgets all when it is killed."""

import signal
import sys
import threading
import time

from shared.testing.fake_generator import FakeGenerator, Plan


def main() -> None:
    """Serve on this port, with so many places, until a signal."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    fake = FakeGenerator(plan=Plan(polls=1), extensions=("key", "cancel", "progress"), max_in_flight=int(sys.argv[2]))
    fake.port = int(sys.argv[1])
    fake._last_number = int(time.time() * 10) % 10**9  # the numbers of one that was killed do not come again
    with fake:
        ended.wait()


if __name__ == "__main__":
    main()
