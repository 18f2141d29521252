"""What every parameter does, alone and beside others: over the fake engine, or the painter where pixels count."""

import base64
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from generator.engines.base import DescriptionOptions

MAX_SEED = 2**32 - 1


@dataclass
class Asked:
    """What the fake engine was asked for beside its image_requests."""

    sources: list[tuple[int, int]] = field(default_factory=list)
    strengths: list[float] = field(default_factory=list)
    factors: list[int] = field(default_factory=list)
    wordings: list[DescriptionOptions] = field(default_factory=list)


@pytest.fixture
def asked(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Asked:
    seen = Asked()
    transform, upscale, describe = engine.transform, engine.upscale, engine.describe

    def transformed(source: Any, image_request: Any, strength: float, report: Any) -> Any:
        seen.sources.append((source.shape[1], source.shape[0]))
        seen.strengths.append(strength)
        return transform(source, image_request, strength, report)

    def upscaled(picture: Any, factor: int, report: Any) -> Any:
        seen.factors.append(factor)
        return upscale(picture, factor, report)

    def described(picture: Any, image_request: Any, wording: DescriptionOptions) -> str:
        seen.wordings.append(wording)
        return str(describe(picture, image_request, wording))

    monkeypatch.setattr(engine, "transform", transformed)
    monkeypatch.setattr(engine, "upscale", upscaled)
    monkeypatch.setattr(engine, "describe", described)
    return seen


@pytest.fixture
def sizes(open_png: Any) -> Any:
    return lambda results: [open_png(text).size for text in results["imgs"]]


def test_left_out_they_are_what_the_protocol_says(service: Any, engine: Any, asked: Asked, sizes: Any) -> None:
    number = service.post("/initiate_processing", prompt="x", desc=True).json()
    results = service.finish(number)
    image_request = engine.image_requests[0]
    assert (image_request.prompt, image_request.negative_prompt, image_request.cpu) == ("x", "", False)
    assert (image_request.width, image_request.height, image_request.steps, image_request.scale) == (512, 512, 50, 7.5)
    assert sizes(results) == [(2048, 2048)]
    assert "frames" not in results
    assert asked == Asked(factors=[4], wordings=[DescriptionOptions(32, 16, False, ())])


def test_left_out_there_is_one_picture_and_no_description(service: Any) -> None:
    number = service.post("/initiate_processing", prompt="x", ups=1).json()
    results = service.finish(number)
    assert (len(results["imgs"]), results["descs"]) == (1, [])


def test_left_out_the_strength_is_three_quarters(service: Any, asked: Asked, encode: Any) -> None:
    service.finish(service.start(imgs=encode()))
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
def test_it_reaches_the_engine(service: Any, engine: Any, name: str, value: object, brief_name: str) -> None:
    service.finish(service.start(**{name: value}))
    assert getattr(engine.image_requests[0], brief_name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("blip_max_len", 5), ("clip_max_len", 0), ("skip_clip", True), ("skip_list", ["artists", "mediums"])],
)
def test_it_reaches_the_description(service: Any, asked: Asked, name: str, value: Any) -> None:
    service.finish(service.start(desc=True, **{name: value}))
    assert getattr(asked.wordings[0], name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    "skipped", ["artists, mediums,artists", ["artists,mediums"], ["artists", "mediums", "artists"]]
)
@pytest.mark.parametrize("form", [False, True])
def test_a_list_may_be_said_with_commas_or_one_by_one(service: Any, asked: Asked, skipped: Any, form: bool) -> None:
    fields = {"prompt": "x", "ups": "1", "width": "64", "desc": "true", "skip_list": skipped}
    if form:
        number = service.client.post("/initiate_processing", data=fields).json()
    else:
        number = service.start(desc=True, skip_list=skipped)
    service.finish(number)
    assert asked.wordings[0].skip_list == ("artists", "mediums")


@pytest.mark.parametrize("asked_for", [{"width": 128}, {"height": 128}])
def test_one_side_alone_makes_a_square(service: Any, sizes: Any, encode: Any, asked_for: dict[str, int]) -> None:
    for source in ({}, {"imgs": encode(64, 96)}):
        number = service.post("/initiate_processing", prompt="x", ups=1, **asked_for, **source).json()
        assert sizes(service.finish(number)) == [(128, 128)]


