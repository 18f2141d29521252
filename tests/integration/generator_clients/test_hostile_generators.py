"""Any answer of a generator ends the call soon, with the right class of error and a stable code: one suite for all."""

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
from shared.generators.addresses import PROTOCOLS, GeneratorAddress
from shared.generators.base import (
    Generator,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
    Progress,
)
from shared.generators.glide import Glide
from shared.generators.horde import Horde
from shared.generators.img_generator import ImgGenerator
from shared.generators.openai import OpenAi
from shared.generators.sdapi import Sdapi
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
    png,
    says,
)
from tests.support.replies_horde import HORDE_CHECK, HORDE_CROPPED, HORDE_NEW, HORDE_RESULT
from tests.support.replies_sdapi import SDAPI_CAPTION, SDAPI_PICTURE, SDAPI_UPSCALED

PATIENCE_S = 10.0
"""For calls that end by themselves, also on a busy machine."""

SHORT_S = 0.4
"""For calls that only the timeout ends."""

CLIENTS: dict[str, tuple[Callable[..., Generator], tuple[str, ...]]] = {
    "img_generator": (ImgGenerator, ("answer_timeout_s", "result_timeout_s")),
    "glide": (Glide, ("health_timeout_s", "draw_timeout_s")),
    "openai": (OpenAi, ("models_timeout_s", "draw_timeout_s")),
    "sdapi": (Sdapi, ("answer_timeout_s", "draw_timeout_s")),
    "horde": (Horde, ("answer_timeout_s", "result_timeout_s")),
}
"""Each protocol's client, and the time-outs of its calls."""


def client(protocol: str, url: str, timeout_s: float = PATIENCE_S, **others: float) -> Generator:
    make, timeouts = CLIENTS[protocol]
    limits = dict.fromkeys(timeouts, timeout_s) | ({"interrupt_timeout_s": SHORT_S} if protocol == "sdapi" else {})
    return make(GeneratorAddress(protocol, url), connect_timeout_s=PATIENCE_S, **limits | others)


Call = Callable[[Generator], object]
"""One call of a client."""

ORDERS: dict[str, Call] = {
    "img_generator": lambda generator: generator.start(order()),
    "glide": lambda generator: generator.result("image", order(n=3)),
    "openai": lambda generator: generator.result("image", order(n=3)),
    "sdapi": lambda generator: generator.result("t", order()),
    "horde": lambda generator: generator.start(order()),
}
"""The call that sends a request in each protocol."""

INTRODUCED: dict[str, Callable[[Reply], Reply]] = {"openai": model_first}
"""What a server of a protocol answers before the reply at issue."""

SOURCE = png(64, 64)
TABLES: dict[str, tuple[str, Call, list[Row]]] = {
    "start": ("img_generator", ORDERS["img_generator"], NEW_ORDER),
    "status": ("img_generator", lambda generator: generator.status("17"), STATUS),
    "result": (
        "img_generator",
        lambda generator: generator.result("17", order(describe=True, frames=2)),
        RESULT,
    ),
    "sheet": ("glide", ORDERS["glide"], GLIDE_SHEET),
    "list of pictures": ("openai", ORDERS["openai"], OPENAI_IMAGES),
    "picture": ("sdapi", ORDERS["sdapi"], SDAPI_PICTURE),
    "caption": (
        "sdapi",
        lambda generator: generator.result("t", order(source_images=(SOURCE,), strength=-2, describe=True)),
        SDAPI_CAPTION,
    ),
    "upscaled": (
        "sdapi",
        lambda generator: generator.result("t", order(source_images=(SOURCE,), strength=-0.5, upscale=2)),
        SDAPI_UPSCALED,
    ),
    "horde's id": ("horde", ORDERS["horde"], HORDE_NEW),
    "horde's check": ("horde", lambda generator: generator.status("17"), HORDE_CHECK),
    "horde's result": ("horde", lambda generator: generator.result("17", order()), HORDE_RESULT),
    "horde's cropped": ("horde", lambda generator: generator.result("17", order(height=48)), HORDE_CROPPED),
}
"""The answers of each protocol's calls."""

CASES = [
    pytest.param(protocol, call, *row[1:], id=f"{protocol} {name}: {row[0]}")
    for name, protocol, call, rows in (
        *(("any", protocol, call, ANY_CALL) for protocol, call in ORDERS.items()),
        *((name, *table) for name, table in TABLES.items()),
    )
    for row in rows
]


