"""Any answer of a generator ends the call soon, with the right class of error and a stable code."""

import contextlib
import json
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

import shared.generators.base
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
    Progress,
)
from shared.generators.glide import Glide
from shared.generators.img_generator import ImgGenerator
from shared.generators.openai import OpenAi
from tests.support.hostile_server import Reply, drip, endless, hostile_server, http, once, reset, silent
from tests.support.orders import order
from tests.support.replies import (
    ANY_CALL,
    GLIDE_SHEET,
    HTML,
    NEW_ORDER,
    OPEN_BODY,
    OPENAI_IMAGES,
    RESULT,
    STATUS,
    Row,
    model_first,
    ok,
    says,
)
from tests.support.replies_horde import HORDE_CHECK, HORDE_CROPPED, HORDE_NEW, HORDE_RESULT
from tests.support.replies_sdapi import SDAPI_CAPTION, SDAPI_PICTURE, SDAPI_UPSCALED

PATIENCE_S = 10.0
"""For calls that end by themselves, also on a busy machine."""

SHORT_S = 0.4
"""For calls that only the timeout ends."""


def client(url: str, timeout_s: float = PATIENCE_S) -> ImgGenerator:
    return ImgGenerator(
        GeneratorAddress("img_generator", url),
        connect_timeout_s=PATIENCE_S,
        answer_timeout_s=timeout_s,
        result_timeout_s=timeout_s,
    )


def glide(url: str, timeout_s: float = PATIENCE_S) -> Glide:
    return Glide(
        GeneratorAddress("glide", url),
        connect_timeout_s=PATIENCE_S,
        health_timeout_s=timeout_s,
        draw_timeout_s=timeout_s,
    )


def openai(url: str, timeout_s: float = PATIENCE_S) -> OpenAi:
    return OpenAi(
        GeneratorAddress("openai", url),
        connect_timeout_s=PATIENCE_S,
        models_timeout_s=timeout_s,
        draw_timeout_s=timeout_s,
    )


Call = Callable[[str, float], object]
"""One call of a client to a server at this URL, within that time."""

ORDER_CALLS: dict[str, Call] = {
    "img_generator": lambda url, timeout_s: client(url, timeout_s).start(order()),
    "glide": lambda url, timeout_s: glide(url, timeout_s).result("image", order(n=3)),
    "openai": lambda url, timeout_s: openai(url, timeout_s).result("image", order(n=3)),
}
"""The call that sends a request in each protocol."""

INTRODUCED: dict[str, Callable[[Reply], Reply]] = {"openai": model_first}
"""What a server of a protocol answers before the reply at issue."""


def table(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("reply", "kind", "code"), [row[1:] for row in rows], ids=[row[0] for row in rows])


def check(call: Call, reply: Reply, kind: type[GeneratorError], code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        call(url, SHORT_S if code == "generator_timeout" else PATIENCE_S)
    assert (type(caught.value), caught.value.code) == (kind, code)


@pytest.mark.parametrize("protocol", ORDER_CALLS)
@table(ANY_CALL)
def test_a_request_names_what_is_wrong(protocol: str, reply: Reply, kind: type[GeneratorError], code: str) -> None:
    check(ORDER_CALLS[protocol], INTRODUCED.get(protocol, _as_it_is)(reply), kind, code)


def _as_it_is(reply: Reply) -> Reply:
    return reply


@table(NEW_ORDER)
def test_start_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    check(ORDER_CALLS["img_generator"], reply, kind, code)


@table(STATUS)
def test_status_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    check(lambda url, timeout_s: client(url, timeout_s).status("17"), reply, kind, code)


@table(RESULT)
def test_result_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    check(lambda url, timeout_s: client(url, timeout_s).result("17", order(describe=True, frames=2)), reply, kind, code)


@table(GLIDE_SHEET)
def test_a_sheet_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    check(ORDER_CALLS["glide"], reply, kind, code)


@table(OPENAI_IMAGES)
def test_a_list_of_pictures_names_what_is_wrong(reply: Reply, kind: type[GeneratorError], code: str) -> None:
    check(ORDER_CALLS["openai"], model_first(reply), kind, code)


@table(ANY_CALL)
def test_a_server_that_cannot_say_what_it_is_gets_no_request(
    reply: Reply, kind: type[GeneratorError], code: str
) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorUnavailable) as caught:
        openai(url, SHORT_S if code == "generator_timeout" else PATIENCE_S).start(order())
    if kind in (GeneratorBroken, GeneratorRefused):
        code = "generator_misconfigured"
    known = {"generator_busy", "generator_redirected", "generator_misconfigured"}
    assert caught.value.code == (code if code in known else "generator_unreachable")


