"""A program that logs in with wrong passwords: `python -m bench.wrong_logins PORT CONNECTIONS`, until it is ended."""

import http.client
import itertools
import json
import sys
import threading

ANSWER_LIMIT_S = 60


def main() -> None:
    """Keep this many connections busy on this port of the same machine."""
    port, connections = map(int, sys.argv[1:])
    threads = [threading.Thread(target=_log_in, args=(port, number)) for number in range(connections)]
    for thread in threads:
        thread.start()


def _log_in(port: int, number: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_LIMIT_S)
    for attempt in itertools.count():
        body = json.dumps({"email": f"nobody-{number}@example.com", "password": f"four wrong words {attempt}"})
        connection.request("POST", "/v1/login", body, {"Content-Type": "application/json"})
        connection.getresponse().read()


if __name__ == "__main__":
    main()
