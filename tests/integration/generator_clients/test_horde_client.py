"""Particulars of the AI Horde: the requests, what becomes of them, accounts, and pictures behind links."""

import base64
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from shared.generators import connect
from shared.generators.abilities import ignored_fields, unsupported_fields
from shared.generators.adapters import Adapter
from shared.generators.addresses import GeneratorAddress, parse_addresses
from shared.generators.base import (
    ForgottenId,
    GenerationRequest,
    Generator,
    GeneratorBroken,
    GeneratorRefused,
    GeneratorUnavailable,
    Phase,
    Progress,
)
from shared.generators.horde import Horde
from shared.generators.picture_links import PictureLinks
from shared.testing.fake_horde import FakeHorde, colour
from tests.support.exchange import make
from tests.support.hostile_server import hostile_server
from tests.support.orders import order
from tests.support.replies import ok, says
from tests.support.replies_horde import made, told


@pytest.fixture
def fake() -> Iterator[FakeHorde]:
    with FakeHorde() as fake:
        yield fake


@pytest.fixture
def address(fake: FakeHorde) -> GeneratorAddress:
    return fake.address


def pictures(images: tuple[bytes, ...]) -> list[Image.Image]:
    found = []
    for data in images:
        with Image.open(io.BytesIO(data), formats=["PNG", "WEBP"]) as image:
            found.append(image.convert("RGB"))
    return found


def is_near(image: Image.Image, shade: tuple[int, int, int]) -> bool:
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return max(abs(one - other) for one, other in zip(found, shade, strict=True)) < 8