def each_protocol(*without: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("protocol", [protocol for protocol in CLIENTS if protocol not in without])


def introduced(protocol: str, reply: Reply) -> Reply:
    return INTRODUCED[protocol](reply) if protocol in INTRODUCED else reply


def patience_s(code: str) -> float:
    return SHORT_S if code == "generator_timeout" else PATIENCE_S


@pytest.mark.parametrize(("protocol", "call", "reply", "kind", "code"), CASES)
def test_a_call_names_what_is_wrong(
    protocol: str, call: Call, reply: Reply, kind: type[GeneratorError], code: str
) -> None:
    first = {"models_timeout_s": PATIENCE_S} if protocol in INTRODUCED else {}  # that call is answered
    with hostile_server(introduced(protocol, reply)) as url, pytest.raises(GeneratorError) as caught:
        call(client(protocol, url, patience_s(code), **first))
    assert (type(caught.value), caught.value.code) == (kind, code)


@pytest.mark.parametrize(("reply", "kind", "code"), [row[1:] for row in ANY_CALL], ids=[row[0] for row in ANY_CALL])
def test_a_server_that_cannot_say_what_it_is_gets_no_request(
    reply: Reply, kind: type[GeneratorError], code: str
) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorUnavailable) as caught:
        client("openai", url, patience_s(code)).start(order())
    if kind in (GeneratorBroken, GeneratorRefused):
        code = "generator_misconfigured"
    known = {"generator_busy", "generator_redirected", "generator_misconfigured"}
    assert caught.value.code == (code if code in known else "generator_unreachable")


def test_each_client_is_tested_with_at_least_thirty_hostile_replies() -> None:
    assert CLIENTS.keys() == ORDERS.keys() == PROTOCOLS.keys()
    for protocol in CLIENTS:
        own = sum(len(rows) for of, _, rows in TABLES.values() if of == protocol)
        assert len(ANY_CALL) + own >= 60, protocol


def test_every_code_is_documented_and_tested() -> None:
    """The documented codes are exactly those that these cases provoke."""
    documented = set(re.findall(r"^(generator_\w+)", shared.generators.base.__doc__ or "", re.M))
    met = {row[3] for rows in (ANY_CALL, *(table[2] for table in TABLES.values())) for row in rows}
    met |= {"generator_unreachable"}  # test_a_closed_port_is_unavailable
    met |= {"generator_stopped"}  # test_an_abandoned_call_ends_soon
    met |= {"generator_loading"}  # test_nothing_is_sent_while_the_model_loads_and_it_is_asked_again
    met |= {"generator_cannot"}  # test_unsupported_fields_are_refused_before_sending
    met |= {"generator_bad_adapter"}  # test_what_is_no_adapter_is_not_stored
    met |= {"generator_lacks_adapters"}  # test_a_generator_that_forgets_at_once_is_broken
    assert met == documented
    raised = set()
    for source in Path(shared.generators.base.__file__).parent.glob("*.py"):
        raised |= set(re.findall(r'"(generator_\w+)"', source.read_text()))
    assert raised == documented


