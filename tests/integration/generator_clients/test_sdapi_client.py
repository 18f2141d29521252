"""Particulars of the web API of AUTOMATIC1111: the requests, what a server lacks, and when it is interrupted."""

import base64
import io
import threading
from collections.abc import Iterator

import pytest
from PIL import Image

from shared.generators import connect
from shared.generators.abilities import ignored_fields, unsupported_fields
from shared.generators.adapters import Adapter
from shared.generators.addresses import GeneratorAddress, parse_addresses
from shared.generators.base import (
    GenerationRequest,
    Generator,
    GeneratorBroken,
    GeneratorRefused,
    GeneratorStopped,
    GeneratorUnavailable,
    Result,
)
from shared.generators.sdapi import Sdapi
from shared.testing.fake_sdapi import FakeSdapi, colour
from tests.support.exchange import decoded, drawn, make
from tests.support.orders import order
from tests.support.waiting import until


@pytest.fixture
def fake() -> Iterator[FakeSdapi]:
    with FakeSdapi() as fake:
        yield fake


@pytest.fixture
def address(fake: FakeSdapi) -> GeneratorAddress:
    return fake.address


def source(width: int, height: int, shade: tuple[int, int, int] = (1, 2, 3)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), shade).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_request_that_is_sent(fake: FakeSdapi, generator: Generator) -> None:
    remote_id = generator.start(order())
    assert fake.counts["received"] == 0, "start only checks the request"
    drawn(generator, remote_id, order(prompt="закат & 🌅", n=2, seed=2**32 - 1, negative_prompt="fog", height=72))
    first, second = fake.requests
    assert first == {
        "prompt": "закат & 🌅",
        "negative_prompt": "fog",
        "seed": 2**32 - 1,
        "steps": 2,
        "cfg_scale": 7.5,
        "width": 64,
        "height": 72,
        "batch_size": 1,
        "n_iter": 1,
        "force_task_id": remote_id,
    }
    assert second == first | {"seed": 0}


def test_what_the_address_chooses() -> None:
    options = {"sampler": "DPM++ 2M", "scheduler": "karras", "model": "other.safetensors", "upscaler": "Nearest"}
    with FakeSdapi(options=options) as fake:
        (address,) = parse_addresses(fake.setting)
        client = connect(address)
        result = make(client, order(upscale=2))
        client.close()
        [sent] = fake.requests
    assert (sent["sampler_name"], sent["scheduler"]) == ("DPM++ 2M", "karras")
    assert sent["override_settings"] == {"sd_model_checkpoint": "other.safetensors"}
    assert (result.engine, result.sampler) == ("other", "DPM++ 2M")


@pytest.mark.parametrize("as_data_urls", [False, True])
def test_pictures_keep_the_order_of_the_seeds(fake: FakeSdapi, generator: Generator, as_data_urls: bool) -> None:
    fake.as_data_urls = as_data_urls
    images = decoded(make(generator, order(n=3, seed=7)))
    assert [image.getpixel((0, 0)) for image in images] == [colour(7), colour(8), colour(9)]


def test_start_pictures_are_used_in_turn(fake: FakeSdapi, generator: Generator) -> None:
    sources = (source(64, 64), source(32, 32))
    make(generator, order(n=3, source_images=sources, strength=0.25))
    assert [base64.b64decode(sent["init_images"][0]) for sent in fake.requests] == [*sources, sources[0]]
    assert {sent["denoising_strength"] for sent in fake.requests} == {0.25}


SOURCES = (source(64, 48), source(40, 40))

ONLY: dict[str, tuple[GenerationRequest, list[tuple[int, int]], int]] = {
    "upscaled": (order(source_images=SOURCES, strength=-0.5, upscale=2), [(128, 96), (80, 80)], 0),
    "sent back": (order(source_images=SOURCES, strength=-0.5), [(64, 48), (40, 40)], 0),
    "described": (order(source_images=SOURCES, strength=-2, describe=True), [], 2),
    "upscaled and described": (
        order(source_images=SOURCES, strength=-2, describe=True, upscale=3),
        [(192, 144), (120, 120)],
        2,
    ),
}