@pytest.mark.parametrize(
    ("source", "made"),
    [((96, 64), (96, 64)), ((203, 131), (200, 128)), ((4096, 1024), (2048, 512)), ((16, 96), (64, 96))],
)
def test_the_source_gives_the_size(service: Any, sizes: Any, encode: Any, source: Any, made: Any) -> None:
    number = service.post("/initiate_processing", prompt="x", ups=1, imgs=encode(*source)).json()
    assert sizes(service.finish(number)) == [made]


@pytest.mark.parametrize(("ups", "factor"), [(4, 4), (3, 3), (2, 2), (1, 1), (0, 1), (-1, 1), (-(10**9), 1)])
def test_ups_counts_for_each_side(service: Any, asked: Asked, sizes: Any, ups: int, factor: int) -> None:
    assert sizes(service.finish(service.start(ups=ups, height=72))) == [(64 * factor, 72 * factor)]
    assert asked.factors == ([factor] if factor > 1 else [])


@pytest.mark.parametrize(
    ("seed", "n", "seeds"),
    [(7, 3, [7, 8, 9]), (0, 1, [0]), (MAX_SEED, 3, [MAX_SEED, 0, 1]), (MAX_SEED - 1, 2, [MAX_SEED - 1, MAX_SEED])],
)
def test_each_picture_has_the_next_seed(service: Any, engine: Any, seed: int, n: int, seeds: list[int]) -> None:
    results = service.finish(service.start(seed=seed, n=n, desc=True))
    assert [image_request.seed for image_request in engine.image_requests] == seeds
    assert (len(results["imgs"]), len(results["descs"])) == (n, n)


def test_a_seed_is_drawn_once_a_request(service: Any, engine: Any) -> None:
    for _ in range(2):
        service.finish(service.start(n=2))
    first, second, third, fourth = (image_request.seed for image_request in engine.image_requests)
    assert (second, fourth) == ((first + 1) & MAX_SEED, (third + 1) & MAX_SEED)
    assert first != third


@pytest.mark.parametrize(("n", "used"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (5, [0, 1, 2, 0, 1])])
def test_sources_take_turns(
    service: Any, engine: Any, asked: Asked, sizes: Any, encode: Any, n: int, used: list[int]
) -> None:
    sources = [(64, 64), (72, 64), (80, 64)]
    imgs = [encode(*size) for size in sources]
    number = service.post("/initiate_processing", prompt="x", ups=1, imgs=imgs, n=n, seed=5, strength=0.5).json()
    made = service.finish(number)
    assert asked.sources == sizes(made) == [sources[k] for k in used]
    assert [image_request.seed for image_request in engine.image_requests] == [5 + k for k in range(n)]


@pytest.mark.parametrize("strength", [0, 0.25, 1])
def test_from_zero_on_the_source_is_moved(service: Any, asked: Asked, encode: Any, strength: float) -> None:
    service.finish(service.start(imgs=encode(), strength=strength))
    assert asked.strengths == [strength]


@pytest.mark.parametrize("strength", [0, 0.5, 1])
def test_without_a_source_strength_means_nothing(service: Any, engine: Any, asked: Asked, strength: float) -> None:
    service.finish(service.start(strength=strength))
    assert len(engine.image_requests) == 1
    assert asked.strengths == []


@pytest.mark.parametrize("strength", [-0.001, -0.5, -1, -1.001, -2])
@pytest.mark.parametrize("ups", [2, 1, 0, -1])
@pytest.mark.parametrize("desc", [False, True])
@pytest.mark.parametrize("n", [1, 3])
def test_below_zero_nothing_new_is_made(
    service: Any, engine: Any, asked: Asked, sizes: Any, encode: Any, strength: float, ups: int, desc: bool, n: int
) -> None:
    sources = [(100, 80), (9, 33)]
    fields = {"strength": strength, "ups": ups, "desc": desc, "n": n, "seed": 3}
    number = service.post("/initiate_processing", imgs=[encode(*size) for size in sources], **fields).json()
    results = service.finish(number)
    factor = max(1, ups)
    kept = strength >= -1 or factor > 1
    assert sizes(results) == [(width * factor, height * factor) for width, height in sources if kept]
    assert results["descs"] == (["100x80", "9x33"] if desc else [])
    assert asked.factors == ([2, 2] if ups == 2 else [])
    assert engine.image_requests == []


