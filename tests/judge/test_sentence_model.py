"""Choosing an action by a sentence model of `transformers`, tiny and with random weights."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.core.errors import Unavailable
from shared.scenes.sentence_model import SentenceModel

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

WORDS = ("[PAD]", "[UNK]", "runs", "fast", "reads", "a", "book", "waves", "бежит", "книгу")


def save(folder: Path) -> Path:
    """Save a BERT of two layers with a vocabulary of whole words."""
    plain = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(
        folder
    )
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2
    )
    transformers.BertModel(config).save_pretrained(folder)
    return folder


def action(key: str, en: str, ru: str) -> Any:
    return SimpleNamespace(key=key, descriptions=SimpleNamespace(en=en, ru=ru))


ACTIONS = [
    action("running", "runs fast", "бежит"),
    action("reading", "reads a book", "книгу"),
    action("waving", "waves", "-"),
]


@pytest.mark.parametrize(("text", "key"), [("runs fast", "running"), ("книгу", "reading"), ("waves", "waving")])
def test_the_same_words_mean_the_same(tmp_path: Path, text: str, key: str) -> None:
    chosen: Any = SentenceModel(str(save(tmp_path))).nearest(text, ACTIONS)
    assert chosen.key == key


def test_a_text_beside_longer_ones_means_the_same(tmp_path: Path) -> None:
    model = SentenceModel(str(save(tmp_path)))
    alone, beside = model._meanings(["waves"])[0], model._meanings(["waves", "reads a book a book"])[0]
    assert torch.allclose(alone, beside, atol=1e-5)
    assert abs(float(alone.norm()) - 1) < 1e-5


def test_without_actions_there_is_none(tmp_path: Path) -> None:
    assert SentenceModel(str(save(tmp_path))).nearest("waves", []) is None


@pytest.mark.parametrize("content", [None, b"{}"])
def test_a_folder_without_a_model_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(Unavailable, match="EASEL_ACTION_MODEL"):
        SentenceModel(str(tmp_path))