def source(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def test_the_request_that_is_sent(fake: FakeHorde, generator: Generator) -> None:
    make(generator, order(prompt="закат & 🌅", n=2, negative_prompt="fog", height=128))
    [sent] = fake.requests
    assert sent == {
        "prompt": "закат & 🌅 ### fog",
        "params": {
            "width": 64,
            "height": 128,
            "n": 2,
            "steps": 2,
            "cfg_scale": 7.5,
            "seed": "7",
            "seed_variation": 1,
        },
        "models": [],
        "nsfw": False,
        "censor_nsfw": True,
        "r2": True,
        "shared": False,
        "apikey": "0000000000",
        "client_agent": "easel:1:unknown",
    }


def test_what_the_address_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeHorde(options={"model": "Deliberate", "sampler": "k_euler", "nsfw": "1"}) as fake:
        (address,) = parse_addresses(fake.setting)
        client = connect(GeneratorAddress("horde", address.url, options=address.options, key="key"))
        result = make(client, order(upscale=4, source_images=(source(64, 64),), strength=0.0))
        assert client.health().engine == "1000 kudos left"
        client.close()
        [sent] = fake.requests
    assert (sent["apikey"], sent["models"], sent["nsfw"], sent["censor_nsfw"]) == ("key", ["Deliberate"], True, False)
    assert sent["params"]["sampler_name"] == "k_euler"
    assert sent["params"]["post_processing"] == ["RealESRGAN_x4plus"]
    assert (sent["source_processing"], sent["params"]["denoising_strength"]) == ("img2img", 0.01)
    assert base64.b64decode(sent["source_image"]) == source(64, 64)
    assert result.engine == "Deliberate"


@pytest.mark.parametrize(
    ("prompt", "negative_prompt", "sent"),
    [
        ("a boat", "", "a boat"),
        ("a boat ### a lake", "", "a boat ## a lake"),
        ("a boat #######", "### fog", "a boat ## ### ## fog"),
        ("a #1 boat", "fog", "a #1 boat ### fog"),
    ],
)
def test_the_users_words_do_not_part_the_prompts(
    fake: FakeHorde, generator: Generator, prompt: str, negative_prompt: str, sent: str
) -> None:
    generator.start(order(prompt=prompt, negative_prompt=negative_prompt))
    assert fake.requests[-1]["prompt"] == sent


@pytest.mark.parametrize("links", [False, True])
def test_pictures_keep_the_order_of_the_seeds(fake: FakeHorde, generator: Generator, links: bool) -> None:
    fake.links = links
    result = make(generator, order(n=3))
    assert all(is_near(image, colour(7 + index)) for index, image in enumerate(pictures(result.images)))
    assert fake.counts["fetched"] == (3 if links else 0)
    assert result.engine == "stable_diffusion"


def test_sizes_between_multiples_of_64_are_cut_out(fake: FakeHorde, generator: Generator) -> None:
    [image] = pictures(make(generator, order(width=768, height=432)).images)
    assert image.size == (768, 432)
    [image] = pictures(make(generator, order(width=72, height=64, upscale=2)).images)
    assert image.size == (144, 128)
    sizes = [(sent["params"]["width"], sent["params"]["height"]) for sent in fake.requests]
    assert sizes == [(768, 448), (128, 64)]


def test_the_progress_that_is_reported() -> None:
    with FakeHorde(polls=2) as fake:
        client = connect(fake.address)
        remote_id = client.start(order())
        phases = [client.status(remote_id) for _ in range(3)]
        client.close()
    assert phases == [Progress(Phase.QUEUED, position=1), Progress(Phase.PROCESSING), Progress(Phase.FINISHED)]


def test_a_part_of_several_pictures_is_a_fraction() -> None:
    answer = {"finished": 1, "processing": 2, "waiting": 1, "done": False}
    with hostile_server(ok(answer)) as url:
        client = connect(GeneratorAddress("horde", url))
        assert client.status("17") == Progress(Phase.PROCESSING, fraction=0.25)


def test_a_faulted_request_has_failed(fake: FakeHorde, generator: Generator) -> None:
    fake.faulted = True
    assert generator.status(generator.start(order())).phase == Phase.FAILED


def test_a_request_that_no_worker_can_make_is_taken_back(fake: FakeHorde, generator: Generator) -> None:
    fake.possible = False
    remote_id = generator.start(order())
    with pytest.raises(GeneratorBroken, match="No worker") as caught:
        generator.status(remote_id)
    assert (caught.value.code, caught.value.lasting) == ("generator_impossible", False)
    assert (fake.counts["cancelled"], fake.in_flight) == (1, 0)


def test_censored_pictures_are_counted(fake: FakeHorde, generator: Generator) -> None:
    fake.censored = 2
    with pytest.raises(GeneratorRefused, match="withheld 2 of the pictures") as caught:
        make(generator, order(n=3))
    assert caught.value.code == "generator_censored"


def test_missing_kudos_are_named(fake: FakeHorde, generator: Generator) -> None:
    fake.price = 24.5
    with pytest.raises(GeneratorRefused, match=r"24\.5 kudos in advance.*\(KudosUpfront\)") as caught:
        generator.start(order())
    assert caught.value.code == "generator_no_kudos"


def test_a_busy_horde_is_asked_again_later(fake: FakeHorde, generator: Generator) -> None:
    fake.busy = True
    with pytest.raises(GeneratorUnavailable) as caught:
        generator.start(order())
    assert caught.value.code == "generator_busy"


def test_a_request_that_expired_is_forgotten(fake: FakeHorde, generator: Generator) -> None:
    remote_id = generator.start(order())
    fake.restart()
    for call in (lambda: generator.status(remote_id), lambda: generator.result(remote_id, order())):
        with pytest.raises(ForgottenId):
            call()


def test_a_refusal_repeats_no_prompt() -> None:
    for reply in (told("CorruptPrompt", "see: a red boat"), says("400 Bad Request", b'{"errors": {"width": "boat"}}')):
        with hostile_server(reply) as url, pytest.raises(GeneratorRefused) as caught:
            connect(GeneratorAddress("horde", url)).start(order())
        assert "boat" not in caught.value.message
        assert "CorruptPrompt" in caught.value.message or "width" in caught.value.message


def test_health_knows_an_account_from_a_wrong_key(fake: FakeHorde) -> None:
    for key, engine in (("", None), ("key", "1000 kudos left")):
        client = connect(GeneratorAddress("horde", fake.url, key=key))
        assert client.health().engine == engine
        client.close()
    client = connect(GeneratorAddress("horde", fake.url, key="another"))
    with pytest.raises(GeneratorUnavailable, match="no account") as caught:
        client.health()
    client.close()
    assert caught.value.code == "generator_misconfigured"


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        (order(width=65), ["width"]),
        (order(upscale=3), ["upscale"]),
        (order(upscale=4, width=1024, height=1024), []),
        (order(source_images=(source(64, 64),) * 2), ["source_images"]),
        (order(source_images=(source(64, 64),), width=72), ["width"]),
        (order(source_images=(source(64, 64),), strength=-1.5), ["strength"]),
        (order(describe=True), ["describe"]),
        (order(frames=2), ["timelapse"]),
        (order(adapters=(Adapter("0" * 64, 1.0),)), ["likeness"]),
    ],
)
def test_limits_of_the_protocol(wanted: GenerationRequest, fields: list[str]) -> None:
    assert [limit.field for limit in unsupported_fields("horde", wanted)] == fields


