"""The effect of every parameter, separately and combined: with the fake engine, or the painter if pixels matter."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from fake_engine import FakeEngine
from serving import Results, Service, encoded, open_png

from generator.engines.base import DescriptionOptions, ImageRequest, Pixels, ProgressReporter
from tests.support.repeats import repeats

MAX_SEED = 2**32 - 1

Sizes = Callable[[Results], list[tuple[int, int]]]


@dataclass
class Asked:
    """What the fake engine was called with, besides its image_requests."""

    sources: list[tuple[int, int]] = field(default_factory=list)
    strengths: list[float] = field(default_factory=list)
    factors: list[int] = field(default_factory=list)
    described_with: list[DescriptionOptions] = field(default_factory=list)


@pytest.fixture
def asked(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Asked:
    seen = Asked()
    transform, upscale, describe = engine.transform, engine.upscale, engine.describe

    def transformed(source: Pixels, image_request: ImageRequest, strength: float, report: ProgressReporter) -> Pixels:
        seen.sources.append((source.shape[1], source.shape[0]))
        seen.strengths.append(strength)
        return transform(source, image_request, strength, report)

    def upscaled(picture: Pixels, factor: int, report: ProgressReporter) -> Pixels:
        seen.factors.append(factor)
        return upscale(picture, factor, report)

    def described(picture: Pixels, image_request: ImageRequest | None, options: DescriptionOptions) -> str:
        seen.described_with.append(options)
        return str(describe(picture, image_request, options))

    monkeypatch.setattr(engine, "transform", transformed)
    monkeypatch.setattr(engine, "upscale", upscaled)
    monkeypatch.setattr(engine, "describe", described)
    return seen


@pytest.fixture
def sizes() -> Sizes:
    return lambda results: [open_png(text).size for text in results["imgs"]]


def test_omitted_sizes_have_the_protocols_defaults(
    service: Service, engine: FakeEngine, asked: Asked, sizes: Sizes
) -> None:
    number = service.post("/initiate_processing", prompt="x", desc=True).json()
    results = service.finish(number)
    image_request = engine.image_requests[0]
    assert (image_request.prompt, image_request.negative_prompt, image_request.cpu) == ("x", "", False)
    assert (image_request.width, image_request.height, image_request.steps, image_request.scale) == (512, 512, 50, 7.5)
    assert sizes(results) == [(2048, 2048)]
    assert "frames" not in results
    assert asked == Asked(factors=[4], described_with=[DescriptionOptions(32, 16, False, ())])


def test_by_default_there_is_one_picture_and_no_description(service: Service) -> None:
    number = service.post("/initiate_processing", prompt="x", ups=1).json()
    results = service.finish(number)
    assert (len(results["imgs"]), results["descs"]) == (1, [])


def test_the_default_strength_is_three_quarters(service: Service, asked: Asked) -> None:
    service.finish(service.start(imgs=encoded()))
    assert asked.strengths == [0.75]


@pytest.mark.parametrize(
    ("name", "value", "brief_name"),
    [
        ("prompt", "((sea)) [fog]", "prompt"),
        ("neg_prompt", "rain", "negative_prompt"),
        ("width", 128, "width"),
        ("height", 192, "height"),
        ("steps", 9, "steps"),
        ("scale", 3, "scale"),
        ("seed", 11, "seed"),
        ("cpu", True, "cpu"),
    ],
)
def test_a_parameter_reaches_the_engine(
    service: Service, engine: FakeEngine, name: str, value: object, brief_name: str
) -> None:
    service.finish(service.start(**{name: value}))
    assert getattr(engine.image_requests[0], brief_name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("blip_max_len", 5), ("clip_max_len", 0), ("skip_clip", True), ("skip_list", ["artists", "mediums"])],
)
def test_a_parameter_reaches_the_description(service: Service, asked: Asked, name: str, value: object) -> None:
    service.finish(service.start(desc=True, **{name: value}))
    assert getattr(asked.described_with[0], name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    "skipped", ["artists, mediums,artists", ["artists,mediums"], ["artists", "mediums", "artists"]]
)
@pytest.mark.parametrize("form", [False, True])
def test_a_list_may_be_comma_separated_or_repeated(
    service: Service, asked: Asked, skipped: str | list[str], form: bool
) -> None:
    fields = {"prompt": "x", "ups": "1", "width": "64", "desc": "true", "skip_list": skipped}
    if form:
        number = service.client.post("/initiate_processing", data=fields).json()
    else:
        number = service.start(desc=True, skip_list=skipped)
    service.finish(number)
    assert asked.described_with[0].skip_list == ("artists", "mediums")


@pytest.mark.parametrize("asked_for", [{"width": 128}, {"height": 128}])
def test_one_given_side_makes_a_square(service: Service, sizes: Sizes, asked_for: dict[str, int]) -> None:
    for source in ({}, {"imgs": encoded(64, 96)}):
        number = service.post("/initiate_processing", prompt="x", ups=1, **asked_for, **source).json()
        assert sizes(service.finish(number)) == [(128, 128)]


@pytest.mark.parametrize(
    ("source", "made"),
    [((96, 64), (96, 64)), ((203, 131), (200, 128)), ((4096, 1024), (2048, 512)), ((16, 96), (64, 96))],
)
def test_the_size_defaults_to_that_of_the_source(
    service: Service, sizes: Sizes, source: tuple[int, int], made: tuple[int, int]
) -> None:
    number = service.post("/initiate_processing", prompt="x", ups=1, imgs=encoded(*source)).json()
    assert sizes(service.finish(number)) == [made]


@pytest.mark.parametrize(("ups", "factor"), [(4, 4), (3, 3), (2, 2), (1, 1), (0, 1), (-1, 1), (-(10**9), 1)])
def test_ups_multiplies_each_side(service: Service, asked: Asked, sizes: Sizes, ups: int, factor: int) -> None:
    assert sizes(service.finish(service.start(ups=ups, height=72))) == [(64 * factor, 72 * factor)]
    assert asked.factors == ([factor] if factor > 1 else [])


@pytest.mark.parametrize(
    ("seed", "n", "seeds"),
    [(7, 3, [7, 8, 9]), (0, 1, [0]), (MAX_SEED, 3, [MAX_SEED, 0, 1]), (MAX_SEED - 1, 2, [MAX_SEED - 1, MAX_SEED])],
)
def test_each_picture_has_the_next_seed(
    service: Service, engine: FakeEngine, seed: int, n: int, seeds: list[int]
) -> None:
    results = service.finish(service.start(seed=seed, n=n, desc=True))
    assert [image_request.seed for image_request in engine.image_requests] == seeds
    assert (len(results["imgs"]), len(results["descs"])) == (n, n)


def test_a_seed_is_drawn_once_per_request(service: Service, engine: FakeEngine) -> None:
    for _ in range(2):
        service.finish(service.start(n=2))
    first, second, third, fourth = (image_request.seed for image_request in engine.image_requests)
    assert (second, fourth) == ((first + 1) & MAX_SEED, (third + 1) & MAX_SEED)
    assert first != third


@pytest.mark.parametrize(("n", "used"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (5, [0, 1, 2, 0, 1])])
def test_sources_take_turns(
    service: Service, engine: FakeEngine, asked: Asked, sizes: Sizes, n: int, used: list[int]
) -> None:
    sources = [(64, 64), (72, 64), (80, 64)]
    imgs = [encoded(*size) for size in sources]
    number = service.post("/initiate_processing", prompt="x", ups=1, imgs=imgs, n=n, seed=5, strength=0.5).json()
    made = service.finish(number)
    assert asked.sources == sizes(made) == [sources[k] for k in used]
    assert [image_request.seed for image_request in engine.image_requests] == [5 + k for k in range(n)]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_without_n_each_source_makes_one_picture(service: Service, asked: Asked, sizes: Sizes, count: int) -> None:
    sources = [(64 + 8 * k, 64) for k in range(count)]
    imgs = [encoded(*size) for size in sources]
    number = service.post("/initiate_processing", prompt="x", ups=1, imgs=imgs, strength=0.5, desc=True).json()
    made = service.finish(number)
    assert asked.sources == sizes(made) == sources
    assert len(made["descs"]) == count


@pytest.mark.parametrize("strength", [0, 0.25, 1])
def test_a_strength_of_zero_or_more_transforms_the_source(service: Service, asked: Asked, strength: float) -> None:
    service.finish(service.start(imgs=encoded(), strength=strength))
    assert asked.strengths == [strength]


@pytest.mark.parametrize("strength", [0, 0.5, 1])
def test_strength_without_a_source_is_ignored(
    service: Service, engine: FakeEngine, asked: Asked, strength: float
) -> None:
    service.finish(service.start(strength=strength))
    assert len(engine.image_requests) == 1
    assert asked.strengths == []


@pytest.mark.parametrize("strength", [-0.001, -1, *repeats(-0.5, -1.001, -2)])
@pytest.mark.parametrize("ups", [2, 1, 0, -1])
@pytest.mark.parametrize("desc", [False, True])
@pytest.mark.parametrize("n", [1, 3])
def test_negative_strength_makes_nothing_new(
    service: Service, engine: FakeEngine, asked: Asked, sizes: Sizes, strength: float, ups: int, desc: bool, n: int
) -> None:
    sources = [(100, 80), (9, 33)]
    fields = {"strength": strength, "ups": ups, "desc": desc, "n": n, "seed": 3}
    number = service.post("/initiate_processing", imgs=[encoded(*size) for size in sources], **fields).json()
    results = service.finish(number)
    factor = max(1, ups)
    kept = strength >= -1 or factor > 1
    assert sizes(results) == [(width * factor, height * factor) for width, height in sources if kept]
    assert results["descs"] == (["100x80", "9x33"] if desc else [])
    assert asked.factors == ([2, 2] if ups == 2 else [])
    assert engine.image_requests == []


def test_an_unchanged_picture_keeps_its_pixels(service: Service) -> None:
    source = encoded(40, 30)
    results = service.finish(service.start(imgs=source, strength=-1))
    assert np.array_equal(np.asarray(open_png(results["imgs"][0])), np.asarray(open_png(source)))


@pytest.mark.parametrize("prompt", [{}, {"prompt": ""}, {"prompt": " \n"}])
@pytest.mark.parametrize("strength", [-0.5, 0])
@pytest.mark.parametrize("source", [False, True])
def test_a_prompt_is_needed_only_for_something_new(
    service: Service, prompt: dict[str, str], strength: float, source: bool
) -> None:
    fields = prompt | {"strength": strength, "imgs": [encoded()] if source else []}
    answer = service.post("/initiate_processing", **fields)
    if source and strength < 0:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["parameter"]) == (422, "imgs" if strength < 0 else "prompt")


def test_unchanged_pictures_have_no_frames(service: Service) -> None:
    results = service.finish(service.start(imgs=encoded(), strength=-0.5, ups=2, frames=3))
    assert len(results["imgs"]) == 1
    assert "frames" not in results


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_frames_show_the_first_picture(service: Service, frames: int) -> None:
    results = service.finish(service.start(frames=frames, steps=10, n=2, seed=9))
    assert [open_png(text).size for text in results.get("frames", [])] == [(64, 64)] * frames


def test_a_key_identifies_one_request(service: Service, engine: FakeEngine) -> None:
    first = service.start(key="k", seed=1)
    service.finish(first)
    assert service.start(key="k", seed=1) == first
    assert service.start(key="other", seed=1) != first
    assert service.post("/initiate_processing", prompt="another", key="k").status_code == 409
    assert len(engine.image_requests) <= 2


SEA_SEED = 4
SEA: dict[str, object] = {
    "prompt": "a lighthouse by the sea, clouds",
    "width": 176,
    "height": 176,
    "steps": 6,
    "seed": SEA_SEED,
    "ups": 1,
}


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a lighthouse by the sea, ((clouds))"},
        {"prompt": "[[[[a lighthouse]]]] by the sea, clouds"},
        {"neg_prompt": "clouds"},
        {"steps": 12},
        {"scale": 1},
        {"seed": 5},
        {"width": 104},
    ],
    ids=str,
)
def test_a_parameter_changes_the_painting(painting: Service, change: dict[str, object]) -> None:
    plain, changed = (painting.finish(painting.start(**(SEA | fields)))["imgs"] for fields in ({}, change))
    assert plain != changed


@pytest.mark.parametrize(
    "change", [{"cpu": True}, {"key": "k"}, {"frames": 2}, {"desc": True}, {"strength": 0.2}], ids=str
)
def test_a_parameter_does_not_change_the_painting(painting: Service, change: dict[str, object]) -> None:
    plain, changed = (painting.finish(painting.start(**(SEA | fields)))["imgs"] for fields in ({}, change))
    assert plain == changed


def test_a_higher_strength_moves_further_from_the_source(painting: Service) -> None:
    source = encoded(176, 176)
    before = np.asarray(open_png(source)).astype(int)
    moved = []
    for strength in (0.1, 0.5, 1):
        results = painting.finish(painting.start(**SEA, imgs=source, strength=strength))
        moved.append(np.abs(np.asarray(open_png(results["imgs"][0])).astype(int) - before).mean())
    assert moved == sorted(moved)
    assert moved[0] < moved[2] / 2


def test_picture_k_can_be_made_separately(painting: Service) -> None:
    three = painting.finish(painting.start(**SEA | {"n": 3}))["imgs"]
    alone = painting.finish(painting.start(**SEA | {"seed": SEA_SEED + 2}))["imgs"]
    assert alone == three[2:]


def test_the_description_has_at_most_so_many_words(painting: Service) -> None:
    words = painting.finish(painting.start(**SEA, desc=True, blip_max_len=5, skip_clip=True))["descs"][0].split()
    assert 0 < len(words) <= 5


def test_a_painting_is_png_in_plain_base64(painting: Service) -> None:
    text = painting.finish(painting.start(**SEA))["imgs"][0]
    assert base64.b64decode(text, validate=True).startswith(b"\x89PNG\r\n\x1a\n")
