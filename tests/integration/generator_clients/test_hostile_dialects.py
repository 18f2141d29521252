"""The clients of AUTOMATIC1111's API and of hordes, as in `test_hostile_generators`: any answer ends the call soon."""

import contextlib
import json
import socket
import threading
import tracemalloc
from collections.abc import Callable

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    Generator,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
)
from shared.generators.horde import Horde
from shared.generators.sdapi import Sdapi
from tests.support.hostile_server import Reply, drip, endless, hostile_server, once, reset, silent
from tests.support.orders import order
from tests.support.replies import ANY_CALL, HTML, OPEN_BODY, Row, ok, png, says
from tests.support.replies_horde import HORDE_CHECK, HORDE_CROPPED, HORDE_NEW, HORDE_RESULT
from tests.support.replies_sdapi import SDAPI_CAPTION, SDAPI_PICTURE, SDAPI_UPSCALED

PATIENCE_S = 10.0
"""For calls that end by themselves, also on a busy machine."""

SHORT_S = 0.4
"""For calls that only the timeout ends."""


def sdapi(url: str, timeout_s: float = PATIENCE_S) -> Sdapi:
    return Sdapi(
        GeneratorAddress("sdapi", url),
        connect_timeout_s=PATIENCE_S,
        answer_timeout_s=timeout_s,
        draw_timeout_s=timeout_s,
        interrupt_timeout_s=SHORT_S,
    )


def horde(url: str, timeout_s: float = PATIENCE_S) -> Horde:
    return Horde(
        GeneratorAddress("horde", url),
        connect_timeout_s=PATIENCE_S,
        answer_timeout_s=timeout_s,
        result_timeout_s=timeout_s,
    )


Call = Callable[[str, float], object]
"""One call of a client to a server at this URL, within that time."""

SOURCE = png(64, 64)
NOTHING_NEW = order(source_images=(SOURCE,), strength=-2, describe=True)
ORDER_CALLS: dict[str, Call] = {
    "sdapi": lambda url, timeout_s: sdapi(url, timeout_s).result("t", order()),
    "horde": lambda url, timeout_s: horde(url, timeout_s).start(order()),
}
CALLS: dict[str, tuple[Call, list[Row]]] = {
    "sdapi any": (ORDER_CALLS["sdapi"], ANY_CALL),
    "sdapi picture": (ORDER_CALLS["sdapi"], SDAPI_PICTURE),
    "sdapi caption": (lambda url, timeout_s: sdapi(url, timeout_s).result("t", NOTHING_NEW), SDAPI_CAPTION),
    "sdapi upscaled": (
        lambda url, timeout_s: sdapi(url, timeout_s).result(
            "t", order(source_images=(SOURCE,), strength=-0.5, upscale=2)
        ),
        SDAPI_UPSCALED,
    ),
    "horde any": (ORDER_CALLS["horde"], ANY_CALL),
    "horde new": (ORDER_CALLS["horde"], HORDE_NEW),
    "horde check": (lambda url, timeout_s: horde(url, timeout_s).status("17"), HORDE_CHECK),
    "horde result": (lambda url, timeout_s: horde(url, timeout_s).result("17", order()), HORDE_RESULT),
    "horde cropped": (lambda url, timeout_s: horde(url, timeout_s).result("17", order(height=48)), HORDE_CROPPED),
}
CASES = [pytest.param(call, *row[1:], id=f"{name}: {row[0]}") for name, (call, rows) in CALLS.items() for row in rows]


@pytest.mark.parametrize(("call", "reply", "kind", "code"), CASES)
def test_a_call_names_what_is_wrong(call: Call, reply: Reply, kind: type[GeneratorError], code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        call(url, SHORT_S if code == "generator_timeout" else PATIENCE_S)
    assert (type(caught.value), caught.value.code) == (kind, code)


@pytest.mark.parametrize("call", ORDER_CALLS.values(), ids=ORDER_CALLS)
def test_a_closed_port_is_unavailable(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(GeneratorUnavailable) as caught:
        call(f"http://127.0.0.1:{port}", PATIENCE_S)
    assert caught.value.code == "generator_unreachable"


@pytest.mark.parametrize("reply", [silent, drip(OPEN_BODY, b" ")])
@pytest.mark.parametrize("make", [Sdapi, Horde])
def test_an_abandoned_call_ends_soon(make: type[Sdapi] | type[Horde], reply: Reply) -> None:
    """The client's timeout is a minute or more, so only the stop request can end the call in time."""
    asked = threading.Event()

    def watched(connection: socket.socket, stop: threading.Event) -> None:
        asked.set()
        reply(connection, stop)

    with hostile_server(watched) as url:
        generator = make(GeneratorAddress("horde", url))
        with pytest.raises(GeneratorStopped):
            generator.result("1", order(), stop=asked.is_set)
        generator.close()


@pytest.mark.parametrize("call", ORDER_CALLS.values(), ids=ORDER_CALLS)
def test_a_refusal_names_the_parameter_without_its_text(call: Call) -> None:
    body = json.dumps({"detail": [{"loc": ["body", "width"], "msg": "see: a red boat"}]}).encode()
    with hostile_server(says("422 Unprocessable Content", body)) as url, pytest.raises(GeneratorRefused) as caught:
        call(url, PATIENCE_S)
    assert "width" in caught.value.message
    assert "boat" not in caught.value.message


@pytest.mark.parametrize("call", [CALLS["sdapi picture"][0], CALLS["horde result"][0]])
def test_an_endless_answer_is_not_read_into_memory(call: Call) -> None:
    with hostile_server(endless(OPEN_BODY, b" " * 65536)) as url:
        tracemalloc.start()
        with pytest.raises(GeneratorBroken):
            call(url, PATIENCE_S)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024


@pytest.mark.parametrize("make", [sdapi, horde])
@pytest.mark.parametrize("reply", [says("503 Service Unavailable"), silent, once(b"")])
def test_health_of_an_unhealthy_generator(make: Callable[..., Generator], reply: Reply) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorUnavailable):
        make(url, SHORT_S).health()


@pytest.mark.parametrize("make", [sdapi, horde])
@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (ok(HTML), "generator_misconfigured"),
        (ok([1]), "generator_misconfigured"),
        (says("404 Not Found", HTML), "generator_misconfigured"),
        (says("401 Unauthorized"), "generator_misconfigured"),
        (says("302 Found", b"", "Location: /"), "generator_redirected"),
        (says("500 Internal Server Error"), "generator_down"),
        (says("418 I'm a teapot"), "generator_bad_http"),
        (ok(b" " * 2_000_000), "generator_too_large"),
    ],
)
def test_another_server_is_not_mistaken_for_it(make: Callable[[str], Generator], reply: Reply, code: str) -> None:
    with hostile_server(reply) as url, pytest.raises(GeneratorError) as caught:
        make(url).health()
    assert caught.value.code == code


@pytest.mark.parametrize("make", [sdapi, horde])
def test_cancel_never_raises(make: Callable[[str], Generator]) -> None:
    for reply in (reset(b""), ok(HTML), says("500 Internal Server Error")):
        with hostile_server(reply) as url, contextlib.closing(make(url)) as client:
            client.cancel("17")
