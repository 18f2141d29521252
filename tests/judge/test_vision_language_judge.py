"""The judge of the style metric with a real vision-language model of `transformers`, tiny and with random weights."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared.admin.style_judges import JudgeFailed, VisionLanguage

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

TEMPLATE = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>"
    "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %} :"
)
WORDS = ("yes", "no", "Yes", "No", "is", "this", "picture", "in", "the", "style", "of", "red", "blue", "answer", "or")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LLaVA of two layers, in a folder such as a hub has."""
    folder = tmp_path_factory.mktemp("tiny-llava")
    vocabulary = {word: number for number, word in enumerate(("[PAD]", "[UNK]", "<image>", ":", ".", "?", *WORDS))}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", additional_special_tokens=["<image>"]
    )
    torch.manual_seed(2)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**small, image_size=32, patch_size=8, projection_dim=16),
        text_config=transformers.LlamaConfig(**small, num_key_value_heads=2, vocab_size=len(vocabulary)),
        image_token_index=2,
        vision_feature_layer=-1,
    )
    network = transformers.LlavaForConditionalGeneration(config)
    network.save_pretrained(folder)
    size = {"height": 32, "width": 32}
    eyes = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)
    transformers.LlavaProcessor(
        eyes,
        tokenizer,
        patch_size=8,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    return folder


def test_the_answer_follows_the_scores_of_yes_and_no(model: Path) -> None:
    judge = VisionLanguage(model)
    assert judge.name == model.name
    picture = Image.new("RGB", (48, 40), "red")
    assert judge.is_in_style(picture, "red") == judge.is_in_style(picture, "red")
    # The last layer is what decides: with its rows for yes raised the answer is yes, with them lowered it is no.
    head = judge._model.lm_head
    seen: list[object] = []
    push = 1000.0

    def raise_yes(_layer: object, given: object, scores: Any) -> Any:
        seen.append(given)
        yes = torch.tensor(judge._answers[0])
        return scores.index_add(-1, yes, torch.full((*scores.shape[:-1], len(yes)), push))

    head.register_forward_hook(raise_yes)
    assert judge.is_in_style(picture, "red") is True
    push = -1000.0
    assert judge.is_in_style(picture, "red") is False
    assert len(seen) == 2


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(JudgeFailed, match="no vision-language model"):
        VisionLanguage(tmp_path)
