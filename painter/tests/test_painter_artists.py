"""The manners of artists and the changes of a photo: each is measured on a photo of known forms."""

import colorsys
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from easel_painter import Painter
from easel_painter.artists import ARTISTS
from easel_painter.changes import find_head
from easel_painter.manner import PLAIN, Manner
from easel_painter.media.base import Draft
from easel_painter.media.planes import COLOURS, GROUND
from easel_painter.media.rings import RINGS, Rings
from easel_painter.media.surface import luma
from easel_painter.noise import blur
from easel_painter.reading import read
from generator.engines.base import ImageRequest, Pixels, unwatched

SIDE = 180
WORDS = {
    "banksy": "stencil graffiti by Banksy, spray paint",
    "delaunay": "by Robert Delaunay, concentric rings of pure colour",
    "malevich": "by Kazimir Malevich, flat planes of pure colour",
    "van_gogh": "oil painting by Vincent van Gogh, curved strokes",
}


def _portrait() -> Pixels:
    """Draw a head of skin with hair above a blue coat, with a red scarf, before a pale green wall."""
    image = Image.new("RGB", (SIDE, SIDE), (170, 190, 165))
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 110, 150, 260), fill=(40, 60, 140))
    draw.ellipse((56, 28, 124, 110), fill=(60, 40, 30))
    draw.ellipse((62, 40, 118, 114), fill=(225, 170, 130))
    draw.rectangle((70, 112, 110, 126), fill=(205, 25, 30))
    noise = np.random.default_rng(1).normal(0, 4, (SIDE, SIDE, 3))
    return (np.asarray(image) + noise).clip(0, 255).astype(np.uint8)


def _waves() -> Pixels:
    """Draw circles of light around the middle: forms whose direction is known at each pixel."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    light = 128 + 80 * np.sin(np.hypot(x, y) / 9)
    return np.stack([light, light * 0.8, 255 - light], axis=-1).clip(0, 255).astype(np.uint8)


PHOTOS = {"portrait": _portrait(), "waves": _waves()}


@cache
def rendered(kind: str, prompt: str, strength: float = 0.6, seed: int = 3) -> Pixels:
    order = ImageRequest(prompt, "", SIDE, SIDE, 10, 7.5, seed)
    return Painter().transform(PHOTOS[kind], order, strength, unwatched)


def distance(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def colours_of(picture: Pixels) -> NDArray[np.uint8]:
    return np.unique(picture.reshape(-1, 3), axis=0)


def alignment(picture: Pixels) -> float:
    """Return how well the picture's forms run around the middle: 1 wholly, 0 by chance, -1 across."""
    dy, dx = np.gradient(luma((picture / 255).astype(np.float32)))
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2
    radial = (dx * x + dy * y) ** 2 / np.maximum(x * x + y * y, 1)
    around = dx * dx + dy * dy - radial
    return float((radial - around).sum() / (radial + around).sum())


@pytest.mark.parametrize(
    ("prompt", "manner"),
    [
        *((words, Manner(name)) for name, words in WORDS.items()),
        ("a cat in the style of stencil street art / Banksy", Manner("banksy")),
        ("кошка в стиле Ван Гога", Manner("van_gogh")),
        ("супрематизм", Manner("malevich")),
        ("a house, joyful mood", Manner(PLAIN, emotion="joy")),
        ("a house, sad mood, melancholy, watercolour", Manner("watercolour", emotion="sadness")),
        ("wearing a panda mask", Manner(PLAIN, changes=frozenset({"panda_mask"}))),
        ("in front of another background, oil painting", Manner("oil", changes=frozenset({"background"}))),
        ("a panda in a happy forest, a wall with graffiti", Manner(PLAIN)),
        ("the village street and a ring of stones", Manner(PLAIN)),
        ("[[[[Banksy]]]] and the sea", Manner(PLAIN)),
    ],
)
def test_words_choose_the_manner(prompt: str, manner: Manner) -> None:
    assert read(prompt).manner == manner


def test_the_negative_prompt_excludes_an_artist_and_a_change() -> None:
    assert read("oil painting by van Gogh", "van Gogh").manner == Manner("oil")
    assert read("wearing a panda mask, sad mood", "panda mask, sad mood").manner == Manner(PLAIN)


@pytest.mark.parametrize("name", ARTISTS)
def test_words_of_an_artist_add_no_motifs(name: str) -> None:
    reading = read(f"a boat, {WORDS[name]}")
    assert list(reading.motifs) == ["boat"]
    assert reading.unknown == []


@pytest.mark.parametrize("name", ARTISTS)
def test_a_photo_is_rendered_the_same_with_the_same_seed_only(name: str) -> None:
    order = ImageRequest(WORDS[name], "", SIDE, SIDE, 10, 7.5, 3)
    again = Painter().transform(PHOTOS["portrait"], order, 0.6, unwatched)
    assert again.tobytes() == rendered("portrait", WORDS[name]).tobytes()
    assert distance(again, rendered("portrait", WORDS[name], seed=4)) > 0.3


@pytest.mark.parametrize("name", ARTISTS)
def test_the_photo_remains_the_subject(name: str) -> None:
    """Coarse lights and darks agree with the photo, with words for another scene as well as without."""
    for prompt in (WORDS[name], f"a castle by the sea, {WORDS[name]}"):
        views = [
            blur(luma((picture / 255).astype(np.float32)), SIDE / 12)
            for picture in (PHOTOS["portrait"], rendered("portrait", prompt))
        ]
        assert np.corrcoef(views[0].ravel(), views[1].ravel())[0, 1] > 0.5


