"""The TCP ports of the parts that run here: finding free ones, and replacing a default port that is taken."""

import secrets
import socket
from collections.abc import Collection

from local.stack import StackError

LAST_PORT = 65535
# Below the ports that Linux (from 32768) and macOS (from 49152) assign to outgoing connections, which could take one
# before its server is up. Docker publishes ports from that range too.
RANDOM_PORTS = range(15_000, 30_000)


def is_free(port: int) -> bool:
    """Return whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        probe.settimeout(2)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return False
    # Bind and connect are both needed: macOS allows a bind beside a listener on all interfaces, and a busy listener may
    # not accept.
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def next_free_port(port: int, reserved: Collection[int]) -> int:
    """Return the first free port from this one upwards that is not reserved for another part.

    Raises:
        StackError: No such port is free.
    """
    for candidate in range(port, LAST_PORT + 1):
        if candidate not in reserved and is_free(candidate):
            return candidate
    raise StackError(f"No port from {port} to {LAST_PORT} is free.")


def free_port() -> int:
    """Return a random free port, so that parallel test runs seldom choose the same one.

    Raises:
        StackError: A hundred attempts found none.
    """
    for _ in range(100):
        port = RANDOM_PORTS.start + secrets.randbelow(len(RANDOM_PORTS))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise StackError(f"No port from {RANDOM_PORTS.start} to {RANDOM_PORTS.stop - 1} is free.")
