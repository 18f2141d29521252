"""Whatever a generator answers, a call ends soon, with the right class of error and a stable code."""

import base64
import gzip
import json
import re
import socket
import tracemalloc
from pathlib import Path

import pytest
from hostile_server import Reply, drip, endless, hostile_server, http, once, reset, silent
from orders import order

import shared.generators.base
from shared.generators.base import (
    ForgottenId,
    GeneratorAddress,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorUnavailable,
)
from shared.generators.img_generator import ImgGenerator

HTML = b"<!doctype html><title>It works</title>"
PICTURE = base64.b64encode(b"picture").decode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OPEN_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def ok(body: object, *headers: str) -> Reply:
    return once(http("200 OK", body if isinstance(body, bytes) else json.dumps(body).encode(), *headers))


def says(status: str, body: bytes = b"{}", *headers: str) -> Reply:
    return once(http(status, body, *headers))


START = [
    ("html", ok(HTML), GeneratorBroken, "generator_bad_json"),
    ("empty", ok(b""), GeneratorBroken, "generator_empty"),
    ("204", once(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"), GeneratorBroken, "generator_bad_http"),
    ("not utf-8", ok(b'"\xff\xfe"'), GeneratorBroken, "generator_bad_text"),
    ("nan", ok(b"NaN"), GeneratorBroken, "generator_bad_json"),
    ("deep", ok(b"[" * 30_000), GeneratorBroken, "generator_bad_json"),
    ("deep and closed", ok(b"[" * 30_000 + b"]" * 30_000), GeneratorBroken, "generator_bad_json"),
    ("5000 digits", ok(b"9" * 5000), GeneratorBroken, "generator_bad_json"),
    ("two values", ok(b"1 2"), GeneratorBroken, "generator_bad_json"),
    ("id float", ok(17.0), GeneratorBroken, "generator_bad_id"),
    ("id bool", ok(True), GeneratorBroken, "generator_bad_id"),
    ("id null", ok(None), GeneratorBroken, "generator_bad_id"),
    ("id list", ok([17]), GeneratorBroken, "generator_bad_id"),
    ("id negative", ok(-1), GeneratorBroken, "generator_bad_id"),
    ("id of 200 digits", ok(b"9" * 200), GeneratorBroken, "generator_bad_id"),
    ("id empty", ok(""), GeneratorBroken, "generator_bad_id"),
    ("id long", ok("x" * 129), GeneratorBroken, "generator_bad_id"),
    ("id with a newline", ok("1\n2"), GeneratorBroken, "generator_bad_id"),
    ("id surrogate", ok(b'"\\ud800"'), GeneratorBroken, "generator_bad_id"),
    ("object without id", ok({"number": 17}), GeneratorBroken, "generator_bad_id"),
    ("id in the id", ok({"id": {"id": 17}}), GeneratorBroken, "generator_bad_id"),
    ("400", says("400 Bad Request"), GeneratorRefused, "generator_refused"),
    ("413", says("413 Content Too Large"), GeneratorRefused, "generator_refused"),
    ("422", says("422 Unprocessable Content"), GeneratorRefused, "generator_refused"),
    ("401", says("401 Unauthorized"), GeneratorUnavailable, "generator_misconfigured"),
    ("404", says("404 Not Found", HTML), GeneratorUnavailable, "generator_misconfigured"),
    ("409", says("409 Conflict"), GeneratorBroken, "generator_bad_http"),
    ("408", says("408 Request Timeout"), GeneratorUnavailable, "generator_down"),
    ("429", says("429 Too Many Requests", b"{}", "Retry-After: 5"), GeneratorUnavailable, "generator_busy"),
    ("500", says("500 Internal Server Error", HTML), GeneratorUnavailable, "generator_down"),
    ("503", says("503 Service Unavailable"), GeneratorUnavailable, "generator_down"),
    ("redirect", says("302 Found", b"", "Location: http://127.0.0.1:1/"), GeneratorUnavailable, "generator_redirected"),
    ("redirect junk", says("301 M", b"", "Location: ht!tp://[:"), GeneratorUnavailable, "generator_redirected"),
    (
        "redirect with an endless body",
        endless(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"x" * 65536),
        GeneratorBroken,
        "generator_too_large",
    ),
    ("silence", silent, GeneratorUnavailable, "generator_timeout"),
    ("hang up", once(b""), GeneratorUnavailable, "generator_hung_up"),
    ("reset", reset(b""), GeneratorUnavailable, "generator_hung_up"),
    ("not HTTP", once(b"SSH-2.0-OpenSSH_9.6\r\n"), GeneratorBroken, "generator_bad_http"),
    ("endless status line", endless(b"HTTP/1.1 200 ", b"x" * 65536), GeneratorBroken, "generator_bad_http"),
    ("endless headers", endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 100), GeneratorBroken, "generator_bad_http"),
    ("drip of headers", drip(b"HTTP/1.1 200 OK\r\n", b"x"), GeneratorUnavailable, "generator_timeout"),
    ("drip of a body", drip(OPEN_BODY, b" "), GeneratorUnavailable, "generator_timeout"),
    ("drip of a chunk's size", drip(CHUNKED, b"0"), GeneratorUnavailable, "generator_timeout"),
    (
        "hundreds of 100",
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        GeneratorUnavailable,
        "generator_timeout",
    ),
    ("endless body", endless(OPEN_BODY, b" " * 65536), GeneratorBroken, "generator_too_large"),
    ("endless chunks", endless(CHUNKED, b"4\r\n    \r\n" * 999), GeneratorBroken, "generator_too_large"),
    ("endless chunk size", endless(CHUNKED, b"0" * 65536), GeneratorBroken, "generator_cut_off"),
    (
        "announced as huge",
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n1"),
        GeneratorBroken,
        "generator_too_large",
    ),
    ("shorter than announced", once(http("200 OK", b"17")[:-1]), GeneratorBroken, "generator_cut_off"),
    ("reset in the body", reset(http("200 OK", b"1" * 100)[:-50]), GeneratorBroken, "generator_cut_off"),
    ("chunk cut off", once(CHUNKED + b"5\r\n12"), GeneratorBroken, "generator_cut_off"),
    ("chunk junk", once(CHUNKED + b"zz\r\n12\r\n0\r\n\r\n"), GeneratorBroken, "generator_cut_off"),
    (
        "gzip bomb",
        ok(gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip"),
        GeneratorBroken,
        "generator_encoded",
    ),
]

STATUS = [
    ("404", says("404 Not Found"), ForgottenId, "generator_forgot"),
    ("410", says("410 Gone"), ForgottenId, "generator_forgot"),
    ("422", says("422 Unprocessable Content"), GeneratorBroken, "generator_bad_http"),
    ("html", ok(HTML), GeneratorBroken, "generator_bad_status"),
    ("unknown", ok("done"), GeneratorBroken, "generator_bad_status"),
    ("unknown in plain text", ok(b"dreaming"), GeneratorBroken, "generator_bad_status"),
    ("upper case", ok("FINISHED"), GeneratorBroken, "generator_bad_status"),
    ("number", ok(3), GeneratorBroken, "generator_bad_status"),
    ("nan", ok(b"NaN"), GeneratorBroken, "generator_bad_status"),
    ("object", ok({"status": "finished"}), GeneratorBroken, "generator_bad_shape"),
    ("half a string", ok(b'"finished'), GeneratorBroken, "generator_bad_json"),
    ("deep", ok(b"[" * 30_000), GeneratorBroken, "generator_bad_json"),
    ("negative position", ok("queue position: -1"), GeneratorBroken, "generator_bad_position"),
    ("huge position", ok("queue position: 99999999999"), GeneratorBroken, "generator_bad_position"),
    ("no position", ok("queue position: "), GeneratorBroken, "generator_bad_position"),
    ("position in other digits", ok("queue position: ٣"), GeneratorBroken, "generator_bad_position"),
    ("101 percent", ok("processing: 101%"), GeneratorBroken, "generator_bad_progress"),
    ("negative percent", ok("processing: -1%"), GeneratorBroken, "generator_bad_progress"),
    ("nan percent", ok("processing: nan%"), GeneratorBroken, "generator_bad_progress"),
    ("500", says("500 Internal Server Error"), GeneratorUnavailable, "generator_down"),
]

RESULT = [
    ("404", says("404 Not Found"), ForgottenId, "generator_forgot"),
    ("list", ok([PICTURE]), GeneratorBroken, "generator_bad_shape"),
    ("imgs a string", ok({"imgs": PICTURE}), GeneratorBroken, "generator_bad_shape"),
    ("imgs null", ok({"imgs": None}), GeneratorBroken, "generator_bad_shape"),
    ("imgs of numbers", ok({"imgs": [1], "descs": ["a"]}), GeneratorBroken, "generator_bad_shape"),
    ("no imgs", ok({"descs": ["a"]}), GeneratorBroken, "generator_wrong_image_count"),
    ("too few imgs", ok({"imgs": [], "descs": ["a"]}), GeneratorBroken, "generator_wrong_image_count"),
    ("too many imgs", ok({"imgs": [PICTURE] * 2, "descs": ["a"]}), GeneratorBroken, "generator_wrong_image_count"),
    ("junk base64", ok({"imgs": ["%%%"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("bad padding", ok({"imgs": ["QUJ"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("not ASCII", ok({"imgs": ["картина"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("data URL", ok({"imgs": ["data:image/png;base64," + PICTURE]}), GeneratorBroken, "generator_bad_base64"),
    ("empty picture", ok({"imgs": [""], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("no descs", ok({"imgs": [PICTURE]}), GeneratorBroken, "generator_wrong_text_count"),
    ("too many descs", ok({"imgs": [PICTURE], "descs": ["a", "b"]}), GeneratorBroken, "generator_wrong_text_count"),
    ("descs a string", ok({"imgs": [PICTURE], "descs": "a"}), GeneratorBroken, "generator_bad_shape"),
    ("desc a number", ok({"imgs": [PICTURE], "descs": [1]}), GeneratorBroken, "generator_bad_description"),
    ("desc with NUL", ok({"imgs": [PICTURE], "descs": ["a\0"]}), GeneratorBroken, "generator_bad_description"),
    ("long desc", ok({"imgs": [PICTURE], "descs": ["a" * 10_001]}), GeneratorBroken, "generator_bad_description"),
    (
        "half a surrogate",
        ok({"imgs": [PICTURE], "descs": ["\ud800"]}),
        GeneratorBroken,
        "generator_bad_description",
    ),
    (
        "too many frames",
        ok({"imgs": [PICTURE], "descs": ["a"], "frames": [PICTURE] * 3}),
        GeneratorBroken,
        "generator_too_many_frames",
    ),
    ("more than the order needs", ok(b" " * 600_000), GeneratorBroken, "generator_too_large"),
    ("endless", endless(OPEN_BODY, b" " * 65536), GeneratorBroken, "generator_too_large"),
    ("drip", drip(OPEN_BODY, b" "), GeneratorUnavailable, "generator_timeout"),
    ("html", ok(HTML), GeneratorBroken, "generator_bad_json"),
    ("lists that grow", ok(b"[" + b"[]," * 90_000 + b"[]]"), GeneratorBroken, "generator_bad_json"),
]


def client(url: str) -> ImgGenerator:
    return ImgGenerator(
        GeneratorAddress("img_generator", url), connect_timeout_s=1, answer_timeout_s=0.4, result_timeout_s=0.4
    )


def table(rows: list[tuple[str, Reply, type[GeneratorError], str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("reply", "kind", "code"), [row[1:] for row in rows], ids=[row[0] for row in rows])


@table(START)
def test_start_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        client(url).start(order())
    assert (type(caught.value), caught.value.code) == (kind, code)


@table(STATUS)
def test_status_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        client(url).status("17")
    assert (type(caught.value), caught.value.code) == (kind, code)


@table(RESULT)
def test_result_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        client(url).result("17", order(describe=True, frames=2))
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_every_code_stands_in_the_table_and_is_met_here() -> None:
    """The documented codes are those that the cases above provoke: none is missing, none is dead."""
    documented = set(re.findall(r"^(generator_\w+)", shared.generators.base.__doc__ or "", re.M))
    met = {row[3] for rows in (START, STATUS, RESULT) for row in rows} | {"generator_unreachable"}  # test_nobody_there
    assert met == documented
    raised = set()
    for name in ("base", "transport", "strict_json", "img_generator"):
        source = Path(shared.generators.base.__file__).with_name(f"{name}.py").read_text()
        raised |= set(re.findall(r'"(generator_\w+)"', source))
    assert raised == documented


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(GeneratorUnavailable) as caught:
        client(f"http://127.0.0.1:{port}").start(order())
    assert caught.value.code == "generator_unreachable"


def test_a_refusal_names_the_parameter_and_repeats_no_text() -> None:
    body = json.dumps({"error": "bad_parameter", "parameter": "width", "message": "see: a red boat"}).encode()
    with hostile_server(says("422 Unprocessable Content", body)) as url, pytest.raises(GeneratorRefused) as caught:
        client(url).start(order())
    assert "width" in caught.value.message
    assert "boat" not in caught.value.message


def test_an_endless_answer_is_not_kept_in_memory() -> None:
    with hostile_server(endless(OPEN_BODY, b" " * 65536)) as url:
        tracemalloc.start()
        with pytest.raises(GeneratorBroken):
            client(url).status("17")
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024


@pytest.mark.parametrize("reply", [ok(HTML), ok([1]), ok({"extensions": "key"}), says("404 Not Found")])
def test_health_that_says_nothing_means_no_extensions(reply: Reply) -> None:
    with hostile_server(reply) as url:
        capabilities = client(url).health()
    assert capabilities.extensions == frozenset()
    assert capabilities.engine is None


@pytest.mark.parametrize("reply", [says("503 Service Unavailable"), silent, once(b"")])
def test_health_of_a_generator_that_is_not_well(reply: Reply) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorUnavailable):
        client(url).health()


def test_cancel_never_raises() -> None:
    with hostile_server(reset(b"")) as url:
        client(url).cancel("17")


def test_more_than_was_announced_does_not_reach_the_next_answer() -> None:
    """What follows an answer on a kept-alive connection is not taken for the next one."""
    smuggled = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"finished"' + http("200 OK", b'"error"')
    with hostile_server(once(smuggled)) as url:
        generator = client(url)
        assert generator.status("17") == generator.status("17")
