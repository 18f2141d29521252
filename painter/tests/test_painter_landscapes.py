"""Landscapes: words are understood, requested subjects are in the picture, and seeds give different layouts."""

import itertools
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from easel_painter.canvas import Scene
from easel_painter.composition import paint_scene
from easel_painter.lexicon import KINDS, MOTIFS, SEASONS, TIMES
from easel_painter.reading import read
from generator.engines.base import ImageRequest
from tests.support.repeats import repeats

LAND = (
    *(
        "mountains",
        "volcano",
        "canyon",
        "cliff",
        "waterfall",
        "sea",
        "lake",
        "river",
        "bridge",
        "forest",
        "tree",
        "park",
    ),
    *("garden", "city", "street", "village", "house", "windmill", "church", "temple", "lighthouse", "ruins", "castle"),
    *("road", "desert", "field", "flowers", "island", "boat", "balloon", "rainbow", "lightning", "planet", "nebula"),
    *("moon", "sun", "stars", "clouds", "rain", "snow", "fog", "aurora", "fire"),
)
WORDS = [
    ("a volcano erupting", "извержение вулкана", "volcano"),
    ("a canyon", "каньон", "canyon"),
    ("a cliff", "утёс", "cliff"),
    ("a waterfall", "водопад", "waterfall"),
    ("a winding river", "извилистая река", "river"),
    ("an old bridge", "старый мост", "bridge"),
    ("a park", "парк", "park"),
    ("a garden", "сады", "garden"),
    ("a street", "улица", "street"),
    ("a village", "деревня", "village"),
    ("a windmill", "ветряная мельница", "windmill"),
    ("a church", "церковь", "church"),
    ("a pagoda", "пагода", "temple"),
    ("ruins", "руины", "ruins"),
    ("a hot-air balloon", "воздушный шар", "balloon"),
    ("a rainbow", "радуга", "rainbow"),
    ("lightning", "молния", "lightning"),
    ("a planet", "планета", "planet"),
    ("a nebula", "туманность", "nebula"),
    ("a frigate", "парусник", "boat"),
]


@lru_cache(maxsize=8)
def scene_of(prompt: str, negative: str = "", width: int = 96, height: int = 96, seed: int = 1) -> Scene:
    request = ImageRequest(prompt, negative, width, height, 10, 7.5, seed)
    return paint_scene(request, read(prompt, negative))


def share_of(scene: Scene, wanted: tuple[float, float, float], reach: float = 0.30) -> float:
    """Return the share of the pixels whose colour is that near to the wanted one."""
    away = np.abs(scene.rgb - np.asarray(wanted, dtype=np.float32)).max(axis=-1)
    return float((away < reach).mean())


@pytest.mark.parametrize(("english", "russian", "motif"), WORDS)
def test_new_words_are_understood_and_shown_in_both_languages(english: str, russian: str, motif: str) -> None:
    for prompt in (english, russian):
        assert motif in read(prompt).motifs
        assert motif in scene_of(prompt).shown


@pytest.mark.parametrize("motif", LAND)
def test_the_requested_subject_is_shown(motif: str) -> None:
    assert motif in scene_of(MOTIFS[motif][0].split()[0]).shown


@pytest.mark.parametrize("motif", LAND)
def test_every_motif_can_be_painted_at_every_hour_and_season(motif: str) -> None:
    word = MOTIFS[motif][0].split()[0]
    for hour, season in zip(TIMES, itertools.cycle(SEASONS), strict=False):
        prompt = f"{word}, {TIMES[hour][0].split()[0]}, {SEASONS[season][0].split()[0]}"
        scene = scene_of(prompt, width=48, height=40)
        assert np.isfinite(scene.rgb).all(), prompt
        assert np.isfinite(scene.sparks).all(), prompt
        assert scene.rgb.std() > 0.01, prompt


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_modifier_can_be_painted(kind: str) -> None:
    word = KINDS[kind][0].split()[0]
    scene = scene_of(f"{word} by a field, a boat, a house and a forest", width=64, height=48)
    assert read(word).is_a(kind)
    assert np.isfinite(scene.rgb).all()


