"""The exchanges of all clients: what they send, and which connections they keep."""

import base64
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.generators.base import GeneratorUnavailable
from shared.generators.transport import Answer, BoundedHttp
from tests.support.hostile_server import hostile_server, once
from tests.support.replies import says

THREADS = 100


class _Recorder(ThreadingHTTPServer):
    request_queue_size = THREADS

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.together = threading.Barrier(1)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Recorder

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        self.server.together.wait(30)
        self.send_response(200)
        self.send_header("Set-Cookie", "session=1; Path=/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def recorder() -> Iterator[_Recorder]:
    with _Recorder() as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def get(http: BoundedHttp, path: str = "/health") -> Answer:
    return http.send("GET", path, None, timeout_s=30, limit_bytes=100)


def test_it_sends_the_password_of_the_address_and_no_other(
    recorder: _Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    passwords = {
        "user:pa%2Css%C3%A9@": "user:pa,ssé".encode("latin-1"),
        "user:%D0%BF%D0%B0@": "user:па".encode(),
        "": None,
    }
    for authority, password in passwords.items():
        http = BoundedHttp(f"http://{authority}{recorder.host}/base/", connect_timeout_s=3)
        assert get(http, "/image?prompt=a%20b") == Answer(200, b"{}")
        expected = f"Basic {base64.b64encode(password).decode()}" if password else None
        assert recorder.headers[-1].get("authorization") == expected
        assert recorder.headers[-1]["host"] == recorder.host
        assert recorder.headers[-1]["accept-encoding"] == "identity"
        assert recorder.paths[-1] == "/base/image?prompt=a%20b"
        http.close()


def test_cookies_are_not_sent_back(recorder: _Recorder) -> None:
    http = BoundedHttp(f"http://{recorder.host}", connect_timeout_s=3)
    get(http)
    get(http)
    assert "cookie" not in recorder.headers[-1]
    http.close()


def test_a_connection_is_kept_for_each_thread(recorder: _Recorder) -> None:
    recorder.together = threading.Barrier(THREADS)
    http = BoundedHttp(f"http://{recorder.host}", connect_timeout_s=10)
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(2):
            assert [answer.status for answer in pool.map(lambda _: get(http), range(THREADS))] == [200] * THREADS
    assert recorder.connections == THREADS
    http.close()


def test_a_closed_client_may_be_used_again(recorder: _Recorder) -> None:
    http = BoundedHttp(f"http://{recorder.host}", connect_timeout_s=3)
    for connections in (1, 2):
        assert get(http).status == 200
        assert recorder.connections == connections
        http.close()


def test_a_faulty_host_name_is_an_error_of_the_call() -> None:
    for host in ("a..b", "ü" * 70, "xn--ü"):
        http = BoundedHttp(f"http://{host}", connect_timeout_s=3)
        with pytest.raises(GeneratorUnavailable):
            get(http)
        http.close()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("5", 5.0),
        (" 120 ", 120.0),
        ("99999999999999999999", 999_999_999.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_when_a_server_wants_to_be_asked_again(header: str, seconds: float | None) -> None:
    lines = f"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: {header}\r\n\r\n"
    with hostile_server(once(lines.encode())) as url:
        assert get(BoundedHttp(url, connect_timeout_s=3)).retry_after_s == seconds


def test_a_date_to_be_asked_again_is_so_many_seconds_away() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True)
    with hostile_server(says("429 Too Many Requests", b"{}", f"Retry-After: {later}")) as url:
        seconds = get(BoundedHttp(url, connect_timeout_s=3)).retry_after_s
    assert seconds is not None
    assert 86_400 < seconds <= 2 * 86_400
