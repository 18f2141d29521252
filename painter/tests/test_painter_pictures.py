"""The painter: deterministic for a request, and controlled by the words of the prompt."""

from functools import cache

import numpy as np
import pytest

from easel_painter import Painter
from easel_painter.reading import read
from easel_painter.words import words_of
from generator.engines.base import ImageRequest, Pixels, Stopped
from tests.support.repeats import repeats

SIDE_PX = 176
"""The shortest side that is painted directly; a smaller picture is painted larger first, which takes longer."""


@cache
def paint(prompt: str, negative: str = "", **changes: object) -> Pixels:
    fields: dict[str, object] = {"width": SIDE_PX, "height": SIDE_PX, "steps": 6, "scale": 7.5, "seed": 1}
    request = ImageRequest(prompt=prompt, negative_prompt=negative, **(fields | changes))  # type: ignore[arg-type]
    return Painter().generate(request, lambda done, snapshot=None: None)


def distance(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_equal_requests_give_equal_bytes() -> None:
    assert paint("a castle by the sea").tobytes() == paint.__wrapped__("a castle by the sea").tobytes()


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"steps": 12}, {"scale": 2.0}, {"negative": "clouds, island"}, {"prompt": "a red castle by the sea"}],
)
def test_every_setting_has_an_effect(change: dict[str, object]) -> None:
    plain = {"prompt": "a castle on an island in the sea"}
    assert distance(paint(**plain), paint(**(plain | change))) > 0.5


def test_prompts_differ_by_more_than_noise() -> None:
    pictures = [
        paint(prompt) for prompt in ("desert at noon", "city at night", "autumn forest road", "aurora over a lake")
    ]
    for k, one in enumerate(pictures):
        for other in pictures[k + 1 :]:
            assert distance(one, other) > 15


@pytest.mark.parametrize("size", [(64, 64), (64, 512), (768, 432), *repeats((2048, 64), (432, 768))])
def test_every_size_is_exact(size: tuple[int, int]) -> None:
    for prompt in ("a house by a lake with a boat, rain and snow", "abstract", "city"):
        picture = paint(prompt, width=size[0], height=size[1], steps=1)
        assert picture.shape == (size[1], size[0], 3)
        assert picture.dtype == np.uint8


def test_more_steps_come_nearer_to_the_picture() -> None:
    frames: list[Pixels] = []
    request = ImageRequest("a lighthouse by the sea at sunset", "", SIDE_PX, SIDE_PX, 12, 7.5, 4)
    final = Painter().generate(request, lambda done, snapshot=None: frames.append(snapshot()) if snapshot else None)
    assert len(frames) == 12
    distances = [distance(frame, final) for frame in frames]
    assert distances[0] > distances[5] > distances[10] > distances[11] == 0


def test_progress_rises_to_one_and_stopping_interrupts() -> None:
    told: list[float] = []
    Painter().generate(ImageRequest("sea", "", 64, 64, 5, 7.5, 1), lambda done, snapshot=None: told.append(done))
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)

    def stop(done: float, snapshot: object = None) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        Painter().generate(ImageRequest("sea", "", 64, 64, 5, 7.5, 1), stop)


def test_strength_decides_how_much_of_the_source_remains() -> None:
    source = np.zeros((SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    source[:, SIDE_PX // 2 :] = (200, 40, 40)
    request = ImageRequest("a green forest by day", "", SIDE_PX, SIDE_PX, 10, 7.5, 3)
    moved = [
        distance(Painter().transform(source, request, strength, lambda done, snapshot=None: None), source)
        for strength in (0.1, 0.5, 0.95)
    ]
    assert moved[0] < moved[1] < moved[2]
    assert moved[0] < 15


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_upscaling_keeps_the_picture(factor: int) -> None:
    picture = paint("mountains at dawn")
    large = Painter().upscale(picture, factor, lambda done, snapshot=None: None)
    assert large.shape == (SIDE_PX * factor, SIDE_PX * factor, 3)
    assert distance(large[factor // 2 :: factor, factor // 2 :: factor], picture) < 12


def test_words_are_understood_in_two_languages() -> None:
    english = read("a castle by the lake at night, winter")
    russian = read("замок у озера ночью, зима")
    assert set(english.motifs) == set(russian.motifs) == {"castle", "lake"}
    assert set(english.times) == set(russian.times) == {"night"}
    assert set(english.seasons) == set(russian.seasons) == {"winter"}


def test_all_parts_of_a_joined_prompt_count() -> None:
    assert set(read("a boat | mountains | moon").motifs) == {"boat", "mountains", "moon"}


def test_brackets_nest() -> None:
    weights = {word.text: word.weight for word in words_of("plain (more ((most))) [less [least]]")}
    assert weights["most"] > weights["more"] > weights["plain"] == 1
    assert weights["plain"] > weights["less"] > weights["least"]


def test_brackets_change_the_picture() -> None:
    plain = paint("a lighthouse by the sea")
    assert distance(plain, paint("a ((lighthouse)) by the sea")) > 0.5
    assert "lighthouse" not in read("a [[[[lighthouse]]]] by the sea").motifs


def test_a_colour_belongs_to_the_noun_after_it() -> None:
    assert read("a red boat on a lake").paints == {"boat": read("red").colours[0][0]}


def test_the_negative_prompt_excludes_motifs() -> None:
    assert set(read("sea with a boat, red clouds", "boat, red").motifs) == {"sea", "clouds"}
    assert read("red sea", "red").colours == []


def test_unknown_words_still_have_an_effect() -> None:
    assert distance(paint("lake, quixotic"), paint("lake, zephyr")) > 0.5


def test_a_longer_stem_wins() -> None:
    assert set(read("ночной город").motifs) == {"city"}
    assert set(read("высокие горы").motifs) == {"mountains"}


def test_the_sky_has_its_own_colour() -> None:
    assert read("a field under a pink sky").colours == []
    assert distance(paint("a field under a pink sky"), paint("a field under a green sky")) > 2


def test_the_tropics_grow_palms() -> None:
    assert distance(paint("a palm tree by the sea"), paint("a tree by the sea")) > 0.5
