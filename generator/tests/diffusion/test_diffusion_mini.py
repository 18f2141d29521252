"""easel-mini: captions, tokenizer, folder, training and probe, with networks of a few thousand weights."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from easel_painter.reading import read  # noqa: E402
from generator.engines.base import ImageRequest, Pixels  # noqa: E402
from generator.engines.diffusion.mini import captions, export, network, train, vocabulary  # noqa: E402
from generator.engines.diffusion.mini.learning import Learner  # noqa: E402
from generator.engines.diffusion.mini.network import Shape  # noqa: E402
from generator.engines.diffusion.mini.pool import judging, painted, taught  # noqa: E402
from generator.engines.diffusion.mini.sample import contact_sheet, sample  # noqa: E402
from generator.engines.diffusion.mini.vae import PatchBasis, to_values  # noqa: E402
from generator.engines.diffusion.mini.wording import teach_words  # noqa: E402
from generator.engines.diffusion.ridge import Ridge  # noqa: E402

# diffusers passes tensors to NumPy in the old way.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TINY = Shape(side=32, widths=(16, 32), text_width=16, text_layers=1)


@pytest.fixture(scope="module")
def pictures() -> Pixels:
    """Give 24 pictures of noise: steps of a training change weights whatever they show."""
    return np.random.default_rng(1).integers(0, 256, (24, 32, 32, 3), np.uint8)


def learner_of(pictures: Pixels, steps: int = 0) -> Learner:
    learner = Learner(TINY, pictures, "cpu", 1e-3)
    for _ in range(steps):
        learner.learn(learner.batch(4))
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
    drawn = [captions.caption(labels, random.Random(k)) for k in range(2000)]
    found = Counter(one.text for one in drawn)
    assert len(found) > 200
    assert all(one.told == (True, True, True) for one in drawn if one.text == "a cat at night, oil painting")
    assert {one.told for one in drawn if one.text in ("cat", "kitty")} == {(True, False, False)}
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


def test_the_autoencoder_keeps_what_its_pictures_are_made_of() -> None:
    rng = np.random.default_rng(4)
    flat = np.kron(rng.integers(0, 256, (9, 8, 4, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    vae = PatchBasis.of(flat, channels=3)
    pixels = to_values(flat)
    latents = vae.encode(pixels).latents
    assert latents.shape == (9, 3, 8, 4)
    assert torch.allclose(vae.decode(latents).sample, pixels, atol=1e-4)
    assert torch.allclose(vae.decode(latents, return_dict=False)[0], pixels, atol=1e-4)
    noise = torch.rand(1, 3, 64, 32)
    assert (vae.decode(vae.encode(noise).latents).sample - noise).abs().mean() > 0.1
    with pytest.raises(ValueError, match="at most 12 patterns"):
        PatchBasis(block_out_channels=(1, 1))


def test_the_expected_picture_is_the_mean_of_those_it_may_come_from(pictures: Pixels) -> None:
    learner = learner_of(pictures)
    rows, labels = learner.set.rows, learner.set.labels
    told = torch.tensor([[True, True, True], [False, False, False]])
    noisy = torch.randn(2, rows.shape[1], generator=torch.Generator().manual_seed(1))
    one, any_of_all = learner.set.expected(noisy, torch.tensor([1e-12, 1e-12]), labels[[0, 0]], told)
    same = (labels == labels[0]).all(1)
    assert torch.allclose(one, rows[same].mean(0), atol=1e-4)
    assert torch.allclose(any_of_all, rows.mean(0), atol=1e-4)
    clean = learner.set.expected(rows[[3]] * 0.995, torch.tensor([0.99]), labels[[3]], told[1:])
    assert torch.allclose(clean[0], rows[3], atol=1e-3)


def test_the_text_encoder_learns_what_captions_tell() -> None:
    mini = network.build(Shape(side=32, widths=(16, 32), text_width=64, text_layers=1))
    first, last = teach_words(mini, 1, 16), teach_words(mini, 40, 16)
    assert last < 0.8 * first


def test_the_size_is_what_the_model_card_says() -> None:
    mini = network.build(Shape())
    count = sum(weight.numel() for weight in mini.parameters())
    assert 7e6 < count < 10.4e6
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
    pipe = StableDiffusionPipeline.from_pretrained(tmp_path, vae=mini.vae, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    answer = pipe("a cat", num_inference_steps=2, generator=torch.Generator().manual_seed(1), output_type="np")
    ours = sample(mini, ["a cat"], [1], steps=2, guidance=7.5)
    assert np.array_equal((answer.images * 255 + 0.5).astype(np.uint8), ours)


def test_steps_lower_the_loss(pictures: Pixels) -> None:
    learner = Learner(TINY, pictures // 8, "cpu", 1e-2)
    losses = [learner.learn(learner.batch(8)) for _ in range(40)]
    assert np.mean(losses[-8:]) < 0.6 * np.mean(losses[:8])


def test_a_resumed_training_goes_on_as_it_would_have(pictures: Pixels, tmp_path: Path) -> None:
    whole = learner_of(pictures, 6)
    half = learner_of(pictures, 3)
    half.save(tmp_path / "checkpoint.pt")
    resumed = learner_of(pictures)
    resumed.resume(tmp_path / "checkpoint.pt")
    for _ in range(3):
        resumed.learn(resumed.batch(4))
    assert (resumed.step, resumed.pictures) == (6, 24)
    for one, other in zip(whole.mini.parameters(), resumed.mini.parameters(), strict=True):
        assert torch.equal(one, other)
    for one, other in zip(whole.average.weights, resumed.average.weights, strict=True):
        assert torch.equal(one, other)


def test_a_training_goes_on_from_a_model(pictures: Pixels, tmp_path: Path) -> None:
    network.save(learner_of(pictures, 3).averaged(), tmp_path, half=False)
    learner = Learner(TINY, pictures // 2, "cpu", 1e-3, network.load(tmp_path))
    for one, kept in zip(learner.averaged().parameters(), network.load(tmp_path).parameters(), strict=True):
        assert torch.equal(one, kept)
    assert torch.equal(learner.mini.vae.patterns, network.load(tmp_path).vae.patterns)
    learner.learn(learner.batch(4))


def test_a_checkpoint_of_another_shape_or_other_pictures_is_refused(pictures: Pixels, tmp_path: Path) -> None:
    learner_of(pictures).save(tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="another shape"):
        Learner(Shape(32, (32, 32), text_width=16), pictures, "cpu", 1e-3).resume(tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="other pictures"):
        learner_of(255 - pictures // 2).resume(tmp_path / "checkpoint.pt")


def test_a_checkpoint_of_another_vocabulary_is_refused(
    pictures: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner_of(pictures).save(tmp_path / "checkpoint.pt")
    monkeypatch.setattr(vocabulary, "words", lambda: ["cat", "dog"])
    other = learner_of(pictures)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="another vocabulary"):
        other.resume(tmp_path / "checkpoint.pt")


def test_the_average_follows_the_weights(pictures: Pixels) -> None:
    learner = learner_of(pictures, 5)
    averaged = learner.averaged()
    pairs = list(zip(averaged.parameters(), learner.average.weights, strict=True))
    assert all(torch.equal(one, other) for one, other in pairs)
    assert any(
        not torch.equal(one, own) for one, own in zip(averaged.parameters(), learner.mini.parameters(), strict=True)
    )


def test_pictures_are_painted_once_and_go_on_where_they_ended(tmp_path: Path) -> None:
    first = painted(tmp_path, "taught", 16, 4, 2)
    assert np.array_equal(first[3], taught(3, 16))
    before = [(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()]
    assert np.array_equal(painted(tmp_path, "taught", 16, 4, 1), first)
    assert [(path.name, path.stat().st_mtime_ns) for path in tmp_path.iterdir()] == before
    # As an interrupted call leaves it: three are painted, whatever is in the place of the fourth.
    part = np.memmap(tmp_path / "judging-16px-4.part", np.uint8, "w+", shape=first.shape)
    part[:3] = first[:3]
    part.flush()
    (tmp_path / "judging-16px-4.done").write_text("3")
    resumed = painted(tmp_path, "judging", 16, 4, 1)
    assert np.array_equal(resumed[:3], first[:3])
    assert np.array_equal(resumed[3], judging(3, 16))
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy"}


def test_pictures_of_one_run_have_one_seed_and_judging_ones_their_own() -> None:
    seeds = []

    class Painter:
        def generate(self, request: ImageRequest, watch: object) -> Pixels:
            seeds.append(request.seed)
            return np.zeros((16, 16, 3), np.uint8)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("easel_painter.Painter", Painter)
        for paint in (taught, judging):
            for number in (0, 431, 432):
                paint(number, 16)
    assert seeds[0] == seeds[1] != seeds[2]
    assert len(set(seeds[2:])) == 4


def test_training_stops_with_a_checkpoint_and_goes_on(
    pictures: Pixels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "painted", lambda *_: pictures)
    monkeypatch.setattr(train, "teach_words", lambda mini: 0.0)
    monkeypatch.setattr(train, "REPORT_SECONDS", 0.2)
    settings = train.Settings(tmp_path, 0.01, "cpu", 2, 1e-3, 4, 1, probe=False, finish=True)
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
    learner = learner_of(pictures, 2)
    learner.save(tmp_path / train.CHECKPOINT)
    (tmp_path / train.LOG).write_text("minutes\n")
    export.export(tmp_path, tmp_path / "model")
    for kept, mean in zip(network.load(tmp_path / "model").parameters(), learner.average.weights, strict=True):
        assert torch.equal(kept, mean.half().float())
    assert (tmp_path / "model" / train.LOG).exists()
