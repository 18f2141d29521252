"""nginx answers like the gateway, passes requests on unchanged, and exposes only what browsers need of the storage."""

import asyncio
import json
import re
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from functions.gateway import FILE_ENDING, create_gateway
from functions.http.problems import render
from infra.site import write_nginx_headers
from shared.core.errors import HeadTooLarge, RateLimited, TooLarge, Unavailable
from shared.core.settings import Settings
from shared.services import Services
from tests.support.front_door import STORAGE_URL, FrontDoor, behind_a_proxy, front_door
from tests.support.paths import ROOT
from tests.support.waiting import until

SIGNED = "/easel/jobs/1/0.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123abcd"
ORIGIN = "http://127.0.0.1:8080"
# Headers whose form depends on the server; the gateway's openapi.json is not served from a file.
OWN = {"server", "date", "connection", "etag", "last-modified", "x-request-id", "accept-ranges", "keep-alive"}
# Functions of the manifest that answer without a database.
ADDRESSES = [
    "/",
    "/index.html",
    "/main.js",
    "/favicon.svg",
    "/styles/base.css",
    "/text/ru.js",
    "/package.json",
    "/jobs/123",
    "/gallery",
    "/nope.js",
    "/nope.verylongending",
    "/lib",
    "/lib/",
    "/Main.JS",
    "/a.b/c",
    "/metrics",
    "/v1x",
    "/docs",
    "/docs/",
    "/docs/index.html",
    "/docs/start.js",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
    "/docs/favicon-32x32.png",
    "/docs/nope",
    "/docs/nope.js",
    "/openapi.json",
    "/v1",
    "/v1/",
    "/v1/nope",
    "/v1/presets",
    "/v1/me",
    "/i",
    "/i/",
    "/i/abc",
    "/i/x.png",
    "/s",
    "/s/",
    "/s/abc",
    "//",
]


@dataclass
class Echo:
    """An app that returns what reached it: GET /v1/... with its headers. /v1/held answers when it is released."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    gone: int = 0
    waiting: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        size = 0
        while (message := await receive())["type"] == "http.request":
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        self.seen.append(
            {"method": scope["method"], "path": scope["raw_path"].decode(), "size": size, "headers": headers}
            | {"client": scope["client"][0], "scheme": scope["scheme"]}
        )
        if scope["path"] == "/v1/held":
            self.waiting += 1
            async with asyncio.timeout(60):
                while (await receive())["type"] != "http.disconnect":
                    pass
            self.gone += 1
            return
        own = [(b"x-request-id", b"of-the-gateway"), (b"access-control-allow-origin", b"*"), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b"ok"})


def problem_bytes(answer: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bytes(answer.body))
    return document


@pytest.fixture(scope="module")
def gateway_alone() -> Iterator[str]:
    settings = Settings.from_environment(
        {
            "EASEL_DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "EASEL_BROKER_URL": "redis://127.0.0.1:1",
            "EASEL_S3_PUBLIC_ENDPOINT": STORAGE_URL,
        }
    )
    with behind_a_proxy(create_gateway(Services(settings))) as address:
        yield f"http://{address}"


@pytest.fixture(scope="module")
def doors(gateway_alone: str) -> Iterator[tuple[str, FrontDoor]]:
    """Return the gateway's own address, and that of nginx in front of it."""
    address = gateway_alone.removeprefix("http://")
    with front_door(address, address) as door:
        yield gateway_alone, door


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[Echo, FrontDoor]]:
    app = Echo()
    variables = {
        "EASEL_TRUSTED_PROXIES": "127.0.0.0/8",
        "EASEL_PUBLIC_URL": ORIGIN.replace("http", "HTTP"),
        "EASEL_CORS_ORIGINS": f"https://Friend.example.com:443, {ORIGIN},",
        "PICTURES_ORIGIN": STORAGE_URL,
    }
    with behind_a_proxy(app) as address, front_door(address, address, **variables) as door:
        yield app, door


def test_the_policy_allows_the_origin_that_the_gateway_signs_for() -> None:
    """AWS serves a bucket under a host name of its own, which no setting contains."""
    settings = Settings.from_environment(
        {
            "EASEL_DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "EASEL_BROKER_URL": "redis://127.0.0.1:1",
            "EASEL_S3_ENDPOINT": "https://s3.eu-central-1.amazonaws.com",
            "EASEL_S3_REGION": "eu-central-1",
            "EASEL_S3_BUCKET": "my-easel-pictures",
        }
    )
    pictures = "https://my-easel-pictures.s3.eu-central-1.amazonaws.com"
    with behind_a_proxy(create_gateway(Services(settings))) as address, front_door(address, address) as door:
        for site in (f"http://{address}", door.url):
            policy = ask("GET", f"{site}/jobs/1").headers["Content-Security-Policy"]
            assert f"img-src 'self' data: blob: {pictures};" in policy
            assert f"connect-src 'self' {pictures};" in policy


