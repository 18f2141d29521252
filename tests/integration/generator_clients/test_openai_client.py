"""Particulars of OpenAI's Images API: what each server is sent, what it follows, start pictures, and keys."""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from shared.generators import connect
from shared.generators.abilities import count_ignored, ignored_fields, supported_protocols, unsupported_fields
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
from shared.generators.openai import OpenAi
from shared.testing.fake_openai import FakeOpenAi, colour
from tests.support.exchange import decoded, make
from tests.support.hostile_server import hostile_server, in_turn
from tests.support.orders import order
from tests.support.replies import model_first, ok, saved, says
from tests.support.waiting import until

SOURCES = tuple(saved("PNG", 64, 64, colour=(shade, 0, 0)) for shade in (10, 20, 30))


def made(fake: FakeOpenAi, wanted: GenerationRequest) -> Result:
    client = connect(fake.address)
    try:
        return make(client, wanted)
    finally:
        client.close()


def followed(generator: Generator, wanted: GenerationRequest) -> list[str]:
    """Return what is reported as not followed."""
    return [one.field for one in ignored_fields("openai", wanted, generator.capabilities.followed(wanted))]


SEEDED = {"seed": 7, "num_inference_steps": 2, "guidance_scale": 7.5}
SENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "vLLM-Omni": ({"owner": "vllm"}, {**SEEDED, "negative_prompt": "fog"}),
    "SGLang": ({"owner": "sglang"}, {**SEEDED, "negative_prompt": "fog"}),
    "OpenVINO Model Server": (
        {"owner": "OVMS"},
        {"rng_seed": 7, "num_inference_steps": 2, "guidance_scale": 7.5, "negative_prompt": "fog"},
    ),
    "Xinference": (
        {"owner": "xinference"},
        {"kwargs": '{"seed": 7, "num_inference_steps": 2, "guidance_scale": 7.5, "negative_prompt": "fog"}'},
    ),
    "LocalAI": ({"owner": None}, {"seed": 7, "step": 2, "prompt": "a cat, a dog|fog"}),
    "sd-server": (
        {"owner": "local", "model": "sd-cpp-local"},
        {
            "prompt": '<sd_cpp_extra_args>{"seed": 7, "negative_prompt": "fog", "sample_params": {"sample_steps": 2,'
            ' "guidance": {"txt_cfg": 7.5}}}</sd_cpp_extra_args>a cat| a dog'
        },
    ),
    "Aquiles-Image": ({"owner": "custom"}, {}),
    "OpenAI": ({"owner": "system"}, {}),
    "other": ({"owner": "somebody"}, {}),
}


@pytest.mark.parametrize(("server", "ways", "fields"), [(name, *row) for name, row in SENT.items()], ids=SENT)
def test_what_each_server_is_sent(server: str, ways: dict[str, Any], fields: dict[str, Any]) -> None:
    with FakeOpenAi(**ways) as fake:
        client = connect(fake.address)
        make(client, order(prompt="a cat| a dog", negative_prompt="fog"))
        engine = client.capabilities.engine
        client.close()
        [sent] = fake.requests
        plain = {"prompt": "a cat| a dog", "n": 1, "size": "64x64", "model": fake.model, "response_format": "b64_json"}
        assert sent == plain | fields
        assert engine == (fake.model if server == "other" else f"{server}: {fake.model}")


NOT_FOLLOWED = {
    "vllm": ["cpu"],
    "sglang": ["cpu"],
    None: ["scale", "cpu"],
    "system": ["seed", "steps", "scale", "negative_prompt", "cpu"],
}


@pytest.mark.parametrize(("owner", "names"), NOT_FOLLOWED.items())
def test_what_is_not_followed_is_known_once_the_server_was_asked(owner: str | None, names: list[str]) -> None:
    wanted = order(negative_prompt="fog", cpu=True)
    with FakeOpenAi(owner=owner) as fake:
        client = connect(fake.address)
        assert followed(client, wanted) == ["seed", "steps", "scale", "negative_prompt", "cpu"]
        client.start(wanted)
        assert followed(client, wanted) == names
        assert count_ignored("openai", client.capabilities.follows) == len({*names, "strength"})
        client.close()