def test_a_stencil_has_few_tones_and_one_accent() -> None:
    colours = colours_of(rendered("portrait", WORDS["banksy"]))
    assert 4 <= len(colours) <= 5
    coloured = colours[np.ptp(colours.astype(int), axis=1) > 60]
    assert len(coloured) == 1
    # The scarf is what is most colourful.
    picture = rendered("portrait", WORDS["banksy"])
    accent = (picture == coloured[0]).all(axis=-1)
    assert colorsys.rgb_to_hsv(*(coloured[0] / 255))[0] in (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.05))
    assert accent[114:124, 74:106].mean() > 0.8
    assert accent.mean() < 0.11


def test_rings_are_concentric() -> None:
    """Along a ring colours are constant but for sectors and tones; from ring to ring they change."""
    flat = np.full((SIDE, SIDE, 3), 0.5, dtype=np.float32)
    flat[86:94, 86:94] = (0.8, 0.3, 0.2)
    draft = Draft(flat, flat, np.zeros_like(flat), (0, 0), None, 4, ("seed",), lambda: None)
    medium = Rings(draft)
    medium.step(3)
    picture = medium.picture()
    cx, cy, radius = medium.centres[0]
    turns = np.linspace(0, 2 * np.pi, 360, endpoint=False)
    radii = np.linspace(0.08, 0.36, 60) * radius

    def changes(along: NDArray[np.float64], across: NDArray[np.float64]) -> float:
        x = np.clip(cx + across * np.cos(along), 0, SIDE - 1).astype(int)
        y = np.clip(cy + across * np.sin(along), 0, SIDE - 1).astype(int)
        return float((np.abs(np.diff(picture[y, x], axis=0)).max(axis=-1) > 0.05).sum())

    # In the middle of the first two rings; farther out other discs begin.
    around = np.mean([changes(turns, np.full(360, (ring + 0.5) / RINGS * radius)) for ring in (1, 2)])
    outwards = np.mean([changes(np.full(60, turn), radii) for turn in turns[::9]])
    # A turn crosses the borders of the sectors and of the dot, and less than a third of a radius crosses two rings.
    assert 4 <= around <= 8
    assert outwards >= 1.5
    assert outwards / (0.28 * radius) > 1.5 * around / (2 * np.pi * 2 / RINGS * radius)
    assert picture.reshape(-1, 3).std(axis=0).max() > 0.15


def test_planes_are_flat_and_lie_on_the_masses() -> None:
    picture = rendered("portrait", WORDS["malevich"])
    step = np.abs(np.diff(picture.astype(int), axis=1)).max(axis=-1)
    assert (step == 0).mean() > 0.9
    table = np.asarray([GROUND, *COLOURS]) * 255
    near = np.abs(picture[..., None, :] - table).max(axis=-1).min(axis=-1)
    assert (near < 3).mean() > 0.9
    # The coat is one mass, and the corner belongs to the wall, which is the ground.
    coat = np.median(picture[150:175, 70:110].reshape(-1, 3), axis=0)
    assert coat == pytest.approx(np.asarray(COLOURS[3]) * 255, abs=3)
    assert picture[4, 4] == pytest.approx(np.asarray(GROUND) * 255, abs=3)


def test_strokes_run_along_the_forms() -> None:
    """On circles the strokes run around; their grain alone, without the circles' own light, does as well."""
    picture = rendered("waves", WORDS["van_gogh"])
    assert alignment(picture) > 0.5
    grain = picture.astype(np.float32) - blur(picture.astype(np.float32), 5)
    assert alignment(np.clip(grain + 128, 0, 255).astype(np.uint8)) > 0.25
    turned = np.ascontiguousarray(np.roll(picture, SIDE // 2, axis=1))
    assert alignment(turned) < 0.2


def test_emotions_change_the_light() -> None:
    joy, sadness = (rendered("portrait", words).astype(float) for words in ("joyful mood", "sad mood"))
    assert joy.mean() > PHOTOS["portrait"].mean() > sadness.mean()
    assert (joy[..., 0] - joy[..., 2]).mean() > (sadness[..., 0] - sadness[..., 2]).mean() + 20
    assert np.ptp(joy, axis=-1).mean() > 1.5 * np.ptp(sadness, axis=-1).mean()


def test_another_background_leaves_the_figure() -> None:
    picture = rendered("portrait", "a forest at night, another background, photo")
    away = np.abs(picture.astype(int) - PHOTOS["portrait"]).mean(axis=-1)
    # The medium darkens the corners a little.
    assert away[50:105, 75:105].mean() < 22
    assert away[:60, :30].mean() > 44


def test_a_panda_mask_covers_the_head_only() -> None:
    photo = PHOTOS["portrait"]
    x, y, radius = find_head((photo / 255).astype(np.float32))
    assert [x, y] == [pytest.approx(90, abs=10), pytest.approx(75, abs=14)]
    assert 20 < radius < 50
    picture = rendered("portrait", "wearing a panda mask, photo").astype(int)
    head = picture[int(y - radius) : int(y + radius), int(x - radius) : int(x + radius)]
    assert (head.min(axis=-1) > 150).mean() > 0.3
    assert (head.max(axis=-1) < 80).mean() > 0.08
    away = np.abs(picture - photo).mean(axis=-1)
    # The medium darkens the corners a little.
    assert away[140:].mean() < 20
    assert away[int(y - radius) : int(y + radius), 70:110].mean() > 50


def test_any_photo_can_be_rendered() -> None:
    sources = (np.zeros((40, 24, 3), np.uint8), np.full((24, 60, 3), 255, np.uint8))
    for words in (*WORDS.values(), "another background, panda mask, sad mood, photo"):
        for source in sources:
            order = ImageRequest(words, "", source.shape[1], source.shape[0], 2, 7.5, 1)
            assert Painter().transform(source, order, 0.7, unwatched).shape == source.shape