@pytest.mark.parametrize(("wanted", "sizes", "texts"), ONLY.values(), ids=ONLY)
def test_sources_without_a_new_picture(
    fake: FakeSdapi, generator: Generator, wanted: GenerationRequest, sizes: list[tuple[int, int]], texts: int
) -> None:
    result = make(generator, wanted)
    assert [image.size for image in decoded(result)] == sizes
    assert len(result.descriptions) == texts
    assert fake.counts["received"] == 0


def test_new_pictures_are_described_before_they_are_scaled_up(fake: FakeSdapi, generator: Generator) -> None:
    result = make(generator, order(n=2, describe=True, upscale=4))
    assert [image.size for image in decoded(result)] == [(256, 256)] * 2
    assert result.descriptions == ("a plain picture of 64 by 64 pixels",) * 2
    assert (fake.counts["described"], fake.counts["upscaled"]) == (2, 2)


@pytest.mark.parametrize(
    ("path", "wanted", "setting"),
    [
        ("/sdapi/v1/interrogate", order(describe=True), "describe"),
        ("/sdapi/v1/extra-single-image", order(upscale=2), "upscale"),
    ],
)
def test_a_call_that_the_server_lacks_is_named(
    fake: FakeSdapi, generator: Generator, path: str, wanted: GenerationRequest, setting: str
) -> None:
    fake.lacks = frozenset({path})
    with pytest.raises(GeneratorRefused, match=setting) as caught:
        make(generator, wanted)
    assert caught.value.code == "generator_refused"
    make(generator, order())


def test_a_password_is_sent() -> None:
    with FakeSdapi(password="easel:pa%ss") as fake:
        locked = fake.url.replace("://", "://easel:pa%25ss@")
        client = connect(GeneratorAddress("sdapi", locked))
        client.health()
        assert len(make(client, order()).images) == 1
        client.close()
        other = connect(fake.address)
        with pytest.raises(GeneratorUnavailable) as caught:
            other.health()
        other.close()
    assert caught.value.code == "generator_misconfigured"


def test_health_names_the_model(fake: FakeSdapi, generator: Generator) -> None:
    assert generator.health().engine == "fake.safetensors [0123456789]"
    assert fake.counts["received"] == 0, "a health check draws nothing"


def test_a_picture_names_the_model(generator: Generator) -> None:
    make(generator, order())
    assert generator.capabilities.engine == "fake", "the next job is said to be sent to it"


def test_a_seed_that_the_server_changed_is_not_taken_for_followed(fake: FakeSdapi, generator: Generator) -> None:
    make(generator, order())
    assert ignored_fields("sdapi", order(), generator.capabilities.follows) == ()
    usual = fake.answer
    fake.answer = lambda method, path, fields: usual(method, path, fields | {"seed": 99})  # type: ignore[method-assign]
    make(generator, order())
    assert [one.field for one in ignored_fields("sdapi", order(), generator.capabilities.follows)] == ["seed"]


def test_what_no_server_follows() -> None:
    wanted = order(cpu=True, describe=True, clip_max_len=3)
    client = connect(GeneratorAddress("sdapi", "http://127.0.0.1:1"))
    ignored = ignored_fields("sdapi", wanted, client.capabilities.follows)
    assert [one.field for one in ignored] == ["cpu", "description"]
    (address,) = parse_addresses("sdapi+http://127.0.0.1:1?follows=seed+steps")
    client = connect(address)
    ignored = ignored_fields("sdapi", order(negative_prompt="fog"), client.capabilities.follows)
    assert [one.field for one in ignored] == ["scale", "negative_prompt"]


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        (order(width=65), ["width"]),
        (order(height=100), ["height"]),
        (order(frames=3), ["timelapse"]),
        (order(adapters=(Adapter("0" * 64, 1.0),)), ["likeness"]),
        (order(n=8, width=2048, height=2048, upscale=4), ["upscale"]),
        (order(n=8, source_images=SOURCES, describe=True, upscale=4), []),
    ],
)
def test_limits_of_the_protocol(wanted: GenerationRequest, fields: list[str]) -> None:
    assert [limit.field for limit in unsupported_fields("sdapi", wanted)] == fields