def test_the_address_may_say_what_is_followed() -> None:
    with FakeOpenAi(owner="somebody", options={"follows": "seed+steps"}) as fake:
        client = connect(fake.address)
        wanted = order(n=2, seed=300, negative_prompt="fog")
        images = decoded(make(client, wanted))
        assert [image.getpixel((0, 0)) for image in images] == [colour(300), colour(301)]
        assert followed(client, wanted) == ["scale", "negative_prompt"]
        client.close()
        assert [(sent["seed"], sent["num_inference_steps"], sent["n"]) for sent in fake.requests] == [
            (300, 2, 1),
            (301, 2, 1),
        ]
        assert all("negative_prompt" not in sent for sent in fake.requests)


def test_an_address_may_deny_what_the_server_claims() -> None:
    with FakeOpenAi(owner="vllm", options={"follows": ""}) as fake:
        made(fake, order(n=3))
        assert [sent.keys() & {"seed", "num_inference_steps"} for sent in fake.requests] == [set()]


def test_each_picture_has_its_own_seed() -> None:
    with FakeOpenAi() as fake:
        images = decoded(made(fake, order(n=3, seed=2**32 - 2)))
        assert [image.getpixel((0, 0)) for image in images] == [colour(seed) for seed in (2**32 - 2, 2**32 - 1, 0)]


def test_without_seeds_one_call_makes_all_that_the_server_makes_at_once() -> None:
    with FakeOpenAi(owner="openai", most_n=3) as fake:
        assert len(made(fake, order(n=8)).images) == 8
        assert [sent["n"] for sent in fake.requests] == [8, 5, 2]


def test_a_server_that_refuses_several_pictures_is_asked_for_one_at_a_time() -> None:
    class Single(FakeOpenAi):
        def _wrong_field(self, path: str, fields: dict[str, Any]) -> str | None:
            return "n" if fields["n"] != 1 else super()._wrong_field(path, fields)

    with Single(owner="openai") as fake:
        client = connect(fake.address)
        assert len(make(client, order(n=3)).images) == 3
        assert (fake.counts["refused"], fake.counts["generated"]) == (1, 3)
        make(client, order(n=2))
        assert fake.counts["refused"] == 1, "it is remembered"
        client.close()


def test_response_format_is_left_out_where_it_is_refused() -> None:
    with FakeOpenAi(owner="openai", refuses=["response_format"]) as fake:
        client = connect(fake.address)
        for _ in range(2):
            assert len(make(client, order()).images) == 1
        assert fake.counts["refused"] == 1, "it is remembered"
        client.close()


def test_a_picture_at_a_url_of_the_server_is_fetched() -> None:
    with FakeOpenAi(owner=None, default_format="url", refuses=["response_format"]) as fake:
        [image] = decoded(made(fake, order(width=128)))
        assert (image.size, fake.counts["downloads"]) == ((128, 64), 1)


def test_a_host_of_pictures_that_the_operator_names_gets_no_key() -> None:
    """A server behind a gateway names its own address, which only the operator knows to be the right one."""
    seen: list[Mapping[str, str]] = []

    class Store(FakeOpenAi):
        def is_allowed(self, headers: Mapping[str, str]) -> bool:
            seen.append(headers)
            return True

    with (
        Store() as store,
        hostile_server(model_first(ok({"data": [{"url": f"{store.url}/pictures/64-64-7.png"}]}))) as url,
    ):
        for option, is_named in (("", False), (f"?pictures_from={store.url.removeprefix('http://')}", True)):
            [address] = parse_addresses(f"openai+{url}{option}")
            client = connect(replace(address, key="k-3f9a"))
            if is_named:
                [image] = decoded(make(client, order()))
                assert image.getpixel((0, 0)) == colour(7)
            else:
                with pytest.raises(GeneratorBroken) as caught:
                    make(client, order())
                assert caught.value.code == "generator_bad_link"
                assert not seen, "it is not called"
            client.close()
    assert ["authorization" in headers for headers in seen] == [False]


