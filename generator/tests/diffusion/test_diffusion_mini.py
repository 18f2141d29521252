"""easel-mini: captions, tokenizer, folder, training and probe, with networks of a few thousand weights."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from easel_painter.reading import read  # noqa: E402
from generator.engines.base import Pixels  # noqa: E402
from generator.engines.diffusion.mini import captions, export, network, train, vocabulary  # noqa: E402
from generator.engines.diffusion.mini.learning import Learner  # noqa: E402
from generator.engines.diffusion.mini.network import Shape  # noqa: E402
from generator.engines.diffusion.mini.pool import Pool, paint  # noqa: E402
from generator.engines.diffusion.mini.sample import contact_sheet, sample  # noqa: E402
from generator.engines.diffusion.mini.vae import SpaceToDepth  # noqa: E402
from generator.engines.diffusion.ridge import Ridge  # noqa: E402

# diffusers passes tensors to NumPy in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TINY = Shape(side=32, widths=(16, 32), text_width=16, text_layers=1)


@pytest.fixture(scope="module")
def pictures() -> Pixels:
    """Give 24 pictures of noise: steps of a training change weights whatever they show."""
    return np.random.default_rng(1).integers(0, 256, (24, 32, 32, 3), np.uint8)


def taught(pictures: Pixels, steps: int) -> Learner:
    learner = Learner(TINY, "cpu", 1e-3)
    for _ in range(steps):
        learner.learn(learner.batch(pictures, 4))
    return learner


def test_every_run_of_pictures_has_each_combination_once() -> None:
    found = Counter(captions.labels_of(number) for number in range(864))
    assert len(found) == 432
    assert set(found.values()) == {2}
    first, second = ([captions.labels_of(k) for k in range(start, start + 432)] for start in (0, 432))
    assert first != second


def test_the_painter_knows_every_prompt() -> None:
    for number in range(432):
        reading = read(captions.labels_of(number).prompt)
        assert reading.unknown == []
        assert reading.motifs


@pytest.mark.parametrize("subject", captions.SUBJECTS, ids=lambda topic: topic.name)
def test_each_subject_has_other_motifs_than_the_rest(subject: captions.Topic) -> None:
    others = [set(read(topic.painter).motifs) for topic in captions.SUBJECTS if topic is not subject]
    assert set(read(subject.painter).motifs) not in others


@pytest.mark.parametrize("medium", captions.MEDIA, ids=lambda topic: topic.name)
def test_what_people_write_for_a_medium_is_that_medium_to_the_painter(medium: captions.Topic) -> None:
    wanted = read(f"a cat, {medium.painter}").manner.medium
    assert {read(f"a cat, {words}").manner.medium for words in (*medium.english, *medium.russian)} == {wanted}


def test_captions_vary_in_words_order_and_language() -> None:
    labels = captions.Labels(4, 0, 3)
    found = Counter(captions.caption(labels, random.Random(k)) for k in range(2000))
    assert len(found) > 200
    assert "a cat at night, oil painting" in found
    assert any(text.startswith("oil painting, ") for text in found)
    assert any("кот" in text for text in found)
    assert "cat" in found  # medium and light left out
    known = set(captions.words())
    assert {word for text in found for word in text.replace(",", " ").split()} <= known


def test_every_word_of_the_painter_is_one_token() -> None:
    tokenizer = vocabulary.build()
    assert len(vocabulary.words()) > 1400
    split = [word for word in vocabulary.words() if len(tokenizer(word).input_ids) != 3]
    assert split == []


def test_the_tokens_are_the_same_each_time() -> None:
    first, second = (vocabulary.build().get_vocab() for _ in range(2))
    assert first == second


def test_the_tokenizer_reads_any_text_and_gives_it_back(tmp_path: Path) -> None:
    vocabulary.build().save_pretrained(tmp_path)
    tokenizer = vocabulary.load(tmp_path)
    text = "a zebra, naïve ёжик 42 🦊 #!"
    ids = tokenizer(text).input_ids
    assert tokenizer.unk_token_id not in ids[1:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == text.replace(" ", "")
    assert [len(ids) for ids in vocabulary.tokens_of(tokenizer, ["", "cat", "cat " * 99])] == [vocabulary.LENGTH] * 3


def test_the_autoencoder_loses_nothing() -> None:
    vae, pixels = SpaceToDepth(), torch.rand(2, 3, 64, 32)
    latents = vae.encode(pixels).latents
    assert latents.shape == (2, 48, 16, 8)
    assert torch.equal(vae.decode(latents).sample, pixels)
    assert torch.equal(vae.decode(latents, return_dict=False)[0], pixels)
    with pytest.raises(ValueError, match="have 12 channels"):
        SpaceToDepth(block_out_channels=(1, 1))


def test_the_size_is_what_the_model_card_says() -> None:
    mini = network.build(Shape())
    count = sum(weight.numel() for weight in mini.parameters())
    assert 8e6 < count < 10.4e6
    assert 2 * count < 20 * 2**20


def test_a_folder_gives_the_same_pictures_back(tmp_path: Path) -> None:
    mini = network.build(TINY)
    network.save(mini, tmp_path, half=False)
    again = network.load(tmp_path)
    painted = [sample(one, ["a cat", "a boat"], [1, 2], steps=2) for one in (mini, again)]
    assert painted[0].shape == (2, 32, 32, 3)
    assert np.array_equal(painted[0], painted[1])
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} <= {".json", ".txt", ".safetensors"}


def test_half_precision_halves_the_weights(tmp_path: Path) -> None:
    mini = network.build(TINY)
    network.save(mini, tmp_path)
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert size < 2.2 * sum(weight.numel() for weight in mini.parameters())
    kept = network.load(tmp_path).parameters()
    for weight, half in zip(mini.parameters(), kept, strict=True):
        assert torch.equal(weight.detach().half().float(), half)


def test_diffusers_reads_the_folder(tmp_path: Path) -> None:
    from diffusers import StableDiffusionPipeline

    mini = network.build(TINY)
    network.save(mini, tmp_path, half=False)
    pipe = StableDiffusionPipeline.from_pretrained(tmp_path, vae=SpaceToDepth(), local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    answer = pipe("a cat", num_inference_steps=2, generator=torch.Generator().manual_seed(1), output_type="np")
    ours = sample(mini, ["a cat"], [1], steps=2, guidance=7.5)
    assert np.array_equal((answer.images * 255 + 0.5).astype(np.uint8), ours)


def test_steps_lower_the_loss(pictures: Pixels) -> None:
    learner = Learner(TINY, "cpu", 1e-2)
    dark = pictures // 8
    losses = [learner.learn(learner.batch(dark, 8)) for _ in range(60)]
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])


def test_a_resumed_training_goes_on_as_it_would_have(pictures: Pixels, tmp_path: Path) -> None:
    whole = taught(pictures, 6)
    half = taught(pictures, 3)
    half.save(tmp_path / "checkpoint.pt")
    resumed = Learner(TINY, "cpu", 1e-3)
    resumed.resume(tmp_path / "checkpoint.pt")
    for _ in range(3):
        resumed.learn(resumed.batch(pictures, 4))
    assert (resumed.step, resumed.pictures) == (6, 24)
    for one, other in zip(whole.mini.parameters(), resumed.mini.parameters(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(whole.average.weights, resumed.average.weights, strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path) -> None:
    Learner(TINY, "cpu", 1e-3).save(tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="another shape"):
        Learner(Shape(side=32, widths=(32, 32), text_width=16), "cpu", 1e-3).resume(tmp_path / "checkpoint.pt")


def test_a_checkpoint_of_another_vocabulary_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Learner(TINY, "cpu", 1e-3).save(tmp_path / "checkpoint.pt")
    monkeypatch.setattr(vocabulary, "words", lambda: ["cat", "dog"])
    other = Learner(TINY, "cpu", 1e-3)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="another vocabulary"):
        other.resume(tmp_path / "checkpoint.pt")


def test_the_average_follows_the_weights(pictures: Pixels) -> None:
    learner = taught(pictures, 5)
    averaged = learner.averaged()
    pairs = list(zip(averaged.parameters(), learner.average.weights, strict=True))
    assert all(torch.equal(one, other) for one, other in pairs)
    assert any(
        not torch.equal(one, own) for one, own in zip(averaged.parameters(), learner.mini.parameters(), strict=True)
    )


def test_a_pool_is_painted_beside_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    pool = Pool(tmp_path, 16, 4)
    pool.start_painting(1)
    pool.wait_for(4)
    assert np.array_equal(pool.pictures[3], paint(3, 16))
    again = Pool(tmp_path, 16, 4)
    assert again.done == 4
    assert np.array_equal(again.pictures, pool.pictures)


def test_training_stops_with_a_checkpoint_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool(tmp_path, 32, 4)
    pool.start_painting(1)
    pool.wait_for(4)
    monkeypatch.setattr(train, "REPORT_SECONDS", 0.2)
    settings = train.Settings(tmp_path, 0.01, "cpu", 2, 1e-3, 4, 0, probe=False)
    first = train.Training(settings, TINY)
    first.run()
    steps = first.learner.step
    assert steps > 0
    second = train.Training(settings, TINY)
    assert second.learner.step == steps
    assert second.seconds > 0
    second.stop()
    second.run()
    assert second.learner.step == steps
    rows = (tmp_path / train.LOG).read_text().splitlines()
    assert rows[0].split(",") == list(train.COLUMNS)
    assert int(rows[-1].split(",")[1]) == steps


def test_ridge_regression_names_what_can_be_told_apart_by_lines() -> None:
    rng = np.random.default_rng(2)
    classes = rng.integers(0, 3, 90)
    centres = rng.normal(size=(3, 200)).astype(np.float32)
    inputs = (centres[classes] + 0.5 * rng.normal(size=(90, 200))).astype(np.float32)
    ridge = Ridge.fit(inputs[:60], classes[:60], 3)
    assert (ridge.name(inputs[60:]) == classes[60:]).all()
    shuffled = Ridge.fit(inputs[:60], rng.permutation(classes[:60]), 3)
    assert (shuffled.name(inputs[60:]) == classes[60:]).mean() < 0.8


def test_ridge_regression_is_the_textbook_formula() -> None:
    rng = np.random.default_rng(3)
    inputs, classes = rng.normal(size=(20, 5)).astype(np.float32), np.arange(20) % 2
    ridge = Ridge.fit(inputs, classes, 2, ridge=0.1)
    x = (inputs - inputs.mean(0)) / inputs.std(0)
    targets = np.eye(2)[classes] - 0.5
    assert np.allclose(ridge.weights, np.linalg.solve(x.T @ x + 0.1 * 20 * np.eye(5), x.T @ targets), atol=1e-4)


def test_the_sheet_has_a_row_for_each_subject() -> None:
    sheet = contact_sheet(network.build(TINY), 1, 1, 1.0)
    assert sheet.size == (6 * 32, 12 * 32)


def test_the_averaged_weights_are_exported(pictures: Pixels, tmp_path: Path) -> None:
    learner = taught(pictures, 2)
    learner.save(tmp_path / train.CHECKPOINT)
    (tmp_path / train.LOG).write_text("minutes\n")
    export.export(tmp_path, tmp_path / "model")
    for kept, mean in zip(network.load(tmp_path / "model").parameters(), learner.average.weights, strict=True):
        assert torch.equal(kept, mean.half().float())
    assert (tmp_path / "model" / train.LOG).exists()
