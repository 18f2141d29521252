"""Figures that the painter puts into a given place."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from easel_painter import Painter
from easel_painter.lexicon import MEDIA
from easel_painter.media.table import MEDIUM_CLASSES
from generator.engines.base import ImageRequest, Pixels, Scene

WIDTH, HEIGHT = 192, 176
WORDS = {name: MEDIA[name][0].split(",")[0] if name in MEDIA else "" for name in MEDIUM_CLASSES}


def mannequin(*, lines: bool = False) -> Pixels:
    image = Image.new("RGB", (WIDTH, HEIGHT), "black" if lines else "white")
    draw = ImageDraw.Draw(image)
    if lines:
        for way in ([(90, 30), (90, 100)], [(90, 100), (76, 160)], [(90, 100), (104, 160)], [(60, 70), (120, 50)]):
            draw.line(way, fill="yellow", width=2)
    else:
        draw.rectangle([70, 44, 110, 100], fill="grey")
        draw.ellipse([80, 20, 100, 46], fill="grey")
        draw.rectangle([74, 100, 88, 160], fill="grey")
        draw.rectangle([92, 100, 106, 160], fill="grey")
    return np.asarray(image)


COAT, FACE = (slice(56, 84), slice(78, 102)), (slice(26, 42), slice(84, 96))


def scene(pose: Pixels, face: bool = False) -> Scene:
    rows = np.linspace(90, 170, HEIGHT)[:, None, None]
    background = np.broadcast_to(rows, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    pose_mask, face_mask = (np.zeros((HEIGHT, WIDTH), np.uint8) for _ in range(2))
    pose_mask[16:166, 50:130] = 255
    face_mask[FACE] = 255
    return Scene(background, pose, pose_mask, face_mask if face else None)


def place(given: Scene, prompt: str) -> Pixels:
    return Painter().place(given, ImageRequest(prompt, "", WIDTH, HEIGHT, 12, 7.5, 3), lambda *_: None)


@pytest.mark.parametrize("medium", sorted(MEDIUM_CLASSES))
def test_every_medium_paints_the_figure_and_keeps_the_place(medium: str) -> None:
    given = scene(mannequin())
    painted = place(given, f"a person, {WORDS[medium]}")
    outside = given.pose_mask == 0
    assert (painted[outside] == given.background[outside]).all()
    changed = np.abs(painted.astype(int) - given.background).max(-1) > 8
    assert changed[COAT].mean() > 0.8
    assert changed[:, 50:64].mean() < 0.1


@pytest.mark.parametrize(("words", "channel"), [("a woman in a red coat", 0), ("мужчина в синем пальто", 2)])
def test_the_coat_has_the_colour_of_the_words(words: str, channel: int) -> None:
    coat = place(scene(mannequin()), words)[COAT].reshape(-1, 3).mean(0)
    assert coat[channel] == coat.max()
    assert coat[channel] > 1.4 * np.delete(coat, channel).mean()


def test_the_light_is_that_of_the_words() -> None:
    day, night = (place(scene(mannequin()), f"a man in a red coat, {hour}")[COAT].mean() for hour in ("noon", "night"))
    assert night < 0.8 * day


def test_lines_become_limbs() -> None:
    given = scene(mannequin(lines=True))
    changed = (place(given, "a man") != given.background).any(-1)
    drawn = (given.pose > 0).any(-1)
    assert changed[drawn].mean() > 0.95
    assert changed.sum() > 2.5 * drawn.sum()


def test_a_face_is_a_patch_of_skin() -> None:
    without, having = (place(scene(mannequin(), face), "a man in a blue coat, night")[FACE] for face in (False, True))
    skin = having.reshape(-1, 3).mean(0)
    assert skin[0] > without.reshape(-1, 3).mean(0)[0] + 10
    assert having.std((0, 1)).max() < 40


def test_without_a_figure_the_mask_is_the_body() -> None:
    given = scene(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    changed = (place(given, "a man") != given.background).any(-1)
    assert changed[given.pose_mask == 255].mean() > 0.9


def test_a_small_scene_is_exact_too() -> None:
    given = scene(mannequin())
    small = Scene(given.background[::2, ::2], given.pose[::2, ::2], given.pose_mask[::2, ::2])
    painted = Painter().place(small, ImageRequest("a man", "", WIDTH // 2, HEIGHT // 2, 5, 7.5, 3), lambda *_: None)
    outside = small.pose_mask == 0
    assert (painted[outside] == small.background[outside]).all()
    assert (painted != small.background).any()
