"""The painter's close subjects: creatures, portraits, still lifes and abstract pictures."""

import numpy as np
import pytest

from easel_painter import Painter, abstract
from easel_painter.canvas import Scene
from easel_painter.close.closeup import subject
from easel_painter.composition import is_abstract, paint_scene
from easel_painter.lexicon import COLOURS
from easel_painter.reading import read
from generator.engines.base import DescriptionOptions, ImageRequest
from tests.support.repeats import repeats

LONG = repeats((144, 256), (64, 2048), (2048, 64))


def scene_of(prompt: str, negative: str = "", seed: int = 1, size: tuple[int, int] = (128, 128)) -> Scene:
    return paint_scene(ImageRequest(prompt, negative, *size, 10, 7.5, seed), read(prompt, negative))


def share_of(colour: str, scene: Scene, where: tuple[slice, slice] = (slice(None), slice(None))) -> float:
    """Return the share of the picture that is nearer to a named colour than to any other."""
    table = np.asarray([entry[2] for entry in COLOURS.values()])
    nearest = ((scene.rgb[where].reshape(-1, 1, 3) - table) ** 2).sum(axis=-1).argmin(axis=-1)
    return float((nearest == list(COLOURS).index(colour)).mean())


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("a cat", {"cat"}),
        ("два котёнка", {"cat"}),
        ("кошка на крыше", {"cat", "roof"}),
        ("a cat on a windowsill", {"cat", "window"}),
        ("a sparrow on a branch", {"bird", "branch"}),
        ("птица на ветке", {"bird", "branch"}),
        ("an owl in the forest", {"owl", "branch"}),
        ("сова ночью", {"owl", "branch"}),
        ("a raven over a castle", {"raven", "castle"}),
        ("ворона", {"raven"}),
        ("a swan", {"swan", "lake"}),
        ("лебедь на озере", {"swan", "lake"}),
        ("ducks on a pond", {"duck", "lake"}),
        ("чайки над морем", {"gull", "sea"}),
        ("seagulls over the sea", {"gull", "sea"}),
        ("снегирь", {"bullfinch", "branch"}),
        ("a parrot", {"parrot"}),
        ("a goldfish", {"fish"}),
        ("золотая рыбка", {"fish"}),
        ("koi in a pond", {"koi"}),
        ("a whale", {"whale"}),
        ("дельфин", {"dolphin"}),
        ("a shark", {"shark"}),
        ("portrait of a woman", {"portrait", "woman"}),
        ("портрет старика", {"portrait", "man"}),
        ("лицо девушки", {"portrait", "woman"}),
        ("мужчина", {"portrait", "man"}),
        ("a queen", {"portrait", "woman", "crown"}),
        ("a man in a hat, portrait", {"portrait", "man", "hat"}),
        ("a man on a road", {"man", "road"}),
        ("a woman by the sea", {"woman", "sea"}),
        ("люди на дороге", {"people", "road"}),
        ("still life", {"still life"}),
        ("натюрморт с грушами", {"still life", "pears"}),
        ("яблоки на столе", {"still life", "apples"}),
        ("grapes and a bottle of wine", {"still life", "grapes", "bottle"}),
        ("a bowl of lemons", {"still life", "bowl", "lemons"}),
        ("a vase with flowers", {"still life", "vase"}),
        ("bread, a candle and a book", {"still life", "bread", "candle", "book"}),
        ("чайник и апельсины", {"still life", "teapot", "oranges"}),
        ("a cat and a bird", {"cat", "bird"}),
        ("a dog in a field", {"dog", "field"}),
        ("собака", {"dog"}),
        ("a horse by a castle", {"horse", "castle"}),
        ("белый конь", {"horse"}),
    ],
)
@pytest.mark.parametrize("seed", [1, *repeats(2)])
def test_the_requested_subject_is_shown(prompt: str, shown: set[str], seed: int) -> None:
    assert shown <= set(scene_of(prompt, seed=seed, size=(64, 64)).shown)


@pytest.mark.parametrize(
    ("prompt", "absent"),
    [
        ("an apple tree", "still life"),
        ("яблоня в саду", "still life"),
        ("a book in a castle", "still life"),
        ("life in a city", "still life"),
    ],
)
def test_a_word_mentioned_in_passing_makes_no_still_life(prompt: str, absent: str) -> None:
    assert absent not in scene_of(prompt, size=(64, 64)).shown


def test_the_negative_prompt_leaves_creatures_out() -> None:
    assert "bird" not in scene_of("a cat and a bird", "bird", size=(64, 64)).shown
    assert subject(read("an owl", "owl, bird")) is None