@each_protocol()
def test_a_closed_port_is_unavailable(protocol: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(GeneratorUnavailable) as caught:
        ORDERS[protocol](client(protocol, f"http://127.0.0.1:{port}"))
    assert caught.value.code == "generator_unreachable"


@pytest.mark.parametrize("reply", [silent, drip(OPEN_BODY, b" "), drip(b"HTTP/1.1 200 OK\r\n", b"x")])
@each_protocol()
def test_an_abandoned_call_ends_soon(protocol: str, reply: Reply) -> None:
    """The client's timeout is a minute or more, so only the stop request can end the call in time."""
    asked, hung_up = threading.Event(), threading.Event()

    def watched(connection: socket.socket, stop: threading.Event) -> None:
        asked.set()
        try:
            reply(connection, _until_gone(connection, stop))
        finally:
            hung_up.set()

    with hostile_server(watched) as url:
        generator = CLIENTS[protocol][0](GeneratorAddress(protocol, url))
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


@each_protocol()
def test_there_is_room_before_a_picture_is_read(protocol: str) -> None:
    """The server sends the body only once there is room; a refusal needs none."""
    asked = threading.Event()

    def waiting(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(OPEN_BODY)
        if asked.wait(PATIENCE_S):
            connection.sendall(b"[]")

    for reply, code in ((waiting, "generator_bad_shape"), (says("429 Too Many Requests"), "generator_busy")):
        asked.clear()
        with hostile_server(introduced(protocol, reply)) as url, pytest.raises(GeneratorError) as caught:
            client(protocol, url).result("17", order(), room=asked.set)
        assert (caught.value.code, asked.is_set()) == (code, reply is waiting)


@each_protocol()
def test_a_refusal_names_the_parameter_without_its_text(protocol: str) -> None:
    fields = ["width", "size"]
    for value in (
        {"error": "bad_parameter", "parameter": fields, "message": "see: a red boat"},
        {"detail": [{"loc": ["body", field], "msg": "see: a red boat"} for field in fields]},
    ):
        reply = introduced(protocol, says("422 Unprocessable Content", json.dumps(value).encode()))
        with hostile_server(reply) as url, pytest.raises(GeneratorRefused) as caught:
            ORDERS[protocol](client(protocol, url))
        assert any(field in caught.value.message for field in fields)
        assert "boat" not in caught.value.message


@each_protocol()
def test_an_endless_answer_is_not_read_into_memory(protocol: str) -> None:
    calls = {"img_generator": TABLES["status"][1], "horde": TABLES["horde's result"][1]}
    with hostile_server(introduced(protocol, endless(OPEN_BODY, b" " * 65536))) as url:
        tracemalloc.start()
        with pytest.raises(GeneratorBroken):
            calls.get(protocol, ORDERS[protocol])(client(protocol, url))
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024


@pytest.mark.parametrize("reply", [ok(HTML), ok([1]), ok({"extensions": "key"}), says("404 Not Found")])
def test_empty_health_means_no_extensions(reply: Reply) -> None:
    with hostile_server(reply) as url:
        capabilities = client("img_generator", url).health()
    assert capabilities.extensions == frozenset()
    assert capabilities.engine is None


@pytest.mark.parametrize(
    ("sampler", "known"), [("ddim", "ddim"), ("", None), ("a\nb", None), ("x" * 101, None), (7, None), (None, None)]
)
def test_only_a_short_line_is_the_name_of_a_sampler(sampler: object, known: str | None) -> None:
    with hostile_server(ok({"extensions": [], "engine": "e", "sampler": sampler})) as url:
        generator = client("img_generator", url)
        not_asked_yet = generator.capabilities
        assert not_asked_yet.sampler is None
        assert generator.health().sampler == known
    reported = generator.capabilities
    assert (reported.engine, reported.sampler) == ("e", known)


@pytest.mark.parametrize("reply", [says("503 Service Unavailable"), silent, once(b"")])
@each_protocol()
def test_health_of_an_unhealthy_generator(protocol: str, reply: Reply) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorUnavailable):
        client(protocol, url, SHORT_S).health()


@pytest.mark.parametrize("status", ["400 Bad Request", "422 Unprocessable Content"])
def test_a_glide_server_that_misses_the_prompt_is_healthy(status: str) -> None:
    with hostile_server(says(status)) as url:
        assert client("glide", url).health().extensions == frozenset()


ELSE: list[tuple[Reply, str]] = [
    (ok(HTML), "generator_misconfigured"),
    (ok([1]), "generator_misconfigured"),
    (says("404 Not Found", HTML), "generator_misconfigured"),
    (says("401 Unauthorized"), "generator_misconfigured"),
    (says("302 Found", b"", "Location: /"), "generator_redirected"),
    (says("500 Internal Server Error"), "generator_down"),
    (says("418 I'm a teapot"), "generator_bad_http"),
    (ok(b" " * 2_000_000), "generator_too_large"),
]


@pytest.mark.parametrize(
    ("protocol", "reply", "code"),
    [(protocol, *row) for protocol in ("glide", "sdapi", "horde") for row in ELSE]
    # Any object is a horde's heartbeat.
    + [(protocol, ok({"image": "QUJD"}), "generator_misconfigured") for protocol in ("glide", "sdapi")],
)
def test_another_server_is_not_mistaken_for_it(protocol: str, reply: Reply, code: str) -> None:
    """An img_generator needs no health call; what OpenAi takes for its server is tested above."""
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        client(protocol, url).health()
    assert caught.value.code == code


@pytest.mark.parametrize("reply", [reset(b""), ok(HTML), says("500 Internal Server Error")])
@each_protocol()
def test_cancel_never_raises(protocol: str, reply: Reply) -> None:
    with hostile_server(reply) as url, contextlib.closing(client(protocol, url)) as generator:
        generator.cancel("17")


def test_surplus_bytes_do_not_reach_the_next_answer() -> None:
    """Bytes after an answer on a kept-alive connection are not read as the next answer."""
    smuggled = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"finished"' + http("200 OK", b'"error"')
    with hostile_server(once(smuggled)) as url:
        generator = client("img_generator", url)
        told = []
        for _ in range(5):
            # The server disconnects after each answer, and a call may hit that moment.
            with contextlib.suppress(GeneratorUnavailable):
                told.append(generator.status("17"))
    assert set(told) == {Progress(Phase.FINISHED)}
