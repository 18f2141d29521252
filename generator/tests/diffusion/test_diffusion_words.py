"""What is said without a captioner of pictures of the painter that were not fitted, and of others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_suite import OPTIONS, request
from PIL import Image

from generator.engines.base import Pixels
from generator.engines.diffusion import learn_words, learned
from generator.engines.diffusion.describing import Describer
from generator.engines.diffusion.learned import KINDS, NONE, Kind
from generator.engines.diffusion.mini import vgg
from generator.engines.diffusion.mini.captions import SUBJECTS, labels_of
from generator.engines.diffusion.mini.pool import judging
from generator.engines.diffusion.mini.probe import labels_array
from generator.engines.diffusion.ridge import Ridge

DOCS = Path(__file__).parents[3] / "docs"
UNSEEN = range(40_000, 40_024)


@pytest.fixture(scope="module")
def painted() -> list[Pixels]:
    return [judging(number, 64) for number in UNSEEN]


@pytest.fixture(scope="module")
def recognised(painted: list[Pixels]) -> list[tuple[int, ...]]:
    """Ask once about each picture."""
    return [learned.recognise(picture) for picture in painted]


def foreign() -> dict[str, Pixels]:
    """Return noise, a gradient, even colours and screenshots."""
    rng = np.random.default_rng(7)
    slope = np.linspace(0, 255, 96)[None, :, None]
    found = {
        "noise": rng.integers(0, 256, (64, 64, 3), np.uint8),
        "coarse noise": rng.integers(0, 256, (16, 16, 3), np.uint8).repeat(16, 0).repeat(16, 1),
        "gradient": np.broadcast_to(slope, (64, 96, 3)).astype(np.uint8),
        "grey": np.full((300, 200, 3), 128, np.uint8),
        "black": np.zeros((64, 64, 3), np.uint8),
        "white": np.full((64, 64, 3), 255, np.uint8),
        "line": np.zeros((8, 2000, 3), np.uint8),
    }
    for path in sorted(DOCS.glob("*.webp")):
        if path.stem not in ("gallery", "painter", "pictures"):  # those show pictures of the painter
            found[path.stem] = np.asarray(Image.open(path).convert("RGB"))
    return found


def test_most_subjects_are_recognised_and_hardly_any_wrongly(recognised: list[tuple[int, ...]]) -> None:
    found = np.array(recognised)
    labels = labels_array(UNSEEN)
    named = found != NONE
    right = found == labels
    assert right[:, 0].mean() >= 0.5
    assert right[:, 1:].mean() >= 0.3
    assert right[named].mean() >= 0.85


def test_a_sentence_says_what_is_recognised(painted: list[Pixels], recognised: list[tuple[int, ...]]) -> None:
    place = next(k for k, found in enumerate(recognised) if NONE not in found)
    sentence = Describer("").describe(painted[place], None, OPTIONS)
    subject = recognised[place][0]
    assert f" of {SUBJECTS[subject].painter} " in sentence
    assert sentence == learned.sentences(painted[place])[0]
    short = Describer("").describe(painted[place], None, replace(OPTIONS, blip_max_len=5))
    assert len(short.split()) <= 5
    assert short in learned.sentences(painted[place])


@pytest.mark.parametrize(("name", "picture"), foreign().items())
def test_nothing_is_guessed(name: str, picture: Pixels) -> None:
    height, width = picture.shape[:2]
    assert Describer("").describe(picture, None, OPTIONS) == f"a picture of {width} x {height} pixels"


def test_a_picture_painted_here_is_described_by_its_prompt(painted: list[Pixels]) -> None:
    words = labels_of(UNSEEN[0]).prompt
    assert Describer("").describe(painted[0], request(prompt=words), OPTIONS) == words


def test_without_the_features_the_size_is_named(painted: list[Pixels], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vgg, "is_available", lambda: False)
    assert Describer("").describe(painted[0], None, OPTIONS) == "a picture of 64 x 64 pixels"


def made(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features that depend on the labels, and labels of all classes and of none."""
    rng = np.random.default_rng(seed)
    labels = np.stack([np.arange(240) % (count + 1) for count in KINDS.values()], 1)
    centres = [np.random.default_rng(k).normal(size=(count + 1, 300)) for k, count in enumerate(KINDS.values())]
    features = sum(centre[labels[:, k]] for k, centre in enumerate(centres)) + rng.normal(size=(240, 300))
    return features.astype(np.float32), labels


def test_fitting_names_what_was_learnt_and_keeps_it_in_a_file(tmp_path: Path) -> None:
    kinds = learn_words.fit(*made(1))
    learned.save(kinds, tmp_path / "words.safetensors")
    loaded = learned.load(tmp_path / "words.safetensors")
    features, labels = made(2)
    for place, (name, count) in enumerate(KINDS.items()):
        found = kinds[name].name(features)
        named = found != NONE
        assert named.mean() > 0.5
        assert (found == labels[:, place])[named].mean() > 0.9
        assert not (named & (labels[:, place] == count)).all()
        assert (loaded[name].name(features) == found).mean() > 0.98


def test_who_does_not_lead_by_enough_is_not_named() -> None:
    ridge = Ridge(np.zeros(3, np.float32), np.ones(3, np.float32), np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    features = np.array([[1, 0.8, 0], [1, 0.4, 0], [0, 0.2, 1]], np.float32)
    assert Kind(ridge, 0.5).name(features).tolist() == [NONE, 0, NONE]


def test_the_least_lead_is_that_with_few_enough_mistakes() -> None:
    leads = np.array([0.9, 0.8, 0.6, 0.3, 0.1], np.float32)
    values = np.stack([leads, np.zeros(5), np.full(5, -1)], 1).astype(np.float32)
    classes = np.array([0, 0, 1, 0, 1])
    assert learn_words.least_lead(values, classes, 0.7) == pytest.approx(0.3)
    assert learn_words.least_lead(values, classes, 1.0) == pytest.approx(0.8)
    assert learn_words.least_lead(values, 1 - np.zeros(5, np.int64), 1.0) == float("inf")


def test_a_picture_keeps_its_shape_when_it_is_made_small() -> None:
    assert learned.shrunk(np.zeros((512, 128, 3), np.uint8)).shape == (128, 32, 3)
    assert learned.shrunk(np.zeros((40, 40, 3), np.uint8)).shape == (40, 40, 3)
    assert learned.shrunk(np.zeros((8, 4096, 3), np.uint8)).shape[0] == 16
