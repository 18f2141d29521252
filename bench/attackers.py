"""What one caller sends who costs the others: `python -m bench.attackers PORT CONNECTIONS [FILE]`, until it is ended.

Each connection sends the requests of the JSON list in FILE again and again and ignores the answers. Without FILE it
sends one character of a head each second, and begins again once it is closed. The connections come from 127.0.0.2, so
that a limit on an address does not count who is measured.
"""

import http.client
import itertools
import json
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.2"
ANSWER_LIMIT_S = 60
PAUSE_S = 1.0
HEAD = b"GET /v1/me HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Padding: " + b"x" * 1000


def main() -> None:
    """Keep this many connections to this port of the same machine."""
    port, connections = int(sys.argv[1]), int(sys.argv[2])
    requests = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8")) if len(sys.argv) > 3 else []
    for number in range(connections):
        if requests:
            begin = number % len(requests)
            thread = threading.Thread(target=_send_again, args=(port, requests[begin:] + requests[:begin]))
        else:
            thread = threading.Thread(target=_send_slowly, args=(port,))
        thread.start()


def _send_again(port: int, requests: list[dict[str, Any]]) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, ANSWER_LIMIT_S, source_address=(ADDRESS, 0))
        try:
            for request in itertools.cycle(requests):
                body = json.dumps(request["body"]) if request["body"] is not None else None
                connection.request(request["method"], request["path"], body, request["headers"])
                connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(PAUSE_S)  # the gateway closed the connection, as it may
        finally:
            connection.close()


def _send_slowly(port: int) -> None:
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), ANSWER_LIMIT_S, (ADDRESS, 0)) as connection:
                for character in HEAD:
                    connection.sendall(bytes([character]))
                    time.sleep(PAUSE_S)
        except OSError:
            time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
