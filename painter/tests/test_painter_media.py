"""The painter's media: how words select one, and what is true of all of them."""

from dataclasses import fields
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from easel_painter import Painter
from easel_painter.artists import ARTISTS
from easel_painter.lexicon import MEDIA
from easel_painter.manner import PLAIN, Manner
from easel_painter.media.cells import nearest_points
from easel_painter.media.pixel_art import PixelArt
from easel_painter.media.table import MEDIUM_CLASSES
from easel_painter.reading import Reading, read
from generator.engines.base import ImageRequest, Pixels, Stopped, unwatched
from tests.support.repeats import repeats

WORDS = {name: exact.split(",")[0] for name, (exact, *_) in (MEDIA | ARTISTS).items()} | {PLAIN: ""}


def in_medium(prompt: str, medium: str) -> str:
    return f"{prompt}, {WORDS[medium]}"


SIDE_PX = 176
"""The shortest side that is painted directly; a smaller picture is painted larger first, which takes longer."""


def request(
    prompt: str, width: int = SIDE_PX // 2, height: int = SIDE_PX // 2, steps: int = 8, seed: int = 3
) -> ImageRequest:
    return ImageRequest(prompt, "", width, height, steps, 7.5, seed)


@cache
def painted(prompt: str, steps: int = 8) -> Pixels:
    """Return a small picture; pictures used by several tests are painted once."""
    return Painter().generate(request(prompt, steps=steps), unwatched)


def distance(a: Pixels, b: Pixels) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def what_is_asked(reading: Reading) -> dict[str, object]:
    return {entry.name: getattr(reading, entry.name) for entry in fields(reading) if entry.name != "manner"}


def test_every_medium_of_the_lexicon_has_a_class() -> None:
    assert set(MEDIUM_CLASSES) == {*MEDIA, *ARTISTS, PLAIN}


@pytest.mark.parametrize(
    ("prompt", "medium"),
    [
        ("зимний лес, акварель", "watercolour"),
        ("портрет старика, масло", "oil"),
        ("море, написанное маслом на холсте", "oil"),
        ("чёрно-белый рисунок карандашом", "pencil"),
        ("гора тушью", "ink"),
        ("витраж с птицей", "stained_glass"),
        ("мозаичный пол", "mosaic"),
        ("замок, пиксель-арт", "pixel_art"),
        ("замок, 8-битная игра, пиксели", "pixel_art"),
        ("фотография моря", "photo"),
        ("лоу-поли горы", "low_poly"),
        ("castle, 16 bit", "pixel_art"),
        ("an 8-bit castle", "pixel_art"),
        ("a mountain, sumi-e", "ink"),
        ("sea, black and white", "ink"),
        ("a drawing in ink", "ink"),
        ("a sketch of a house", "pencil"),
        ("watercolour and ((ink))", "ink"),
        ("(watercolour) and ink", "watercolour"),
        ("watercolour painting", "watercolour"),
        ("[[[[mosaic]]]] of the sea", PLAIN),
        ("a path of small stones by the sea", PLAIN),
        ("soft light on flat sand", PLAIN),
        ("the sea", PLAIN),
    ],
)
def test_media_are_understood_in_two_languages(prompt: str, medium: str) -> None:
    assert read(prompt).manner.medium == medium


def test_the_negative_prompt_excludes_a_medium() -> None:
    assert read("sea, oil painting, ink", "oil painting, thick brush strokes").manner.medium == "ink"
    assert read("sea, mosaic", "mosaic").manner.medium == PLAIN
    assert read("sea, photo, black and white", "black and white").manner == Manner("photo")


def test_black_and_white_may_describe_a_subject() -> None:
    assert read("a black and white boat").manner == Manner()
    assert read("a boat, photo, black and white").manner == Manner("photo", monochrome=True)


def test_without_colours_a_picture_is_grey() -> None:
    picture = Painter().generate(request("a red house, photo, black and white"), unwatched)
    assert np.ptp(picture.astype(int), axis=-1).max() <= 2


@pytest.mark.parametrize("medium", MEDIUM_CLASSES)
@pytest.mark.parametrize("prompt", ["a city by the sea under the stars, snow", *repeats("abstract")])
def test_equal_requests_give_equal_bytes_in_every_medium(medium: str, prompt: str) -> None:
    order = request(in_medium(prompt, medium))
    assert Painter().generate(order, unwatched).tobytes() == Painter().generate(order, unwatched).tobytes()