def test_an_unchanged_picture_keeps_its_pixels(service: Any, encode: Any, open_png: Any) -> None:
    source = encode(40, 30)
    results = service.finish(service.start(imgs=source, strength=-1))
    assert np.array_equal(np.asarray(open_png(results["imgs"][0])), np.asarray(open_png(source)))


@pytest.mark.parametrize("prompt", [{}, {"prompt": ""}, {"prompt": " \n"}])
@pytest.mark.parametrize("strength", [-0.5, 0])
@pytest.mark.parametrize("source", [False, True])
def test_a_prompt_is_needed_only_for_something_new(
    service: Any, encode: Any, prompt: dict[str, str], strength: float, source: bool
) -> None:
    fields = prompt | {"strength": strength, "imgs": [encode()] if source else []}
    answer = service.post("/initiate_processing", **fields)
    if source and strength < 0:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["parameter"]) == (422, "imgs" if strength < 0 else "prompt")


def test_what_is_not_made_is_not_filmed(service: Any, encode: Any) -> None:
    results = service.finish(service.start(imgs=encode(), strength=-0.5, ups=2, frames=3))
    assert len(results["imgs"]) == 1
    assert "frames" not in results


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_frames_are_of_the_first_picture(service: Any, open_png: Any, frames: int) -> None:
    results = service.finish(service.start(frames=frames, steps=10, n=2, seed=9))
    assert [open_png(text).size for text in results.get("frames", [])] == [(64, 64)] * frames


def test_a_key_is_one_request(service: Any, engine: Any) -> None:
    first = service.start(key="k", seed=1)
    service.finish(first)
    assert service.start(key="k", seed=1) == first
    assert service.start(key="other", seed=1) != first
    assert service.post("/initiate_processing", prompt="another", key="k").status_code == 409
    assert len(engine.image_requests) <= 2


SEA = {"prompt": "a lighthouse by the sea, clouds", "width": 96, "height": 96, "steps": 6, "seed": 4, "ups": 1}


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
def test_it_changes_the_painting(painting: Any, change: dict[str, Any]) -> None:
    plain, changed = (painting.finish(painting.start(**(SEA | fields)))["imgs"] for fields in ({}, change))
    assert plain != changed


@pytest.mark.parametrize(
    "change", [{"cpu": True}, {"key": "k"}, {"frames": 2}, {"desc": True}, {"strength": 0.2}], ids=str
)
def test_it_leaves_the_painting_alone(painting: Any, change: dict[str, Any]) -> None:
    plain, changed = (painting.finish(painting.start(**(SEA | fields)))["imgs"] for fields in ({}, change))
    assert plain == changed


def test_strength_moves_the_painting_away(painting: Any, encode: Any, open_png: Any) -> None:
    source = encode(96, 96)
    before = np.asarray(open_png(source)).astype(int)
    moved = []
    for strength in (0.1, 0.5, 1):
        results = painting.finish(painting.start(**SEA, imgs=source, strength=strength))
        moved.append(np.abs(np.asarray(open_png(results["imgs"][0])).astype(int) - before).mean())
    assert moved == sorted(moved)
    assert moved[0] < moved[2] / 2


def test_picture_k_can_be_made_alone(painting: Any) -> None:
    three = painting.finish(painting.start(**SEA | {"n": 3}))["imgs"]
    alone = painting.finish(painting.start(**SEA | {"seed": SEA["seed"] + 2}))["imgs"]
    assert alone == three[2:]


def test_the_description_has_at_most_its_words(painting: Any) -> None:
    words = painting.finish(painting.start(**SEA, desc=True, blip_max_len=5, skip_clip=True))["descs"][0].split()
    assert 0 < len(words) <= 5


def test_a_painting_is_png_in_plain_base64(painting: Any) -> None:
    text = painting.finish(painting.start(**SEA))["imgs"][0]
    assert base64.b64decode(text, validate=True).startswith(b"\x89PNG\r\n\x1a\n")