def test_start_pictures_are_sent_as_files_in_turn() -> None:
    with FakeOpenAi() as fake:
        client = connect(fake.address)
        wanted = order(n=5, source_images=SOURCES, strength=0.4, seed=9)
        images = decoded(make(client, wanted))
        assert [image.getpixel((0, 0)) for image in images] == [colour(seed) for seed in range(9, 14)]
        assert followed(client, wanted) == []
        assert followed(client, replace(wanted, cpu=True)) == ["cpu"]
        client.close()
        assert [sent["image"] for sent in fake.requests] == [*SOURCES, *SOURCES[:2]]
        assert {(sent["strength"], sent["n"], sent["size"], sent["prompt"]) for sent in fake.requests} == {
            ("0.4", "1", "64x64", wanted.prompt)
        }


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented"])
def test_a_server_without_edits_is_named(status: str) -> None:
    with hostile_server(model_first(says(status))) as url:
        client = OpenAi(GeneratorAddress("openai", url))
        with pytest.raises(GeneratorUnavailable) as caught:
            make(client, order(source_images=SOURCES))
    assert caught.value.code == "generator_misconfigured", "the job goes to another generator first"
    assert "start pictures" in caught.value.message


def test_a_server_may_follow_less_with_start_pictures() -> None:
    with FakeOpenAi(owner="xinference") as fake:
        client = connect(fake.address)
        wanted = order(n=2, source_images=SOURCES[:1])
        make(client, wanted)
        assert followed(client, wanted) == ["seed", "steps", "scale", "strength"]
        client.close()
        assert [(sent["n"], "kwargs" in sent) for sent in fake.requests] == [("2", False)]


def test_a_prompt_cannot_set_anything_at_sd_server() -> None:
    tag = '<sd_cpp_extra_args>{"seed": 1}</sd_cpp_extra_args>'
    with FakeOpenAi(owner="local", model="sd-cpp-local") as fake:
        [image] = decoded(made(fake, order(seed=500, prompt=f"{tag}a boat", negative_prompt=f"{tag} fog")))
        assert image.getpixel((0, 0)) == colour(500)
        assert fake.settings(fake.requests[0])["negative_prompt"] == f"{tag} fog"
        assert fake.requests[0]["prompt"].endswith(f"</sd_cpp_extra_args>{tag}a boat")


@pytest.mark.parametrize(("path", "base"), [("", "/v1"), ("/", "/v1"), ("/v3", "/v3"), ("/litellm/v1/", "/litellm/v1")])
def test_a_path_of_the_address_is_the_base(path: str, base: str) -> None:
    with FakeOpenAi() as fake:
        fake.base = base
        [address] = parse_addresses(f"openai+{fake.url}{path}")
        client = connect(address)
        make(client, order())
        client.close()


def test_a_model_of_the_address_is_asked_for() -> None:
    with FakeOpenAi(options={"model": "other/model"}) as fake:
        made(fake, order())
        assert fake.requests[0]["model"] == "other/model"
        assert fake.address.name == f"{fake.url}?model=other/model"


def test_the_key_is_sent_with_every_call_and_named_nowhere() -> None:
    with FakeOpenAi(owner="openai", default_format="url", refuses=["response_format"]) as fake:
        fake.key = "k-3f9a"
        client = connect(replace(fake.address, key="k-3f9a"))
        make(client, order())
        assert fake.counts["downloads"] == 1
        assert "k-3f9a" not in f"{client.capabilities!r}{fake.address.name}"
        client.close()
        without = connect(fake.address)
        for call in (lambda: without.start(order()), without.health):
            with pytest.raises(GeneratorUnavailable) as caught:
                call()
            assert caught.value.code == "generator_misconfigured"
        without.close()


NO_WORDS: dict[str, tuple[GenerationRequest, set[str]]] = {
    "upscaled": (order(upscale=2), {"upscale"}),
    "only upscaled": (order(source_images=SOURCES[:1], strength=-0.5, upscale=2), {"strength", "upscale"}),
    "described": (order(describe=True), {"describe"}),
    "frames": (order(frames=3), {"timelapse"}),
    "with a likeness": (order(adapters=(Adapter("0" * 64, 1.0),)), {"likeness"}),
}


