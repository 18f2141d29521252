"""Captioners: tiny models of the real classes, compared with what the library's own functions answer."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tiny_captioners
import torch
import transformers
from engine_suite import OPTIONS, request
from PIL import Image
from tiny_models import change

from generator.engines.base import Pixels
from generator.engines.diffusion.captioner import Captioner
from generator.engines.diffusion.describing import Describer
from generator.engines.diffusion.engine import Diffusion
from generator.engines.diffusion.folder import BadModel
from generator.engines.diffusion.phrases import PHRASES
from generator.engines.diffusion.studio import Studio

RED, BLACK = (np.full((64, 72, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 0)))
SQUARES = [np.random.default_rng(k).integers(0, 256, (8, 8, 3), np.uint8).repeat(9, 0).repeat(9, 1) for k in range(6)]
MOST = replace(OPTIONS, clip_max_len=40)


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_captioners.save_blip(tmp_path_factory.mktemp("captioners") / "blip")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_captioners.save_clip(tmp_path_factory.mktemp("captioners") / "clip")


@pytest.fixture(scope="module")
def captioner(blip: Path, clip: Path) -> Captioner:
    return Captioner(f"{clip}, {blip}")


def near(clip: Path, picture: Pixels, texts: list[str]) -> list[float]:
    """Ask the library how near texts are to a picture."""
    model = transformers.CLIPModel.from_pretrained(clip)
    tokenizer = transformers.CLIPTokenizer.from_pretrained(clip)
    images = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    with torch.inference_mode():
        answer = model(
            **tokenizer(texts, padding=True, truncation=True, max_length=77, return_tensors="pt"),
            **images(Image.fromarray(picture), return_tensors="pt"),
        )
    found: list[float] = answer.logits_per_image[0].tolist()
    return found


@pytest.mark.parametrize(("picture", "sentence"), zip((RED, BLACK), tiny_captioners.SENTENCES, strict=True))
def test_blip_says_what_it_was_taught(captioner: Captioner, picture: Pixels, sentence: str) -> None:
    assert captioner.sentence(picture, OPTIONS) == sentence
    assert captioner.sentence(picture, replace(OPTIONS, blip_max_len=5)) == " ".join(sentence.split()[:5])
    assert captioner.sentence(picture, replace(OPTIONS, blip_max_len=512)) == sentence


def test_blip_sees_what_the_library_would_show_it(captioner: Captioner, blip: Path) -> None:
    images = transformers.BlipImageProcessorPil(size={"height": 32, "width": 32})
    model = transformers.BlipForConditionalGeneration.from_pretrained(blip)
    tokenizer = transformers.BertTokenizer.from_pretrained(blip)
    for picture in SQUARES:
        values = images(Image.fromarray(picture), return_tensors="pt")
        tokens = model.generate(**values, max_new_tokens=9, num_beams=3, do_sample=False)
        expected = tokenizer.decode(tokens[0], skip_special_tokens=True)
        assert captioner.sentence(picture, replace(OPTIONS, blip_max_len=9)) == expected


def test_each_phrase_brings_the_words_nearer_to_the_picture(captioner: Captioner, clip: Path) -> None:
    lengths = []
    for picture in SQUARES:
        chosen = captioner.phrases(picture, "a boat", MOST)
        texts = [", ".join(["a boat", *chosen[:count]]) for count in range(len(chosen) + 1)]
        values = near(clip, picture, texts)
        assert all(later > earlier for earlier, later in pairwise(values))
        lengths.append(len(chosen))
    assert max(lengths) > 1


def test_of_each_kind_the_nearest_phrase_is_tried(captioner: Captioner, clip: Path) -> None:
    kinds = [kind for kind in PHRASES if kind != "traits"]
    found = 0
    for picture in SQUARES:
        chosen = captioner.phrases(picture, "a boat", MOST)
        for kind in kinds:
            phrases = list(PHRASES[kind])
            nearest = phrases[int(np.argmax(near(clip, picture, phrases)))]
            said = [phrase for phrase in chosen if phrase in phrases]
            assert said in ([], [nearest])
            found += len(said)
    assert found > 0


@pytest.mark.parametrize("kind", [kind for kind in PHRASES if kind != "traits"])
def test_kinds_of_phrases_are_left_out(captioner: Captioner, kind: str) -> None:
    for picture in SQUARES:
        chosen = captioner.phrases(picture, "a boat", replace(MOST, skip_list=(kind,)))
        assert not set(chosen) & set(PHRASES[kind])


def test_there_are_at_most_as_many_phrases_as_asked_for(captioner: Captioner) -> None:
    picture = max(SQUARES, key=lambda one: len(captioner.phrases(one, "a boat", MOST)))
    all_of_them = captioner.phrases(picture, "a boat", MOST)
    assert captioner.phrases(picture, "a boat", replace(MOST, clip_max_len=1)) == all_of_them[:1]
    assert captioner.phrases(picture, "a boat", replace(MOST, clip_max_len=0)) == []
    assert captioner.phrases(picture, "a boat", replace(MOST, skip_clip=True)) == []


def test_the_picture_decides_and_not_the_prompt(blip: Path) -> None:
    assert Describer(str(blip)).describe(RED, request(prompt="snow"), OPTIONS) == tiny_captioners.SENTENCES[0]


def test_clip_alone_adds_to_the_prompt(clip: Path, captioner: Captioner) -> None:
    describer = Describer(str(clip))
    for picture in SQUARES:
        chosen = captioner.phrases(picture, "snow", OPTIONS)
        assert describer.describe(picture, request(prompt="snow"), OPTIONS) == ", ".join(["snow", *chosen])


def test_the_captioners_are_reported(blip: Path, clip: Path, studio: Studio) -> None:
    engine = Diffusion.__new__(Diffusion)
    engine.studio, engine.describer = studio, Describer(f"{blip},{clip}")
    model = engine.stats().model
    assert model is not None
    assert (model.name, model.captioner) == ("plain", "blip, clip")


def other_class(folder: Path) -> None:
    change(folder / "config.json", architectures=["BlipForQuestionAnswering"])


def no_class(folder: Path) -> None:
    change(folder / "config.json", architectures=None)


def only_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def many_layers(folder: Path) -> None:
    change(folder / "config.json", text_config={"num_hidden_layers": 1000})


def more_than_there_are_weights(folder: Path) -> None:
    change(folder / "config.json", text_config={"hidden_size": 512})


def a_word_for_a_number(folder: Path) -> None:
    change(folder / "config.json", text_config={"hidden_size": "wide"})


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"")


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def no_configuration(folder: Path) -> None:
    (folder / "config.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (other_class, "no captioner"),
        (no_class, "no captioner"),
        (only_a_pickle, "a pickle"),
        (many_layers, "num_hidden_layers"),
        (more_than_there_are_weights, "more parameters"),
        (a_word_for_a_number, "configuration"),
        (no_weights, "no safetensors"),
        (no_tokenizer, "tokenizer"),
        (no_configuration, "cannot be read"),
    ],
)
def test_bad_captioners_are_refused(blip: Path, tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    folder = Path(shutil.copytree(blip, tmp_path / "blip"))
    spoil(folder)
    with pytest.raises(BadModel, match=words):
        Captioner(str(folder))


def test_two_captioners_of_one_class_are_refused(blip: Path) -> None:
    with pytest.raises(BadModel, match="of one class"):
        Captioner(f"{blip},{blip}")


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(BadModel, match="neither a folder"):
        Captioner("no-such-folder")


def test_phrases_are_distinct() -> None:
    assert set(PHRASES) == {"mediums", "artists", "trendings", "movements", "traits"}
    for phrases in PHRASES.values():
        assert len(set(phrases)) == len(phrases)
        assert all(phrase == phrase.strip() and phrase for phrase in phrases)
