"""One suite for all clients: their behaviour with a server that follows its protocol."""

import contextlib
import io
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.core import log
from shared.generators import connect
from shared.generators.addresses import PROTOCOLS, GeneratorAddress
from shared.generators.base import (
    Generator,
    GeneratorError,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Phase,
)
from shared.generators.horde import Horde
from tests.support.exchange import decoded, drawn, finish, make
from tests.support.orders import order
from tests.support.repeats import repeats
from tests.support.servers import ALL, Server
from tests.support.waiting import until


@pytest.fixture(scope="module", params=ALL)
def address(request: pytest.FixtureRequest) -> Iterator[GeneratorAddress]:
    server: Server = request.param
    with server() as address:
        yield address


ORDERS = {
    "one picture": order(),
    "two pictures": order(n=2),
    "three pictures": order(n=3),
    "eight pictures": order(n=8),
    "128 pixels": order(width=128, height=128),
    "256 pixels, twice": order(width=256, height=256, n=2),
    "512 pixels": order(width=512, height=512),
    "literal": order(scale=30.0),
    "free": order(scale=0.0),
    "a negative prompt": order(negative_prompt="fog"),
    "on the CPU": order(cpu=True),
    "Russian": order(prompt="маяк на скале, закат, масло"),
    "emoji": order(prompt="🌅 over 🏔️ & 🌊 #1 100% a=b?c+d"),
    "several prompts": order(prompt="a castle | (a dragon) [fog]"),
    "long": order(prompt="a small red house " * 100),
    "line breaks": order(prompt="a boat\na lake\r\n\ta tree"),
    "words that nobody knows": order(prompt="zzyzx qwrtp 漢字 عربى"),
}
ALIKE = (
    *("two pictures", "eight pictures", "256 pixels, twice", "512 pixels", "literal", "free", "on the CPU"),
    *("a negative prompt", "Russian", "several prompts", "line breaks", "words that nobody knows"),
)
"""Orders with which a server does what it does with another one."""


def kind_of(generator: Generator) -> str:
    """Return the kind of files that the server sends: hordes send WebP."""
    return "WEBP" if isinstance(generator, Horde) else "PNG"


@pytest.mark.parametrize("name", [*(name for name in ORDERS if name not in ALIKE), *repeats(*ALIKE)])
def test_a_request_returns_what_it_promises(generator: Generator, name: str) -> None:
    wanted = ORDERS[name]
    result = make(generator, wanted)
    assert tuple(image.size for image in decoded(result, kind_of(generator))) == wanted.output_sizes
    assert (result.descriptions, result.frames) == ((), ())


def test_the_largest_square_that_all_support(generator: Generator) -> None:
    [image] = decoded(make(generator, order(width=1024, height=1024, steps=1)), kind_of(generator))
    assert image.size == (1024, 1024)


def test_an_invalid_request_is_refused(generator: Generator) -> None:
    with pytest.raises(GeneratorRefused) as caught:
        make(generator, order(width=65))
    assert any(name in caught.value.message for name in ("width", "size"))
    assert "boat" not in caught.value.message


def test_each_part_of_a_result_asks_once_for_room(generator: Generator) -> None:
    wanted = order(n=3)
    remote_id = generator.start(wanted)
    finish(generator, remote_id)
    asked: list[None] = []
    done, parts = 0, 0
    while done < wanted.count:
        done += generator.result(remote_id, wanted.rest(done), room=lambda: asked.append(None)).count
        parts += 1
        assert len(asked) == parts
    assert done == wanted.count


def test_no_log_line_has_the_key_the_words_or_a_signed_link(
    address: GeneratorAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the most talkative level, in a process that is configured as all of them are."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    lines = io.StringIO()
    monkeypatch.setattr(sys, "stderr", lines)
    log.configure("DEBUG")
    try:
        logging.getLogger("easel").debug("the first line")
        client = connect(replace(address, key="k-3f9a"))
        for call in (client.health, lambda: make(client, order(prompt="a purple otter"))):
            with contextlib.suppress(GeneratorError):
                call()
        client.close()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
    written = lines.getvalue()
    assert "the first line" in written
    assert not [word for word in ("k-3f9a", "otter", "signature", "/pictures/") if word in written]


def test_threads_may_share_a_client(generator: Generator) -> None:
    wanted = [order(seed=number, n=1 + number % 2) for number in range(10)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda one: make(generator, one), wanted))
    assert [len(result.images) for result in results] == [one.n for one in wanted]


def test_a_server_is_healthy(generator: Generator) -> None:
    generator.health()


def test_a_request_can_be_cancelled(generator: Generator) -> None:
    """The client accepts any outcome of the cancelled request, and the next request works."""
    remote_id = generator.start(order())
    generator.cancel(remote_id)
    generator.cancel(remote_id)
    assert len(make(generator, order()).images) == 1


def test_an_abandoned_result_is_not_waited_for(generator: Generator) -> None:
    remote_id = generator.start(order())
    finish(generator, remote_id)
    with pytest.raises(GeneratorStopped):
        generator.result(remote_id, order(), stop=lambda: True)
    assert len(make(generator, order()).images) == 1


def test_another_process_can_continue(address: GeneratorAddress) -> None:
    """Workers share only the id: one sends, another polls, a third fetches."""
    clients = [connect(address) for _ in range(3)]
    remote_id = clients[0].start(order(n=2))
    assert finish(clients[1], remote_id) in (Phase.FINISHED, Phase.READY)
    assert len(drawn(clients[2], remote_id, order(n=2)).images) == 2
    for client in clients:
        client.close()


def test_a_closed_client_leaves_no_thread(address: GeneratorAddress) -> None:
    before = threading.active_count()
    client = connect(address)
    make(client, order())
    client.close()
    # The fake's threads end by themselves once their connections are closed.
    until(lambda: threading.active_count() <= before, "no thread is left")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_server_is_listening(protocol: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(GeneratorAddress(protocol, f"http://127.0.0.1:{port}"))
    for call in (lambda: make(client, order()), client.health):
        with pytest.raises(GeneratorUnavailable) as caught:
            call()
        assert caught.value.code == "generator_unreachable"
    client.cancel("1")
    client.close()