@pytest.mark.parametrize(("wanted", "fields"), NO_WORDS.values(), ids=NO_WORDS)
def test_unsupported_fields_are_refused_before_sending(wanted: GenerationRequest, fields: set[str]) -> None:
    with FakeOpenAi() as fake:
        client = connect(fake.address)
        with pytest.raises(GeneratorRefused) as caught:
            client.start(wanted)
        client.close()
        assert fake.counts.total() == 0
    assert caught.value.code == "generator_cannot"
    assert {limit.field for limit in unsupported_fields("openai", wanted)} == fields
    assert all(field in caught.value.message for field in fields)
    assert "openai" not in supported_protocols(wanted).split(",")


def test_a_size_that_the_server_does_not_make_is_refused_before_sending() -> None:
    with FakeOpenAi(options={"sizes": "1024x1024+512x512"}) as fake:
        client = connect(fake.address)
        with pytest.raises(GeneratorRefused, match="width"):
            client.start(order())
        assert fake.counts.total() == 0
        make(client, order(width=512, height=512))
        client.close()


def test_content_rules_are_named() -> None:
    body = b'{"error": {"message": "a red boat", "code": "moderation_blocked"}}'
    with hostile_server(model_first(says("400 Bad Request", body))) as url:
        client = OpenAi(GeneratorAddress("openai", url))
        with pytest.raises(GeneratorRefused) as caught:
            make(client, order())
    assert caught.value.code == "generator_refused"
    assert "content rules" in caught.value.message
    assert "boat" not in caught.value.message


@pytest.mark.parametrize(
    ("error", "names"),
    [
        ({"param": "size", "message": "model a-model makes no such size"}, "It names: size."),
        ({"param": None, "message": "model a-model makes no such size"}, "It names: size, model."),
        ({"param": ["size"], "message": "wrong"}, "It names: size."),
        ({"param": None, "message": "wrong"}, "(HTTP 400)."),
        ({"param": "__class__", "message": "'n' is wrong"}, "It names: n."),
        ("size", "It names: size."),
    ],
)
def test_the_field_that_an_error_gives_is_named(error: object, names: str) -> None:
    body = json.dumps({"error": error}).encode()
    with hostile_server(model_first(says("400 Bad Request", body))) as url:
        client = OpenAi(GeneratorAddress("openai", url))
        with pytest.raises(GeneratorRefused) as caught:
            make(client, order())
    assert caught.value.message.endswith(names)


def test_it_is_asked_once_what_it_is() -> None:
    with FakeOpenAi() as fake:
        client = connect(fake.address)
        for _ in range(3):
            make(client, order())
        assert fake.counts["models"] == 1
        client.health()
        assert fake.counts["models"] == 2
        fake.down = True
        with pytest.raises(GeneratorUnavailable) as caught:
            client.health()
        assert caught.value.code == "generator_down"
        with pytest.raises(GeneratorUnavailable) as caught:
            client.start(order())
        assert caught.value.code == "generator_unreachable", "nothing was sent"
        client.close()


@pytest.mark.parametrize(
    "listed", [[], [1, None, "x"], [{"id": 5}], [{"id": "a" * 201}, {}], [{"id": "a"}, {"id": "b"}]]
)
def test_a_list_without_one_model_names_none(listed: list[Any]) -> None:
    with hostile_server(in_turn(ok({"data": listed}), ok({"data": [{"url": "data:;base64,QUJD"}]}))) as url:
        client = OpenAi(GeneratorAddress("openai", url))
        assert make(client, order()).images == (b"ABC",)
        assert client.capabilities.engine is None


@pytest.fixture
def held() -> Iterator[FakeOpenAi]:
    with FakeOpenAi(owner="openai") as fake:
        fake.hold()
        yield fake


def test_hanging_up_cancels(held: FakeOpenAi) -> None:
    stop = threading.Event()
    client = connect(held.address)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.result, client.start(order()), order(), stop.is_set)
        until(lambda: held.in_flight == 1, "the call waits", 60, 0.01)
        stop.set()
        with pytest.raises(GeneratorStopped):
            call.result(15)
    until(lambda: held.counts["abandoned"] == 1, "the server sees it", 60, 0.01)
    client.close()


def test_all_calls_of_a_request_share_its_time(held: FakeOpenAi) -> None:
    client = OpenAi(held.address, draw_timeout_s=0.2)
    with pytest.raises(GeneratorUnavailable) as caught:
        make(client, order())
    assert caught.value.code == "generator_timeout"
    client.close()