@pytest.mark.parametrize("medium", MEDIUM_CLASSES)
@pytest.mark.parametrize("size", [(200, 120), *repeats((64, 2048), (2048, 64))])
def test_every_medium_has_every_requested_size(medium: str, size: tuple[int, int]) -> None:
    order = request(in_medium("a lighthouse by the sea", medium), *size, steps=3)
    picture = Painter().generate(order, unwatched)
    assert picture.shape == (size[1], size[0], 3)
    assert picture.std() > 5
    assert picture.tobytes() == Painter().generate(order, unwatched).tobytes()


@pytest.mark.parametrize("medium", MEDIUM_CLASSES)
@pytest.mark.parametrize("steps", [1, *repeats(2, 150)])
def test_every_number_of_steps_works(medium: str, steps: int) -> None:
    prompt = in_medium("a castle above a lake", medium)
    picture, full = painted(prompt, steps), painted(prompt, 30)
    assert picture.std() > 5
    # Even one step gives the same picture that more steps refine.
    assert distance(picture, full) < 55


@pytest.mark.parametrize("medium", MEDIUM_CLASSES)
def test_the_steps_converge_to_the_picture(medium: str) -> None:
    frames: list[Pixels] = []
    order = request(in_medium("a lighthouse by the sea at sunset", medium), steps=16)
    final = Painter().generate(order, lambda done, snapshot=None: frames.append(snapshot()) if snapshot else None)
    away = [distance(frame, final) for frame in frames]
    assert len(away) == 16
    assert away[0] > away[5] > away[10] > away[15] == 0
    # The distance never grows by more than a little.
    assert all(later < earlier + 1.5 for earlier, later in pairwise(away))


def test_media_differ_more_than_seeds() -> None:
    pictures = {name: painted(in_medium("a castle above a lake", name), 30) for name in MEDIUM_CLASSES}
    for one, other in product(pictures, repeat=2):
        if one != other:
            assert distance(pictures[one], pictures[other]) > 3, (one, other)


def test_a_medium_does_not_change_the_scene() -> None:
    plain, photo = (read(text) for text in ("a castle, zephyr", "a castle, zephyr, photograph, natural light"))
    assert what_is_asked(plain) == what_is_asked(photo)


@pytest.mark.parametrize("medium", MEDIUM_CLASSES)
def test_stopping_interrupts_the_preparations(medium: str) -> None:
    calls = 0

    def stop(done: float, snapshot: object = None) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Stopped

    with pytest.raises(Stopped):
        Painter().generate(request(in_medium("sea", medium)), stop)


def test_pixel_art_has_large_pixels_and_few_colours() -> None:
    picture = Painter().generate(request("a castle at night, pixel art", 256, 256, 50), unwatched)
    cells = picture[::2, ::2]
    assert (np.repeat(np.repeat(cells, 2, 0), 2, 1) == picture).all()
    assert 8 <= len(np.unique(picture.reshape(-1, 3), axis=0)) <= 32
    assert issubclass(MEDIUM_CLASSES["pixel_art"], PixelArt)


def test_low_poly_is_made_of_flat_parts() -> None:
    flat, plain = (
        Painter().generate(request(f"a forest road{words}", 192, 192, 20), unwatched) for words in (", low poly", "")
    )

    def unchanged(picture: Pixels) -> float:
        return float((np.abs(np.diff(picture.astype(int), axis=1)).max(axis=-1) == 0).mean())

    assert unchanged(flat) > 0.4 > 3 * unchanged(plain)


def test_watercolour_leaves_its_border_unpainted() -> None:
    picture = Painter().generate(request("the sea at night, watercolour", SIDE_PX, SIDE_PX, 12), unwatched)
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert rim.mean() > 220 > picture[32:-32, 32:-32].mean() + 80


def test_ink_keeps_one_requested_colour() -> None:
    grey, red = (
        Painter().generate(
            request(f"a {word} house in a meadow, ink drawing, black and white", SIDE_PX, SIDE_PX, 6), unwatched
        )
        for word in ("small", "red")
    )

    def coloured(picture: Pixels) -> float:
        return float((np.ptp(picture.astype(int), axis=-1) > 60).mean())

    assert coloured(grey) == 0
    assert 0 < coloured(red) < 0.4


