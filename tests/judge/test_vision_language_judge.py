"""The judge of the style metric with real vision-language models of `transformers`, tiny and with random weights."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_hub import COMMIT, Hub, serving_hub
from PIL import Image

from cli import easel
from shared.admin import vision_language
from shared.admin.style_judges import JudgeFailed
from shared.admin.vision_language import VisionLanguage

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
constants = pytest.importorskip("huggingface_hub").constants

TEMPLATE = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %} :"
)
WORDS = ("yes", "no", "Yes", "No", "is", "this", "picture", "in", "the", "style", "of", "red", "blue", "answer", "or")
SPECIAL = ("[PAD]", "[UNK]", "<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def tokenizer_of(marks: bool) -> Any:
    """Return a tokenizer of whole words; with marks, " yes" begins with a mark of the space, as in SentencePiece."""
    words = [*SPECIAL, ":", ".", "?", "\u2581", *WORDS, *(f"\u2581{word}" for word in WORDS)]
    vocabulary = {word: number for number, word in enumerate(words)}
    if marks:
        # Pieces as in Llama's tokenizer: a space before a word that already has a mark is a piece alone.
        plain = tokenizers.Tokenizer(tokenizers.models.Unigram([(word, -1.0) for word in words], unk_id=1))
        plain.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
        plain.normalizer = tokenizers.normalizers.Prepend("\u2581")
    else:
        plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
        plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", additional_special_tokens=list(SPECIAL[2:])
    )


def save_llava(folder: Path, *, marks: bool = False, template: str | None = TEMPLATE) -> Path:
    """Save a LLaVA of two layers, in a folder such as a hub has."""
    tokenizer = tokenizer_of(marks)
    torch.manual_seed(2)
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**SMALL, image_size=32, patch_size=8, projection_dim=16),
        text_config=transformers.LlamaConfig(**SMALL, num_key_value_heads=2, vocab_size=len(tokenizer)),
        image_token_index=2,
        vision_feature_layer=-1,
    )
    transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
    eyes = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    transformers.LlavaProcessor(
        eyes,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        chat_template=template,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    return folder


def save_smolvlm(folder: Path) -> Path:
    """Save an Idefics3, the kind of SmolVLM: it looks at tiles of a picture and at the whole."""
    tokenizer = tokenizer_of(marks=False)
    torch.manual_seed(3)
    config = transformers.Idefics3Config(
        vision_config={**SMALL, "image_size": 32, "patch_size": 8},
        text_config=transformers.LlamaConfig(**SMALL, num_key_value_heads=2, vocab_size=len(tokenizer), pad_token_id=0),
        image_token_id=2,
        scale_factor=2,
        pad_token_id=0,
    )
    transformers.Idefics3ForConditionalGeneration(config).save_pretrained(folder)
    eyes = transformers.Idefics3ImageProcessor(size={"longest_edge": 64}, max_image_size={"longest_edge": 32})
    transformers.Idefics3Processor(eyes, tokenizer, image_seq_len=4, chat_template=TEMPLATE).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_llava(tmp_path_factory.mktemp("models") / "tiny-llava")


@pytest.fixture(scope="module")
def smolvlm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_smolvlm(tmp_path_factory.mktemp("models") / "tiny-smolvlm")


@pytest.mark.parametrize("kind", ["model", "smolvlm"])
def test_the_answer_follows_the_scores_of_yes_and_no(kind: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(kind)
    judge = VisionLanguage(str(folder))
    assert judge.name == folder.name
    picture = Image.new("RGB", (48, 40), "red")
    assert judge.is_in_style(picture, "red") == judge.is_in_style(picture, "red")
    # The last layer is what decides: with its rows for yes raised the answer is yes, with them lowered it is no.
    seen: list[object] = []
    push = 1000.0

    def raise_yes(_layer: object, given: object, scores: Any) -> Any:
        seen.append(given)
        yes = torch.tensor(judge._answers[0])
        return scores.index_add(-1, yes, torch.full((*scores.shape[:-1], len(yes)), push))

    judge._model.get_output_embeddings().register_forward_hook(raise_yes)
    assert judge.is_in_style(picture, "red") is True
    push = -1000.0
    assert judge.is_in_style(picture, "red") is False
    assert len(seen) == 2


@pytest.mark.parametrize("kind", ["model", "smolvlm"])
def test_the_model_sees_the_picture_and_the_style(kind: str, request: pytest.FixtureRequest) -> None:
    judge = VisionLanguage(str(request.getfixturevalue(kind)))
    question = vision_language.QUESTION.format
    red, blue = (Image.new("RGB", (48, 40), colour) for colour in ("red", "blue"))
    scores = judge._scores(red, question(style="red"))
    assert scores.shape == (len(judge._processor.tokenizer),)
    assert not torch.equal(scores, judge._scores(blue, question(style="red")))
    assert not torch.equal(scores, judge._scores(red, question(style="blue")))
    assert torch.equal(scores, judge._scores(red, question(style="red")))


def test_a_mark_that_begins_every_word_decides_nothing(tmp_path: Path) -> None:
    judge = VisionLanguage(str(save_llava(tmp_path / "marks", marks=True)))
    tokenizer = judge._processor.tokenizer
    first = {tokenizer(text, add_special_tokens=False).input_ids[0] for text in (" yes", " no")}
    assert len(first) == 1
    words = [tokenizer.convert_ids_to_tokens(tokens) for tokens in judge._answers]
    assert [{word.strip("\u2581").lower() for word in each} for each in words] == [{"yes"}, {"no"}]


def test_large_pictures_are_made_smaller(smolvlm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = VisionLanguage(str(smolvlm))
    seen: list[tuple[int, int]] = []
    scores = judge._scores

    def watched(picture: Image.Image, question: str) -> Any:
        seen.append(picture.size)
        return scores(picture, question)

    monkeypatch.setattr(judge, "_scores", watched)
    picture = Image.new("RGB", (4000, 2000))
    judge.is_in_style(picture, "red")
    assert seen == [(1024, 512)]
    assert picture.size == (4000, 2000)


def test_what_cannot_judge_is_named(model: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(JudgeFailed, match="no vision-language model"):
        VisionLanguage(str(empty))
    cut = shutil.copytree(model, tmp_path / "cut")
    weights = cut / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(JudgeFailed, match="no vision-language model"):
        VisionLanguage(str(cut))
    with pytest.raises(JudgeFailed, match="cannot answer a question about a picture"):
        VisionLanguage(str(save_llava(tmp_path / "silent", template=None)))
    with pytest.raises(JudgeFailed, match="neither a folder nor a hub's name"):
        VisionLanguage(str(tmp_path / "nowhere"))


@pytest.fixture
def hub(model: Path, tmp_path: Path) -> Iterator[Hub]:
    folder = shutil.copytree(model, tmp_path / "hub")
    for unread in ("pytorch_model.bin", "consolidated.safetensors", "onnx/config.json", "README.md"):
        (folder / unread).parent.mkdir(exist_ok=True)
        (folder / unread).write_bytes(b"not for the judge")
    with serving_hub(folder) as hub:
        yield hub


@pytest.fixture
def evaluate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, str], tuple[int, str, str]]:
    """Run the command with a model of the hub at a URL; return its exit code and what it printed."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (40, 40), "red").save(pictures / "red.png")
    options = ["--dataset", str(pictures), "--styles", "red", "cubism", "--out", str(tmp_path / "answers.csv")]

    def run(url: str, model: str) -> tuple[int, str, str]:
        # The hub's client reads its settings when it is imported.
        monkeypatch.setattr(constants, "ENDPOINT", url)
        template = url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        code = easel.main(["evaluate-styles", "--json", "--model", model, *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_the_command_judges_by_a_model_of_a_hub(
    hub: Hub, tmp_path: Path, evaluate: Callable[[str, str], tuple[int, str, str]]
) -> None:
    code, out, err = evaluate(hub.url, "painters/tiny")
    assert code == 0, err
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["style"], line["asked"]) for line in lines] == [("red", 1), ("cubism", 1)]
    answers = (tmp_path / "answers.csv").read_text()
    assert answers.count(f"painters/tiny@{COMMIT[:12]}") == 2
    assert {"model.safetensors", "config.json"} <= set(hub.fetched)
    assert not set(hub.fetched) & {"pytorch_model.bin", "consolidated.safetensors", "onnx/config.json", "README.md"}

    # Without the hub the copy is used, and no question is asked again.
    away = "http://127.0.0.1:9"
    code, again, err = evaluate(away, "painters/tiny")
    assert (code, again) == (0, out), err
    assert (tmp_path / "answers.csv").read_text() == answers
    code, _, err = evaluate(away, "painters/other")
    assert (code, "no model painters/other, or cannot be reached" in err) == (1, True)


def test_a_model_too_large_is_refused_before_it_is_fetched(
    hub: Hub, evaluate: Callable[[str, str], tuple[int, str, str]]
) -> None:
    hub.sizes["model.safetensors"] = 2**40
    code, _, err = evaluate(hub.url, "painters/tiny")
    assert (code, "1099.5 GB to fetch" in err) == (1, True)
    assert not hub.fetched


def test_a_model_that_fails_midway_keeps_its_answers(
    model: Path, tmp_path: Path, evaluate: Callable[[str, str], tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = VisionLanguage._scores
    asked: list[str] = []

    def fails(judge: VisionLanguage, picture: Image.Image, question: str) -> Any:
        asked.append(question)
        if len(asked) == 3:
            raise torch.OutOfMemoryError("the memory is full\nand more")
        return scores(judge, picture, question)

    monkeypatch.setattr(VisionLanguage, "_scores", fails)
    code, _, err = evaluate("", str(model))
    assert code == 1
    assert "tiny-llava failed at a picture: the memory is full. The answers so far are in" in err
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == 2
    code, _, err = evaluate("", str(model))
    assert code == 0, err
    # The question that is asked when loading, then the one without an answer.
    assert [question.split()[7] for question in asked[3:]] == ["nobody?", "cubism?"]