def draw_until_stopped(client: Generator, fake: FakeSdapi) -> GeneratorStopped:
    """Begin a picture that is held, stop the call, and return its error."""
    stopped = threading.Event()
    errors: list[GeneratorStopped] = []

    def call() -> None:
        try:
            client.result(client.start(order()), order(), stopped.is_set)
        except GeneratorStopped as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    until(lambda: fake.current_task is not None, "the picture is being drawn")
    stopped.set()
    thread.join(20)
    [error] = errors
    return error


def test_an_abandoned_picture_is_interrupted(fake: FakeSdapi, generator: Generator) -> None:
    fake.hold()
    draw_until_stopped(generator, fake)
    until(lambda: fake.in_flight == 0, "the server is free")
    assert fake.counts["interrupted"] == 1


def test_a_picture_that_takes_too_long_is_interrupted(fake: FakeSdapi) -> None:
    fake.hold()
    client = Sdapi(fake.address, draw_timeout_s=1.0)
    with pytest.raises(GeneratorUnavailable) as caught:
        make(client, order())
    client.close()
    assert caught.value.code == "generator_timeout"
    assert fake.counts["interrupted"] == 1


def test_pictures_of_others_are_not_interrupted(fake: FakeSdapi, generator: Generator) -> None:
    """Somebody else's picture is drawn, and this one waits behind it."""
    other = connect(fake.address)
    results: list[Result] = []
    fake.hold()
    thread = threading.Thread(target=lambda: results.append(make(other, order())))
    thread.start()
    until(lambda: fake.current_task is not None, "the other picture is being drawn")
    stopped = threading.Event()
    waiting = threading.Thread(target=lambda: _stopped(generator, stopped))
    waiting.start()
    until(lambda: fake.in_flight == 2, "this picture waits")
    stopped.set()
    waiting.join(20)
    generator.cancel("easel-0000")
    assert fake.counts["interrupted"] == 0
    fake.release()
    thread.join(20)
    other.close()
    assert len(results) == 1


def _stopped(client: Generator, stopped: threading.Event) -> None:
    with pytest.raises(GeneratorStopped):
        client.result(client.start(order()), order(), stopped.is_set)


def test_cancel_interrupts_the_task_of_another_process(fake: FakeSdapi, generator: Generator) -> None:
    fake.hold()
    remote_id = generator.start(order())
    drawing = threading.Thread(target=lambda: generator.result(remote_id, order()))
    drawing.start()
    until(lambda: fake.current_task == remote_id, "the picture is being drawn")
    other = connect(fake.address)
    other.cancel(remote_id)
    other.close()
    drawing.join(20)
    assert fake.counts["interrupted"] == 1


@pytest.mark.parametrize("alone", [False, True])
def test_a_server_that_names_no_task_is_interrupted_only_where_it_is_easels_alone(alone: bool) -> None:
    with FakeSdapi(max_in_flight=1, options={"alone": "1"} if alone else {}) as fake:
        fake.names_task = False
        (address,) = parse_addresses(fake.setting)
        client = connect(address)
        fake.hold()
        draw_until_stopped(client, fake)
        assert fake.counts["interrupted"] == alone
        client.cancel("easel-0000")
        assert fake.counts["interrupted"] == alone
        client.close()


def test_a_server_of_easels_alone_has_one_place() -> None:
    with pytest.raises(ValueError, match="alone"):
        parse_addresses("sdapi+http://127.0.0.1:1?alone=1&max_in_flight=2")


def test_a_picture_that_was_interrupted_by_others_is_lost(fake: FakeSdapi, generator: Generator) -> None:
    fake.answer = lambda method, path, fields: (200, {"images": [], "info": "{}"})  # type: ignore[method-assign]
    with pytest.raises(GeneratorBroken) as caught:
        make(generator, order())
    assert (caught.value.code, caught.value.lasting) == ("generator_wrong_image_count", False)


def test_pictures_of_extensions_are_left_out(fake: FakeSdapi, generator: Generator) -> None:
    usual = fake.answer

    def with_a_mask(method: str, path: str, fields: dict[str, object]) -> tuple[int, object]:
        status, value = usual(method, path, fields)
        value["images"].append(value["images"][0][::-1])
        return status, value

    fake.answer = with_a_mask  # type: ignore[method-assign]
    assert len(decoded(make(generator, order()))) == 1