def test_each_client_is_tested_with_at_least_thirty_hostile_replies() -> None:
    assert len(ANY_CALL) + min(len(NEW_ORDER) + len(STATUS) + len(RESULT), len(GLIDE_SHEET), len(OPENAI_IMAGES)) >= 60


def test_every_code_is_documented_and_tested() -> None:
    """The documented codes are exactly those that these cases provoke."""
    documented = set(re.findall(r"^(generator_\w+)", shared.generators.base.__doc__ or "", re.M))
    dialects = (SDAPI_CAPTION, SDAPI_PICTURE, SDAPI_UPSCALED, HORDE_CHECK, HORDE_CROPPED, HORDE_NEW, HORDE_RESULT)
    met = {
        row[3] for rows in (ANY_CALL, NEW_ORDER, STATUS, RESULT, GLIDE_SHEET, OPENAI_IMAGES, *dialects) for row in rows
    }
    met |= {"generator_unreachable"}  # test_a_closed_port_is_unavailable
    met |= {"generator_stopped"}  # test_an_abandoned_call_ends_soon
    met |= {"generator_cannot"}  # test_unsupported_fields_are_refused_before_sending
    assert met == documented
    raised = set()
    for source in Path(shared.generators.base.__file__).parent.glob("*.py"):
        raised |= set(re.findall(r'"(generator_\w+)"', source.read_text()))
    assert raised == documented