def test_nearest_points_are_found() -> None:
    points = np.random.default_rng(5).uniform(0, 80, (60, 2)).astype(np.float32)
    found = nearest_points(points, 80, 80, 80)
    y, x = np.mgrid[:80, :80]
    away = np.hypot(points[:, 0] - x[..., None], points[:, 1] - y[..., None])
    off = np.take_along_axis(away, found[..., None].astype(int), axis=-1)[..., 0] - away.min(axis=-1)
    assert off.max() < 1.5
    assert (off > 1e-3).mean() < 0.01


def _gradient() -> Pixels:
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX]
    return np.stack([40 + y, 200 - y / 2, 60 + x], axis=-1).clip(0, 255).astype(np.uint8)


def _photo_like() -> Pixels:
    image = Image.fromarray(_gradient())
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 30, 80, 95), fill=(225, 70, 40))
    draw.rectangle((90, 80, 140, 140), fill=(30, 80, 50))
    noise = np.random.default_rng(2).normal(0, 8, (SIDE_PX, SIDE_PX, 3))
    return (np.asarray(image) + noise).clip(0, 255).astype(np.uint8)


def _line_drawing() -> Pixels:
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 30, 120, 120), outline="black", width=3)
    draw.line((20, 140, 140, 20), fill="black", width=3)
    return np.asarray(image)


def _flat(value: int) -> Pixels:
    return np.full((SIDE_PX, SIDE_PX, 3), value, dtype=np.uint8)


SOURCES = {
    "gradient": _gradient(),
    "photo": _photo_like(),
    "lines": _line_drawing(),
    "black": _flat(0),
    "white": _flat(255),
}
STRENGTHS = (0.05, 0.3, 0.6, 0.9)
TRANSFORMED = ["a castle at sunset, oil painting", *repeats("a castle at sunset", "a lake, watercolour")]


@cache
def transformed(kind: str, prompt: str, strength: float) -> Pixels:
    source = SOURCES[kind]
    order = request(prompt, source.shape[1], source.shape[0], 8)
    return Painter().transform(source, order, strength, unwatched)


def edges(picture: Pixels) -> NDArray[np.float64]:
    grey = np.asarray(Image.fromarray(picture).convert("L").filter(ImageFilter.GaussianBlur(1.5)), dtype=float)
    dy, dx = np.gradient(grey)
    # Exclude the border, which belongs to the medium.
    return np.asarray(np.hypot(dx, dy)[16:-16, 16:-16].ravel())


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("prompt", TRANSFORMED)
def test_the_source_fades_as_the_strength_grows(kind: str, prompt: str) -> None:
    source = SOURCES[kind]
    away = [distance(transformed(kind, prompt, strength), source) for strength in STRENGTHS]
    # On a white source, paper and washes nearly cancel out: a small decrease is no error.
    assert all(later > earlier - 1 for earlier, later in pairwise(away))
    assert away[0] < 12 < away[-1]


@pytest.mark.parametrize("kind", ["photo", "lines"])
@pytest.mark.parametrize("prompt", TRANSFORMED)
def test_the_source_keeps_its_edges_at_low_strength(kind: str, prompt: str) -> None:
    source = SOURCES[kind]
    alike = [
        float(np.corrcoef(edges(source), edges(transformed(kind, prompt, strength)))[0, 1]) for strength in STRENGTHS
    ]
    assert alike[0] > 0.75
    assert alike[1] > 0.5
    assert all(later < earlier + 0.04 for earlier, later in pairwise(alike))
    assert alike[-1] < 0.45


def test_strength_0_keeps_the_source_and_1_ignores_it() -> None:
    source = SOURCES["photo"]
    assert (transformed("photo", "a castle", 0.0) == source).all()
    order = request("a castle", SIDE_PX, SIDE_PX, 8)
    assert (transformed("photo", "a castle", 1.0) == Painter().generate(order, unwatched)).all()


@pytest.mark.parametrize("kind", ["photo", *repeats(*(kind for kind in SOURCES if kind != "photo"))])
@pytest.mark.parametrize("medium", MEDIUM_CLASSES)
def test_every_source_works_in_every_medium(kind: str, medium: str) -> None:
    picture = transformed(kind, in_medium("a red lighthouse", medium), 0.4)
    assert picture.shape == (SIDE_PX, SIDE_PX, 3)