def test_the_seed_is_followed_only_where_the_operator_says_so() -> None:
    for follows, ignored in (("", ["seed"]), ("?follows=seed", [])):
        (address,) = parse_addresses(f"horde+https://horde.example.com{follows}")
        client = connect(address)
        found = [one.field for one in ignored_fields("horde", order(), client.capabilities.follows)]
        client.close()
        assert found == ignored


# Links to pictures.


def links(address: GeneratorAddress) -> PictureLinks:
    return PictureLinks(address, connect_timeout_s=3)


def test_a_link_is_fetched_without_the_key(fake: FakeHorde) -> None:
    fake.links = True
    seen: list[dict[str, Any]] = []
    usual = fake.is_allowed

    def watch(headers: Any) -> bool:
        seen.append(dict(headers))
        return usual(headers)

    fake.is_allowed = watch  # type: ignore[method-assign]
    client = connect(GeneratorAddress("horde", fake.url, key="key"))
    make(client, order())
    client.close()
    assert ["apikey" in headers for headers in seen] == [True, True, True, False]


def test_a_host_that_the_operator_names(fake: FakeHorde) -> None:
    with hostile_server(ok(b"picture")) as store:
        place = store.removeprefix("http://")
        link = f"{store}/x.webp?signature=y"
        (address,) = parse_addresses(f"horde+{fake.url}?pictures_from={place}")
        assert links(address).fetch(link, 100, timeout_s=3) == b"picture"
        with pytest.raises(GeneratorBroken) as caught:
            links(fake.address).fetch(link, 100, timeout_s=3)
    assert caught.value.code == "generator_bad_link"


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (says("302 Found", b"", "Location: http://127.0.0.1:1/"), "generator_bad_link"),
        (says("403 Forbidden"), "generator_bad_link"),
        (says("404 Not Found"), "generator_bad_link"),
        (says("503 Service Unavailable"), "generator_down"),
        (ok(b""), "generator_empty"),
        (ok(b"x" * 200), "generator_too_large"),
    ],
)
def test_what_a_store_may_answer(reply: Any, code: str) -> None:
    with hostile_server(reply) as store, pytest.raises((GeneratorBroken, GeneratorUnavailable)) as caught:
        links(GeneratorAddress("horde", store)).fetch(f"{store}/x.webp", 100, timeout_s=3)
    assert caught.value.code == code


def test_a_public_store_is_not_looked_for_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the name service says of the store, an inner address is not even connected to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        inner = ("127.0.0.1", listener.getsockname()[1])
        answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", inner)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
        with pytest.raises(GeneratorBroken) as caught:
            links(GeneratorAddress("horde", "https://horde.example.com")).fetch(
                "https://a.r2.cloudflarestorage.com/x.webp", 100, timeout_s=3
            )
        with pytest.raises(TimeoutError):
            listener.accept()
    assert caught.value.code == "generator_bad_link"


@pytest.mark.parametrize("link_local", [False, True])
def test_nothing_is_sent_to_the_link_unless_the_operator_says_so(
    monkeypatch: pytest.MonkeyPatch, link_local: bool
) -> None:
    """Whatever the name service says of a generator, or of the host of its pictures."""
    asked: list[Any] = []
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)

    def connect(_socket: socket.socket, address: Any) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    options = (("pictures_from", "pictures.example.com"),)
    address = GeneratorAddress("horde", "http://gpu.example.com", options=options, link_local=link_local)
    client = Horde(address)
    with pytest.raises(GeneratorUnavailable) as caught:
        client.start(order())
    assert caught.value.code == "generator_unreachable"
    codes = set()
    for link in ("http://gpu.example.com/x.webp", "http://pictures.example.com/x.webp"):
        with pytest.raises((GeneratorBroken, GeneratorUnavailable)) as failed:
            links(address).fetch(link, 100, timeout_s=3)
        codes.add(failed.value.code)
    assert codes == ({"generator_unreachable"} if link_local else {"generator_bad_link"})
    assert asked == ([("169.254.169.254", 80)] * 3 if link_local else [])
    client.close()


def test_models_of_several_workers_are_all_named() -> None:
    picture = base64.b64encode(source(64, 64)).decode()
    generations = json.loads(json.dumps([{"img": picture, "model": name} for name in ("b", "a", "b", "\n", 7)]))
    with hostile_server(ok({"generations": generations})) as url:
        result = Horde(GeneratorAddress("horde", url)).result("17", order(n=5))
    assert result.engine == "a, b"
    with hostile_server(made(picture, model=None)) as url:
        assert Horde(GeneratorAddress("horde", url)).result("17", order()).engine is None
