"""One suite for a real server of OpenAI's Images API and the fake: Aquiles-Image without a model.

It runs where its program is installed, or where EASEL_TEST_AQUILES names it:

    pip install aquiles-image    # with torch, several gigabytes

`serve --no-load-model` answers every request with one picture in the requested size, and checks requests as always.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from local.ports import free_port
from shared.generators import connect
from shared.generators.addresses import GeneratorAddress, parse_addresses
from shared.generators.base import GenerationRequest, Generator, GeneratorRefused, GeneratorUnavailable
from shared.testing.fake_openai import FakeOpenAi
from tests.support.exchange import decoded, make
from tests.support.orders import order
from tests.support.processes import started
from tests.support.replies import saved
from tests.support.waiting import until

PROGRAM = os.environ.get("EASEL_TEST_AQUILES") or shutil.which("aquiles-image")
MODEL = "black-forest-labs/FLUX.2-dev"
KEY = "k-3f9a"
START_LIMIT_S = 120

SIZES = [(256, 256), (512, 512), (1024, 1024), (1536, 1024), (1024, 1792)]
LONGEST_PROMPT = 1000


@pytest.fixture(scope="module", params=["fake", "aquiles"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GeneratorAddress]:
    if request.param == "aquiles":
        with aquiles_image(tmp_path_factory.mktemp("aquiles")) as address:
            yield address
        return
    with FakeOpenAi(owner="custom", model=MODEL, default_format="url", errors="detail") as fake:
        fake.sizes = frozenset(f"{width}x{height}" for width, height in SIZES)
        fake.longest_prompt, fake.key = LONGEST_PROMPT, KEY
        yield replace(fake.address, key=KEY)


@contextmanager
def aquiles_image(home: Path) -> Iterator[GeneratorAddress]:
    """Start the server; yield its address."""
    if PROGRAM is None:
        pytest.skip("the program aquiles-image is not installed, and EASEL_TEST_AQUILES does not name it")
    (home / "picture.png").write_bytes(saved("PNG", 640, 480, (10, 200, 30)))
    port = free_port()
    [address] = parse_addresses(f"openai+http://127.0.0.1:{port}?key_env=AQUILES_KEY")
    address = replace(address, key=KEY)
    command = [PROGRAM, "serve", "--no-load-model", "--model", MODEL, "--api-key", KEY]
    own = {"HOME": str(home), "DEV_IMAGE_PATH": str(home / "picture.png")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | own
    with (
        (home / "log").open("wb") as log,
        started([*command, "--host", "127.0.0.1", "--port", str(port)], env=environment, stdout=log, stderr=log),
    ):
        client = connect(address)
        until(lambda: answers(client), "the server's start", START_LIMIT_S)
        client.close()
        yield address


def answers(client: Generator) -> bool:
    try:
        client.health()
    except GeneratorUnavailable:
        return False
    return True


def test_it_is_recognised(generator: Generator) -> None:
    health = generator.health()
    assert (health.engine, health.follows) == (f"Aquiles-Image: {MODEL}", frozenset())


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_size_that_it_makes(generator: Generator, width: int, height: int) -> None:
    [image] = decoded(make(generator, order(width=width, height=height)))
    assert image.size == (width, height)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_several_pictures(generator: Generator, n: int) -> None:
    images = decoded(make(generator, order(n=n, width=256, height=256)))
    assert [image.size for image in images] == [(256, 256)] * n


def test_a_prompt_in_any_script(generator: Generator) -> None:
    for prompt in ("маяк 🌅 a=b&c", "漢" * LONGEST_PROMPT):
        assert len(make(generator, order(prompt=prompt, width=256, height=256)).images) == 1


def test_start_pictures(generator: Generator) -> None:
    sources = tuple(saved("PNG", 256, 256, (shade, 0, 0)) for shade in (10, 20))
    images = decoded(make(generator, order(n=3, width=512, height=512, source_images=sources)))
    assert [image.size for image in images] == [(512, 512)] * 3


@pytest.mark.parametrize(
    ("wanted", "field"),
    [(order(), "size"), (order(prompt="x" * (LONGEST_PROMPT + 1), width=256, height=256), "prompt")],
    ids=["a size that it does not make", "a long prompt"],
)
def test_a_refusal_names_the_field(generator: Generator, wanted: GenerationRequest, field: str) -> None:
    with pytest.raises(GeneratorRefused) as caught:
        make(generator, wanted)
    assert f"It names: {field}" in caught.value.message


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_wrong_key_is_reported(address: GeneratorAddress, key: str) -> None:
    client = connect(replace(address, key=key))
    with pytest.raises(GeneratorUnavailable) as caught:
        client.health()
    client.close()
    assert caught.value.code == "generator_misconfigured"