@pytest.mark.parametrize(
    ("prompt", "other", "colour", "least"),
    [
        ("a black cat in a meadow at noon", "a white cat in a meadow at noon", "black", 0.06),
        ("белая кошка на лугу днём", "чёрная кошка на лугу днём", "white", 0.02),
        ("a red bird at noon", "a blue bird at noon", "red", 0.03),
        ("красная птица днём", "синяя птица днём", "red", 0.03),
        ("a blue bird at noon", "a red bird at noon", "blue", 0.02),
        ("an orange fish", "a blue fish", "orange", 0.02),
        ("portrait of a woman in a red dress", "portrait of a woman in a green dress", "red", 0.04),
        ("green apples", "red apples", "green", 0.01),
        ("a blue vase with flowers", "a brown vase with flowers", "blue", 0.02),
    ],
)
def test_a_named_colour_is_used(prompt: str, other: str, colour: str, least: float) -> None:
    with_it, without = (share_of(colour, scene_of(words, size=(192, 192))) for words in (prompt, other))
    assert with_it - without >= least


@pytest.mark.parametrize("prompt", ["a cat", "a bird", "koi", "a goldfish", "portrait", "apples", "abstract", "people"])
def test_seeds_differ_and_repeat(prompt: str) -> None:
    pictures = [scene_of(prompt, seed=seed, size=(96, 96)).rgb for seed in (1, 2, 3)]
    assert np.array_equal(pictures[0], scene_of(prompt, seed=1, size=(96, 96)).rgb)
    assert float(np.abs(pictures[0] - pictures[1]).mean()) > 0.02
    assert float(np.abs(pictures[1] - pictures[2]).mean()) > 0.02


@pytest.mark.parametrize("size", [(256, 144), (64, 64), *LONG])
@pytest.mark.parametrize(
    "prompt",
    [
        "a cat on a windowsill",
        "a cat on a roof at night",
        "a cat by the fire and a bird",
        "an owl in winter",
        "seagulls over the sea",
        "two swans",
        "goldfish",
        "koi",
        "a shark",
        "a queen with long hair",
        "an old man with a beard and a hat",
        "people by a lake",
        "a dog",
        "a horse",
        "a bowl of fruit, a candle, bread, a book and a vase with flowers",
    ],
)
def test_every_size_works(prompt: str, size: tuple[int, int]) -> None:
    scene = scene_of(prompt, size=size)
    assert scene.rgb.shape == (size[1], size[0], 3)
    assert bool(np.isfinite(scene.rgb).all())
    assert float(scene.rgb.std()) > 0.02


@pytest.mark.parametrize("kind", abstract.KINDS)
@pytest.mark.parametrize("size", [(96, 96), *LONG])
def test_every_kind_of_abstract_picture_works(kind: str, size: tuple[int, int]) -> None:
    for seed in range(1, 7 if size == (96, 96) and kind == "abstract" else 3):
        reading = read("abstract")
        reading.motifs = {kind: 1.0}
        scene = paint_scene(ImageRequest("abstract", "", *size, 10, 7.5, seed), reading)
        assert scene.rgb.shape == (size[1], size[0], 3)
        assert float(scene.rgb.std()) > 0.02
        assert scene.shown == []


def test_words_choose_the_kind_of_abstraction() -> None:
    assert read("a mandala").has("mandala")
    assert read("кубизм").has("geometry")
    assert is_abstract(read("the sound of a cello"))
    assert is_abstract(read("minimal colour field"))
    assert not is_abstract(read("the sound of the sea"))
    assert not is_abstract(read("an abstract cat"))


@pytest.mark.parametrize(
    "prompt",
    ["abstract geometry in blue and red", "music in blue and red", "minimal, blue and red", "mandala, blue, red"],
)
def test_named_colours_dominate_an_abstract_picture(prompt: str) -> None:
    scene = scene_of(prompt)
    assert share_of("blue", scene) + share_of("red", scene) > 0.25


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a black cat at noon", "a black cat"),
        ("portrait of a woman", "a portrait of a woman"),
        ("fruit on a table, still life", "a still life with"),
        ("an owl at night", "an owl"),
        ("an orange fish", "an orange fish"),
        ("seagulls over the sea", "gull"),
    ],
)
def test_descriptions_name_the_near_subjects(prompt: str, words: str) -> None:
    request = ImageRequest(prompt, "", 176, 176, 8, 7.5, 3)
    picture = Painter().generate(request, lambda done, snapshot=None: None)
    told = Painter().describe(picture, request, DescriptionOptions(40, 16, False, ()))
    assert words in told
    assert "none" not in told.lower()