@pytest.mark.parametrize("size", [(64, 1024), (16, 16), *repeats((1024, 64), (64, 64))])
def test_narrow_pictures_are_painted(size: tuple[int, int]) -> None:
    for prompt in (
        "a castle by the sea in a storm, lightning, a galleon",
        "a house in a forest by a road under the full moon",
        "a street in the rain, a village, mountains",
        "a galaxy and a planet over a canyon with a balloon and a rainbow",
        "a waterfall, a bridge, a garden with tulips, a volcano",
        "forest path, sunbeams",
        "a castle above the clouds",
    ):
        scene = scene_of(prompt, width=size[0], height=size[1])
        assert scene.rgb.shape == (size[1], size[0], 3)
        assert np.isfinite(scene.rgb).all()


@pytest.mark.parametrize(
    "prompt", ["a meadow", "mountains", "a castle", "a city", "a forest", "a house by a lake", "dunes"]
)
def test_two_seeds_differ_in_layout(prompt: str) -> None:
    def outline(seed: int) -> NDArray[np.bool_]:
        grey = scene_of(f"{prompt} by day, clear", seed=seed).rgb.mean(axis=-1)
        return np.asarray(np.abs(np.diff(grey, axis=0)) > 0.06)

    drawn = [outline(seed) for seed in (1, 2, 3)]
    for one, other in itertools.combinations(drawn, 2):
        assert (one & other).sum() < 0.75 * (one | other).sum()


@pytest.mark.parametrize(
    ("prompt", "colour"),
    [
        ("sunflowers under a blue sky", (0.90, 0.68, 0.10)),
        ("жёлтые подсолнухи и голубое небо", (0.90, 0.68, 0.10)),
        ("a field of poppies by day", (0.85, 0.14, 0.10)),
        ("a red sailboat on the sea by day", (0.80, 0.16, 0.14)),
    ],
)
def test_the_requested_colour_is_used(prompt: str, colour: tuple[float, float, float]) -> None:
    scene = scene_of(prompt, width=192, height=192, seed=31)
    other = scene_of("a lake by day", width=192, height=192, seed=31)
    assert share_of(scene, colour) > 0.012 + share_of(other, colour)


def test_a_blue_sky_is_blue_above_yellow_flowers() -> None:
    sky = np.median(scene_of("жёлтые подсолнухи и голубое небо", seed=31).rgb[:12].reshape(-1, 3), axis=0)
    assert sky[2] > sky[0] + 0.1


@pytest.mark.parametrize(
    ("prompt", "negative", "gone"),
    [
        ("a night over a lake", "stars, moon", {"stars", "moon"}),
        ("a sunset over the sea", "sun, clouds", {"sun", "clouds"}),
        ("a castle with a forest and a bridge", "bridge, field", {"bridge", "field"}),
        ("a village by a river", "церковь, река", {"church", "river"}),
    ],
)
def test_nothing_unwanted_is_shown(prompt: str, negative: str, gone: set[str]) -> None:
    for seed in range(4):
        assert not gone & set(scene_of(prompt, negative, seed=seed).shown)


def test_phrases_mean_more_than_their_words() -> None:
    assert read("a castle above the clouds").is_a("aloft")
    assert read("замок над облаками").is_a("aloft")
    assert read("dunes under a full moon").is_a("full moon")
    assert not read("clouds above a castle").is_a("aloft")


def test_a_crescent_lacks_what_a_full_moon_has() -> None:
    def far_side(prompt: str) -> float:
        scene = scene_of(prompt, "clouds", width=256, height=256)
        x, y = scene.light
        radius = 0.058 * scene.short
        return float(scene.rgb[int(y - 0.2 * radius), int(x + 0.5 * radius)].mean())

    assert far_side("a full moon over the sea") > far_side("a crescent moon over the sea") + 0.1


def test_a_wood_is_shown_from_inside_or_outside() -> None:
    """Two seeds or two words may give two compositions."""
    inside = scene_of("deep forest, path through the forest")
    outside = scene_of("a forest by a lake")
    assert inside.shown[0] == "forest"
    assert "lake" in outside.shown


def test_a_high_sea_hides_its_horizon() -> None:
    def level(prompt: str) -> float:
        scene = scene_of(prompt, width=192, height=192)
        below = scene.rgb[scene.horizon + 10 :].mean(axis=-1)
        return float(np.abs(below - below.mean(axis=1, keepdims=True)).mean())

    calm, high = level("a calm sea in the rain by day"), level("huge waves in the rain by day")
    assert high > 1.3 * calm
