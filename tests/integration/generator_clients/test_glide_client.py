"""Particulars of the Glide API: the request, cutting a sheet, and unsupported fields."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from shared.generators import connect
from shared.generators.abilities import (
    ADAPTED_SCENES,
    EXTENDED_KINDS,
    SCENES,
    all_kinds,
    describe,
    ignored_fields,
    kinds_for,
    nearest_limits,
    offers,
    protocols_of,
    supported_protocols,
    unsupported_fields,
)
from shared.generators.adapters import Adapter
from shared.generators.addresses import PROTOCOLS, GeneratorAddress
from shared.generators.base import GenerationRequest, GeneratorBroken, GeneratorRefused, GeneratorUnavailable
from shared.generators.scenes import EMPTY_SCENE
from shared.testing.fake_glide import FakeGlide, colour
from tests.support.exchange import decoded, make
from tests.support.orders import order
from tests.support.repeats import repeats
from tests.support.servers import GLIDES, Server


@pytest.fixture(scope="module", params=GLIDES)
def address(request: pytest.FixtureRequest) -> Iterator[GeneratorAddress]:
    server: Server = request.param
    with server() as address:
        yield address


@pytest.mark.parametrize("size", [64, 512, *repeats(128, 256, 1024)])
def test_every_size_of_the_protocol(address: GeneratorAddress, size: int) -> None:
    client = connect(address)
    [image] = decoded(make(client, order(width=size, height=size)))
    assert image.size == (size, size)
    client.close()


@pytest.mark.parametrize(("n", "columns"), [(1, None), (3, None), (8, None), (6, 3), (6, 2), (6, 1), (4, 2), (8, 4)])
def test_a_sheet_is_cut_row_by_row(n: int, columns: int | None) -> None:
    with FakeGlide(columns=columns) as fake:
        client = connect(fake.address)
        images = decoded(make(client, order(n=n, width=128, height=128)))
        client.close()
    assert [image.size for image in images] == [(128, 128)] * n
    assert [image.getcolors() for image in images] == [[(128 * 128, colour(index))] for index in range(n)]


def test_an_incomplete_sheet_is_no_grid() -> None:
    with FakeGlide(columns=2) as fake:
        client = connect(fake.address)
        with pytest.raises(GeneratorBroken) as caught:
            make(client, order(n=3))
        client.close()
    assert caught.value.code == "generator_wrong_sheet_size"
    assert "128x128" in caught.value.message


def test_the_request_that_is_sent() -> None:
    with FakeGlide() as fake:
        client = connect(fake.address)
        assert client.start(order()) == client.start(order(seed=8))
        assert fake.counts["received"] == 0, "start only checks the request"
        make(client, order(prompt="закат & 🌅 100%", n=2, scale=7.5, seed=9, negative_prompt="fog", cpu=True))
        client.close()
    [sent] = fake.requests
    assert sent == {"size": "64", "prompt": "закат & 🌅 100%", "batch_size": "2", "guidance_scale": "3.0"}


GLIDE, IMG_GENERATOR = (GeneratorAddress(protocol, "http://host") for protocol in ("glide", "img_generator"))
SOURCE = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (64).to_bytes(4, "big") * 2

NO_WORDS: dict[str, tuple[GenerationRequest, set[str]]] = {
    "widescreen": (order(width=768, height=432), {"width", "height"}),
    "unknown size": (order(width=72, height=72), {"width"}),
    "not square": (order(width=512, height=256), {"height"}),
    "too large": (order(width=2048, height=2048), {"width"}),
    "upscaled": (order(upscale=2), {"upscale"}),
    "from a picture": (order(source_images=(SOURCE,)), {"source_images"}),
    "only upscaled": (
        order(source_images=(SOURCE,), strength=-0.5, upscale=2),
        {"source_images", "strength", "upscale"},
    ),
    "described": (order(describe=True), {"describe"}),
    "frames": (order(frames=3), {"timelapse"}),
    "with a likeness": (order(adapters=(Adapter("0" * 64, 1.0),)), {"likeness"}),
}


@pytest.mark.parametrize(("wanted", "fields"), NO_WORDS.values(), ids=NO_WORDS)
def test_unsupported_fields_are_refused_before_sending(wanted: GenerationRequest, fields: set[str]) -> None:
    with FakeGlide() as fake:
        client = connect(fake.address)
        with pytest.raises(GeneratorRefused) as caught:
            client.start(wanted)
        client.close()
        assert fake.requests == fake.requests.__class__()
    assert caught.value.code == "generator_cannot"
    assert {limit.field for limit in unsupported_fields("glide", wanted)} == fields
    assert all(field in caught.value.message for field in fields)
    supported = protocols_of(supported_protocols(wanted))
    assert "img_generator" in supported
    assert "glide" not in supported
    assert nearest_limits([GLIDE, IMG_GENERATOR], wanted) == ()
    assert {limit.field for limit in nearest_limits([GLIDE], wanted)} == fields


def test_which_generators_support_a_request() -> None:
    assert supported_protocols(order()).split(",") == list(PROTOCOLS)
    assert {"img_generator", "glide", "img_generator,glide", "img_generator,openai,glide"} <= set(all_kinds())
    assert len(all_kinds()) == len(set(all_kinds())) == 2 ** len(PROTOCOLS) - 1 + len(EXTENDED_KINDS)
    assert set(kinds_for(frozenset({"glide"}))) == {kind for kind in all_kinds() if "glide" in kind.split(",")}
    assert kinds_for(frozenset()) == ()
    assert offers("img_generator", adapters=False, scenes=True) == ("img_generator", SCENES)
    assert ADAPTED_SCENES in offers("img_generator", adapters=True, scenes=True)
    assert offers("glide", adapters=True, scenes=True) == ("glide",)


def test_only_img_generator_makes_scenes() -> None:
    wanted = replace(order(), scene=EMPTY_SCENE)
    assert supported_protocols(wanted) == SCENES
    assert {limit.field for limit in nearest_limits([GLIDE], wanted)} >= {"place"}


def test_ignored_fields_are_listed() -> None:
    assert ignored_fields("img_generator", order(negative_prompt="fog", cpu=True)) == ()
    assert [setting.field for setting in ignored_fields("glide", order())] == ["seed", "steps"]
    everything = ignored_fields("glide", order(negative_prompt="fog", cpu=True))
    assert [setting.field for setting in everything] == ["seed", "steps", "negative_prompt", "cpu"]
    assert describe(everything) == (
        "This generator ignores the seed, the number of steps, the negative prompt and the choice of the"
        " processor: it does not support them."
    )


def test_a_server_that_is_down_is_unavailable() -> None:
    with FakeGlide() as fake:
        client = connect(fake.address)
        fake.down = True
        for call in (lambda: make(client, order()), client.health):
            with pytest.raises(GeneratorUnavailable) as caught:
                call()
            assert caught.value.code == "generator_down"
        fake.down = False
        client.health()
        assert fake.counts["received"] == 0, "a health check generates nothing"
        client.close()
