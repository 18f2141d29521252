"""Extensions of img_generator beyond the common protocol: the shipped fake and the reference service."""

import base64
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from shared.generators import connect, img_generator
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import (
    ForgottenId,
    GenerationRequest,
    Generator,
    GeneratorLoading,
    GeneratorUnavailable,
    Model,
    Phase,
)
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.exchange import decoded, finish, make
from tests.support.orders import order
from tests.support.servers import IMG_GENERATORS, Server


@pytest.fixture(scope="module", params=IMG_GENERATORS)
def address(request: pytest.FixtureRequest) -> Iterator[GeneratorAddress]:
    server: Server = request.param
    with server() as address:
        yield address


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "green").save(buffer, "PNG")
    return buffer.getvalue()


SOURCES = (png(64, 48), png(40, 80))

ORDERS = {
    "not square": order(upscale=1, width=72, height=64),
    "upscaled": order(n=2, upscale=2),
    "described": order(n=2, describe=True, blip_max_len=8, clip_max_len=2, skip_clip=True, skip_list=("artists",)),
    "from a picture": order(source_images=SOURCES[:1], strength=0.5),
    "upscaling only": order(source_images=SOURCES, strength=-0.5, upscale=2),
    "upscaling and no copy": order(source_images=SOURCES, strength=-2, upscale=2),
    "describing, with the copy": order(source_images=SOURCES, strength=-0.5, describe=True),
    "describing only": order(source_images=SOURCES, strength=-2, describe=True),
    "with frames": order(frames=2, steps=4),
}


@pytest.mark.parametrize("wanted", ORDERS.values(), ids=ORDERS)
def test_a_request_returns_what_it_promises(generator: Generator, wanted: GenerationRequest) -> None:
    result = make(generator, wanted)
    assert tuple(image.size for image in decoded(result)) == wanted.output_sizes
    assert len(result.images) == wanted.expected_images
    assert len(result.descriptions) == wanted.expected_descriptions
    assert len(result.frames) <= wanted.frames


def test_an_unknown_id_is_forgotten(generator: Generator) -> None:
    with pytest.raises(ForgottenId):
        generator.status("987654321")
    with pytest.raises(ForgottenId):
        generator.result("987654321", order())


def test_the_same_key_is_the_same_request(generator: Generator) -> None:
    assert generator.start(order(key="job-1-a")) == generator.start(order(key="job-1-a"))
    assert generator.start(order(key="job-1-b")) != generator.start(order(key="job-1-c"))


def test_health_lists_the_extensions(generator: Generator) -> None:
    capabilities = generator.health()
    assert capabilities.extensions == ALL_EXTENSIONS
    assert capabilities.engine


def test_a_cancelled_request_does_not_finish(generator: Generator) -> None:
    remote_id = generator.start(order(width=512, height=512, steps=150, n=8))
    generator.cancel(remote_id)
    assert finish(generator, remote_id) is Phase.FAILED


def test_progress_increases(generator: Generator) -> None:
    wanted = order(width=512, height=512, steps=20)
    remote_id = generator.start(wanted)
    seen = []
    for _ in range(5000):
        progress = generator.status(remote_id)
        if progress.phase is Phase.FINISHED:
            break
        seen.append(progress.fraction or 0.0)
    assert progress.phase is Phase.FINISHED
    assert seen == sorted(seen)
    assert all(0 <= fraction <= 1 for fraction in seen)


def test_threads_may_share_a_client(generator: Generator) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda number: generator.start(order(seed=number)), range(12)))
    assert len(set(ids)) == 12
    assert {finish(generator, remote_id) for remote_id in ids} == {Phase.FINISHED}


def test_nothing_is_sent_while_the_model_loads_and_it_is_asked_again() -> None:
    with FakeGenerator(extensions=ALL_EXTENSIONS) as fake:
        fake.loading_s = 40
        client = connect(fake.address)
        for _ in range(2):
            with pytest.raises(GeneratorLoading, match="is loading its model, which takes about 40 s"):
                client.start(order(key="k"))
        assert fake.counts["initiated"] == 0
        fake.loading_s = None
        client.start(order(key="k"))
        assert (fake.counts["initiated"], client.capabilities.loading_s) == (1, None)
        client.close()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("model is loading, about 40 s", 40), ("model is loading", 0), (True, None), (None, None), (["about 4 s"], None)],
)
def test_what_is_said_of_loading(monkeypatch: pytest.MonkeyPatch, said: object, seconds: float | None) -> None:
    with FakeGenerator(extensions=ALL_EXTENSIONS) as fake:
        monkeypatch.setattr(fake, "answer", lambda *_: (200, {"extensions": ["key"], "loading": said}))
        client = connect(fake.address)
        assert client.health().loading_s == seconds
        client.close()