def ask(method: str, url: str, **options: Any) -> requests.Response:
    """Return the raw answer: no redirects, no proxy from the environment, no compression."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers.pop("Accept-Encoding", None)
        headers = {"Accept-Encoding": "identity", **options.pop("headers", {})}
        return session.request(method, url, allow_redirects=False, timeout=30, headers=headers, **options)


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE"])
def test_every_answer_equals_the_gateways(doors: tuple[str, FrontDoor], method: str, path: str) -> None:
    gateway, door = doors
    one, other = ask(method, gateway + path), ask(method, door.url + path)
    assert one.status_code == other.status_code
    assert plain(one) == plain(other)
    assert one.content == other.content
    assert len(other.headers["X-Request-Id"]) >= 16


def plain(answer: requests.Response) -> dict[str, str]:
    """Return the headers that must be equal. The server's own address is compared without its port."""
    headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in OWN}
    if "location" in headers:
        headers["location"] = "/" + headers["location"].split("/", 3)[-1]
    return headers


@pytest.mark.parametrize("path", ["/..%2fnginx.conf", "/%2e%2e/run/nginx.conf", "/docs/../../run/nginx.conf"])
def test_a_path_that_leaves_the_site_is_refused(doors: tuple[str, FrontDoor], path: str) -> None:
    assert said_status("GET", doors[1].url, path) == 400


def said_status(method: str, origin: str, path: str) -> int:
    """Return the status for a raw request, since a client library would normalize its path."""
    host, port = origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        return int(connection.makefile("rb").readline().split()[1])