@pytest.mark.parametrize("call", ORDER_CALLS.values(), ids=ORDER_CALLS)
def test_a_closed_port_is_unavailable(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(GeneratorUnavailable) as caught:
        call(f"http://127.0.0.1:{port}", PATIENCE_S)
    assert caught.value.code == "generator_unreachable"


@pytest.mark.parametrize("reply", [silent, drip(OPEN_BODY, b" "), drip(b"HTTP/1.1 200 OK\r\n", b"x")])
@pytest.mark.parametrize("make", [ImgGenerator, Glide, OpenAi])
def test_an_abandoned_call_ends_soon(make: type[ImgGenerator | Glide | OpenAi], reply: Reply) -> None:
    """The client's timeout is a minute or more, so only the stop request can end the call in time."""
    asked, hung_up = threading.Event(), threading.Event()

    def watched(connection: socket.socket, stop: threading.Event) -> None:
        asked.set()
        try:
            reply(connection, _until_gone(connection, stop))
        finally:
            hung_up.set()

    with hostile_server(watched) as url:
        generator = make(GeneratorAddress("glide", url))
        with pytest.raises(GeneratorStopped):
            generator.result("1", order(), stop=asked.is_set)
        assert hung_up.wait(20), "the connection is closed, so that the server can stop generating"
        generator.close()


def _until_gone(connection: socket.socket, stop: threading.Event) -> threading.Event:
    """Return an event that is also set when the caller disconnects."""
    gone = threading.Event()

    def watch() -> None:
        while not stop.is_set() and not gone.is_set():
            try:
                gone_now = connection.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                gone_now = True
            if gone_now:
                gone.set()

    connection.settimeout(0.2)
    threading.Thread(target=watch, daemon=True).start()
    return gone


@pytest.mark.parametrize("protocol", ORDER_CALLS)
def test_a_refusal_names_the_parameter_without_its_text(protocol: str) -> None:
    fields = ["width", "size"]
    body = json.dumps({"error": "bad_parameter", "parameter": fields, "message": "see: a red boat"}).encode()
    reply = INTRODUCED.get(protocol, _as_it_is)(says("422 Unprocessable Content", body))
    with hostile_server(reply) as url, pytest.raises(GeneratorRefused) as caught:
        ORDER_CALLS[protocol](url, PATIENCE_S)
    assert any(field in caught.value.message for field in fields)
    assert "boat" not in caught.value.message


@pytest.mark.parametrize("protocol", ORDER_CALLS)
def test_an_endless_answer_is_not_read_into_memory(protocol: str) -> None:
    calls: dict[str, Call] = {"img_generator": lambda url, timeout_s: client(url, timeout_s).status("17")}
    call = calls.get(protocol, ORDER_CALLS[protocol])
    with hostile_server(INTRODUCED.get(protocol, _as_it_is)(endless(OPEN_BODY, b" " * 65536))) as url:
        tracemalloc.start()
        with pytest.raises(GeneratorBroken):
            call(url, PATIENCE_S)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024


@pytest.mark.parametrize("reply", [ok(HTML), ok([1]), ok({"extensions": "key"}), says("404 Not Found")])
def test_empty_health_means_no_extensions(reply: Reply) -> None:
    with hostile_server(reply) as url:
        capabilities = client(url).health()
    assert capabilities.extensions == frozenset()
    assert capabilities.engine is None


@pytest.mark.parametrize(
    ("sampler", "known"), [("ddim", "ddim"), ("", None), ("a\nb", None), ("x" * 101, None), (7, None), (None, None)]
)
def test_only_a_short_line_is_the_name_of_a_sampler(sampler: object, known: str | None) -> None:
    with hostile_server(ok({"extensions": [], "engine": "e", "sampler": sampler})) as url:
        generator = client(url)
        not_asked_yet = generator.capabilities
        assert not_asked_yet.sampler is None
        assert generator.health().sampler == known
    reported = generator.capabilities
    assert (reported.engine, reported.sampler) == ("e", known)


@pytest.mark.parametrize("make", [client, glide, openai])
@pytest.mark.parametrize("reply", [says("503 Service Unavailable"), silent, once(b"")])
def test_health_of_an_unhealthy_generator(make: Callable[..., ImgGenerator | Glide | OpenAi], reply: Reply) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorUnavailable):
        make(url, SHORT_S).health()


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Content"])
def test_a_glide_server_that_misses_the_prompt_is_healthy(status: str) -> None:
    with hostile_server(says(status)) as url:
        assert glide(url).health().extensions == frozenset()


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (ok(HTML), "generator_misconfigured"),
        (ok({"image": "QUJD"}), "generator_misconfigured"),
        (says("404 Not Found", HTML), "generator_misconfigured"),
        (says("401 Unauthorized"), "generator_misconfigured"),
        (says("302 Found", b"", "Location: /"), "generator_redirected"),
        (says("500 Internal Server Error"), "generator_down"),
        (says("418 I'm a teapot"), "generator_bad_http"),
        (ok(b" " * 100_000), "generator_too_large"),
    ],
)
def test_another_server_is_not_mistaken_for_glide(reply: Reply, code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        glide(url).health()
    assert caught.value.code == code


@pytest.mark.parametrize("make", [client, glide, openai])
def test_cancel_never_raises(make: Callable[[str], ImgGenerator | Glide | OpenAi]) -> None:
    with hostile_server(reset(b"")) as url:
        make(url).cancel("17")


def test_surplus_bytes_do_not_reach_the_next_answer() -> None:
    """Bytes after an answer on a kept-alive connection are not read as the next answer."""
    smuggled = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"finished"' + http("200 OK", b'"error"')
    with hostile_server(once(smuggled)) as url:
        generator = client(url)
        told = []
        for _ in range(5):
            # The server disconnects after each answer, and a call may hit that moment.
            with contextlib.suppress(GeneratorUnavailable):
                told.append(generator.status("17"))
    assert set(told) == {Progress(Phase.FINISHED)}