MODEL = {"name": "m", "revision": "1f", "steps": 12, "scale": 3.0, "width": 64, "height": 128, "device": "cpu"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Model("m", "1f", 12, 3.0, 64, 128)),
        ({"revision": None, "scale": 0}, Model("m", "", 12, 0.0, 64, 128)),
        ({"name": ""}, None),
        ({"steps": 0}, None),
        ({"steps": 151}, None),
        ({"steps": True}, None),
        ({"scale": "3"}, None),
        ({"scale": 31}, None),
        ({"scale": True}, None),
        ({"width": 4096}, None),
        ({"height": 65}, None),
        ({"height": None}, None),
    ],
)
def test_only_a_model_whose_values_can_be_requested_counts(changes: dict[str, object], expected: Model | None) -> None:
    with FakeGenerator(extensions=ALL_EXTENSIONS) as fake:
        fake.model = MODEL | changes
        client = connect(fake.address)
        assert client.health().model == expected
        client.close()


def test_the_models_scheduler_is_the_sampler() -> None:
    with FakeGenerator(extensions=ALL_EXTENSIONS) as fake:
        client = connect(fake.address)
        fake.model = MODEL | {"scheduler": "ddim"}
        assert client.health().sampler == "ddim"
        fake.model = MODEL | {"scheduler": 3}
        assert client.health().sampler is None
        client.close()


def test_extensions_are_not_forgotten_when_a_proxy_does_not_find_health(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(img_generator, "FRESH_S", 0)
    with FakeGenerator(extensions=ALL_EXTENSIONS) as fake:
        client = connect(fake.address)
        client.health()
        with monkeypatch.context() as patch:
            patch.setattr(fake, "answer", lambda *_: (404, {}))
            with pytest.raises(GeneratorUnavailable, match="is gone"):
                client.start(order(key="k"))
            assert client.capabilities.extensions == ALL_EXTENSIONS
            patch.setattr(img_generator, "EXTENSIONS_KEPT_S", 0)  # a minute later
            assert client.health().extensions == frozenset()
        assert client.health().extensions == ALL_EXTENSIONS
        client.close()


def test_extensions_are_not_used_unless_offered() -> None:
    with FakeGenerator() as fake:
        client = connect(fake.address)
        client.start(order(key="job-1", frames=3))
        client.cancel("1")
        client.close()
        assert fake.requests[0].keys().isdisjoint({"key", "frames"})
        assert fake.counts["cancelled"] == 0


def test_the_request_that_is_sent() -> None:
    with FakeGenerator(extensions=["key", "frames"]) as fake:
        client = connect(fake.address)
        client.start(order(prompt="закат 🌅", key="k", frames=3))
        client.start(order(source_images=SOURCES[:1], strength=-2, describe=True, key="l"))
        client.close()
    assert fake.requests[0] == {
        "prompt": "закат 🌅",
        "ups": 1,
        "n": 1,
        "width": 64,
        "height": 64,
        "steps": 2,
        "scale": 7.5,
        "seed": 7,
        "key": "k",
        "frames": 3,
    }
    assert fake.requests[1] == {
        "ups": 1,
        "imgs": [base64.b64encode(SOURCES[0]).decode()],
        "strength": -2,
        "desc": True,
        "key": "l",
    }


def test_the_fake_follows_its_plans() -> None:
    plans = [Plan(polls=3), Plan(ending="error"), Plan(ending="forget")]
    with FakeGenerator(plans=plans) as fake:
        client = connect(fake.address)
        first, second, third = (client.start(order()) for _ in plans)
        phases = [client.status(first) for _ in range(4)]
        assert [progress.phase for progress in phases] == [
            Phase.QUEUED,
            Phase.PROCESSING,
            Phase.PROCESSING,
            Phase.FINISHED,
        ]
        assert phases[0].position == 2
        assert client.status(second).phase is Phase.FAILED
        with pytest.raises(ForgottenId):
            client.status(third)
        assert (fake.counts["initiated"], fake.counts["statuses"], fake.in_flight) == (3, 6, 0)
        assert fake.most_in_flight == 3
        client.close()


def test_a_restarted_fake_forgets_and_a_stopped_one_is_unavailable() -> None:
    with FakeGenerator() as fake:
        client = connect(fake.address)
        remote_id = client.start(order())
        fake.restart()
        with pytest.raises(ForgottenId):
            client.status(remote_id)
        fake.down = True
        with pytest.raises(GeneratorUnavailable):
            client.start(order())
        client.close()