def test_a_file_that_has_not_changed_is_not_sent_again(doors: tuple[str, FrontDoor]) -> None:
    for origin in (doors[0], doors[1].url):
        etag = ask("GET", f"{origin}/main.js").headers["ETag"]
        again = ask("GET", f"{origin}/main.js", headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")


def test_a_body_that_is_too_large_is_refused_in_the_same_words(doors: tuple[str, FrontDoor]) -> None:
    gateway, door = doors
    answers = [
        ask("POST", f"{origin}/v1/login", data=b"x" * size) for origin in (gateway, door.url) for size in (300_000,)
    ]
    answers.append(ask("POST", f"{door.url}/v1/login", data=b"x" * 2_000_000))
    assert [answer.status_code for answer in answers] == [413] * 3
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json() == problem_bytes(render(TooLarge(answers[0].json()["detail"])))
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/problem+json"}


def test_an_unavailable_gateway_is_a_problem_document() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{closed.getsockname()[1]}"
        with front_door(nowhere, nowhere, PICTURES_ORIGIN=STORAGE_URL) as door:
            answer = ask("GET", f"{door.url}/v1/gallery")
            expected = render(Unavailable("A part of Easel cannot be reached."))
            assert answer.status_code == 503
            assert answer.json() == problem_bytes(expected)
            for name in ("Content-Type", "Cache-Control", "Retry-After"):
                assert answer.headers[name] == expected.headers[name]
            assert ask("GET", f"{door.url}/jobs/1").status_code == 200


def test_the_gateway_receives_the_clients_address_and_host(echo: tuple[Echo, FrontDoor]) -> None:
    app, door = echo
    answer = ask(
        "GET", f"{door.url}/v1/x?a=%20b", headers={"Host": "easel.example.com", "X-Forwarded-For": "192.0.2.7"}
    )
    assert answer.headers["X-Request-Id"] == "of-the-gateway"
    last = app.seen[-1]
    assert last["client"] == "192.0.2.7"
    assert last["headers"]["host"] == "easel.example.com"
    assert len(last["headers"]["x-request-id"]) == 32
    assert last["scheme"] == "http"


def test_an_untrusted_proxy_counts_as_the_client() -> None:
    app = Echo()
    with (
        behind_a_proxy(app) as address,
        front_door(
            address, address, EASEL_PUBLIC_URL="https://Easel.Example.com:443", PICTURES_ORIGIN=STORAGE_URL
        ) as door,
    ):
        ask("GET", f"{door.url}/v1/x", headers={"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "gopher"})
    assert app.seen[-1]["client"] == "127.0.0.1"
    assert app.seen[-1]["scheme"] == "https"


def test_a_client_that_disconnects_ends_the_upstream_request(echo: tuple[Echo, FrontDoor]) -> None:
    app, door = echo
    with ask_to_be_held(door):
        until(lambda: app.waiting == 1, "the request is inside")
        assert app.gone == 0
    until(lambda: app.gone == 1, "the gateway has heard of it")


def test_one_address_has_a_rate(echo: tuple[Echo, FrontDoor]) -> None:
    app, _ = echo
    variables = {"PICTURES_ORIGIN": STORAGE_URL, "EASEL_TRUSTED_PROXIES": "127.0.0.0/8", "EASEL_REQUESTS_PER_S": "1"}
    with behind_a_proxy(app) as address, front_door(address, address, **variables) as door:

        def asked(by: str, path: str = "/v1/x") -> requests.Response:
            return ask("GET", door.url + path, headers={"X-Forwarded-For": by})

        answers = [asked("192.0.2.7") for _ in range(40)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 0 < len(refused) < 36
        expected = render(RateLimited("There are too many requests from this address.", retry_after_s=2))
        assert refused[0].json() == problem_bytes(expected)
        for name in ("Content-Type", "Cache-Control", "Retry-After"):
            assert refused[0].headers[name] == expected.headers[name]
        assert refused[0].headers["X-Content-Type-Options"] == "nosniff"
        assert asked("192.0.2.8").status_code == 200, "another address has its own rate"
        assert asked("192.0.2.7", "/main.js").status_code == 200, "files cost little"
        network = [asked(f"2001:db8:0:1::{number:x}").status_code for number in range(1, 41)]
        assert network.count(429) > 0, "a network of IPv6 is one caller"
        assert asked("2001:db8:0:2::1").status_code == 200


def hold(door: FrontDoor, app: Echo) -> socket.socket:
    """Return the connection of one more request that is inside.

    nginx counts a request until shortly after its client has the answer: a refusal because of one before is no error.
    """
    number = app.waiting + 1
    while True:
        held = ask_to_be_held(door)
        until(partial(is_decided, app, number, held), "it is inside, or refused")
        if app.waiting == number:
            return held
        with held:
            assert held.recv(100).startswith(b"HTTP/1.1 429 ")


def ask_to_be_held(door: FrontDoor) -> socket.socket:
    host, port = door.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall(b"GET /v1/held HTTP/1.1\r\nHost: example.com\r\n\r\n")
    return connection


def is_decided(app: Echo, number: int, held: socket.socket) -> bool:
    return app.waiting == number or bool(select.select([held], [], [], 0)[0])


def test_one_address_has_a_number_of_requests_at_once() -> None:
    app = Echo()
    variables = {"PICTURES_ORIGIN": STORAGE_URL, "EASEL_CONNECTIONS": "2"}
    with behind_a_proxy(app) as address, front_door(address, address, **variables) as door, ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(hold(door, app))
        assert ask("GET", f"{door.url}/v1/x").json()["code"] == "rate_limited"
        stack.close()
        until(lambda: ask("GET", f"{door.url}/v1/x").status_code == 200, "they are over")


@pytest.mark.parametrize("header", [{"X-Long": "x" * 9_000}, {f"X-{number}": "x" * 4_000 for number in range(6)}])
def test_a_head_that_is_too_large_is_refused_in_the_gateways_words(
    doors: tuple[str, FrontDoor], header: dict[str, str]
) -> None:
    answer = ask("GET", f"{doors[1].url}/v1/presets", headers=header)
    assert (answer.status_code, answer.json()) == (431, problem_bytes(render(HeadTooLarge())))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("number", ["0", "-1", "many", "1;"])
def test_a_wrong_limit_is_refused(number: str) -> None:
    with pytest.raises(AssertionError), front_door("127.0.0.1:1", "127.0.0.1:1", EASEL_CONNECTIONS=number):
        pass


def test_the_headers_are_in_the_configuration(gateway_alone: str, tmp_path: Path) -> None:
    """This is checked also where nginx is not installed."""
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    write_nginx_headers(tmp_path)
    for path, kind in (("/main.js", "site"), ("/docs/start.js", "docs")):
        assert f"${{{kind.upper()}_HEADERS}}" in template
        told = (tmp_path / f"{kind}.conf").read_text(encoding="utf-8").replace("{storage}", STORAGE_URL)
        headers = ask("GET", gateway_alone + path).headers
        for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"):
            if name in headers:
                assert re.search(rf'add_header {name} "{re.escape(headers[name])}" always;', told), name
    assert f'location ~ "{FILE_ENDING.pattern}"' in template


def test_a_status_may_be_held_for_longer_than_the_api_allows() -> None:
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    [line] = [line.split() for line in template.splitlines() if line.strip().startswith("proxy_read_timeout")]
    assert int(line[1].removesuffix("s;")) > 20


def test_browsers_can_read_signed_urls_and_post_forms(echo: tuple[Echo, FrontDoor]) -> None:
    app, door = echo
    for method, path in (("GET", SIGNED), ("HEAD", SIGNED), ("POST", "/easel"), ("POST", "/easel/")):
        before = len(app.seen)
        answer = ask(method, door.storage_url + path, data=b"x" * 100 if method == "POST" else None)
        assert answer.status_code == 200
        assert len(app.seen) == before + 1
        # The signature covers path, query and host as sent by the browser.
        assert (app.seen[-1]["method"], app.seen[-1]["path"]) == (method, path.partition("?")[0])
        assert app.seen[-1]["headers"]["host"] == door.storage_url.removeprefix("http://")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/easel"),
        ("GET", "/easel/?list-type=2&X-Amz-Signature=0123"),
        ("GET", "/easel/jobs/1/0.png"),
        ("GET", "/easel/jobs/1/0.png?X-Amz-Signature="),
        ("GET", "/other/jobs/1/0.png?X-Amz-Signature=0123"),
        ("GET", "/_ministack/health"),
        ("GET", "/_localstack/health"),
        ("GET", "/minio/health/live"),
        ("GET", "/easel/../_localstack/init?X-Amz-Signature=0123"),
        ("GET", "/easel/jobs/..?X-Amz-Signature=0123"),
        ("GET", "/easel/jobs/%2e%2e/%2e%2e/_localstack/init?X-Amz-Signature=0123"),
        ("GET", "/easel//?X-Amz-Signature=0123"),
        ("POST", "/easel?delete"),
        ("POST", "/easel/?delete&X-Amz-Signature=0123"),
        ("POST", "/_ministack/reset"),
        ("PUT", SIGNED),
        ("DELETE", SIGNED),
        ("OPTIONS", "/other"),
    ],
)
def test_nothing_else_of_the_storage_is_exposed(echo: tuple[Echo, FrontDoor], method: str, path: str) -> None:
    app, door = echo
    before = len(app.seen)
    assert said_status(method, door.storage_url, path) == 403
    assert len(app.seen) == before


def test_only_pages_of_the_named_origins_may_read(echo: tuple[Echo, FrontDoor]) -> None:
    door = echo[1]
    for origin, allowed in (
        (ORIGIN, ORIGIN),
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://friend.example.com", "https://friend.example.com"),
        ("https://example.com", None),
    ):
        for method, path in (("GET", SIGNED), ("POST", "/easel"), ("OPTIONS", "/easel")):
            answer = ask(method, door.storage_url + path, headers={"Origin": origin})
            assert answer.headers.get("Access-Control-Allow-Origin") == allowed
            assert "Origin" in answer.headers["Vary"]
    preflight = ask("OPTIONS", f"{door.storage_url}/easel", headers={"Origin": ORIGIN})
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST"


def test_the_log_contains_no_link_and_no_signature(echo: tuple[Echo, FrontDoor]) -> None:
    door = echo[1]
    ask("GET", f"{door.url}/i/0123-secret?download=1")
    ask("GET", f"{door.url}/v1/likenesses/secret")
    ask("GET", f"{door.url}/v1/jobs?cursor=secret")
    ask("GET", f"{door.storage_url}{SIGNED}&secret=1")

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in door.log.read_text(encoding="utf-8").splitlines()]

    expected = ["/i/...", "/v1/likenesses/...", "/v1/jobs"]
    until(lambda: [line["path"] for line in lines()][-3:] == expected, "all are in the log")
    assert "secret" not in door.log.read_text(encoding="utf-8")
    assert lines()[-1]["request_id"] == "of-the-gateway"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PICTURES_ORIGIN", "http://x; return 200"),
        ("EASEL_PUBLIC_URL", 'http://x" y'),
        ("EASEL_PUBLIC_URL", "easel.example.com"),
        ("EASEL_PUBLIC_URL", "http://b\u00fccher.example"),
        ("EASEL_TRUSTED_PROXIES", "10.0.0.0/8;"),
        ("EASEL_CORS_ORIGINS", "https://a.example.com,https://b.example.com;"),
        ("EASEL_CORS_ORIGINS", "*"),
    ],
)
def test_a_value_that_would_change_the_configuration_is_refused(name: str, value: str) -> None:
    variables = {"PICTURES_ORIGIN": STORAGE_URL, name: value}
    with pytest.raises(AssertionError), front_door("127.0.0.1:1", "127.0.0.1:1", **variables):
        pass
