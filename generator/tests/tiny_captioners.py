"""Tiny captioners with random weights, saved as the folders that a hub has."""

from pathlib import Path

import tiny_models
import torch
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, CLIPConfig, CLIPModel

WORDS = ("a", "picture", "of", "the", "sea", "red", "boat", "tree", "at", "night", "and", "in", "fog", "with", "snow")
SENTENCES = ("a red boat and the sea in fog", "a picture of a tree in the night")
"""What the tiny BLIP says of a red picture and of a black one."""

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

_SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
_EYE = {**_SMALL, "image_size": 32, "patch_size": 8, "projection_dim": 16}


def save_blip(folder: Path) -> Path:
    """Save a BLIP that writes words of a short list."""
    torch.manual_seed(5)
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *WORDS))}
    text = {
        **_SMALL,
        "encoder_hidden_size": 16,
        "vocab_size": len(vocabulary),
        "max_position_embeddings": 24,
        "bos_token_id": vocabulary["[CLS]"],
        "sep_token_id": vocabulary["[SEP]"],
        "eos_token_id": vocabulary["[SEP]"],
        "pad_token_id": vocabulary["[PAD]"],
    }
    network = BlipForConditionalGeneration(BlipConfig(text_config=text, vision_config=_EYE))
    _teach(network, vocabulary)
    network.save_pretrained(folder)
    BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    return folder


def _teach(network: BlipForConditionalGeneration, vocabulary: dict[str, int]) -> None:
    """Teach a sentence each for a red and for a black picture."""
    colours = torch.tensor([[2.0, -1.7, -1.5], [-1.8, -1.7, -1.5]])
    pictures = colours[:, :, None, None].expand(2, 3, 32, 32)
    rows = [["[CLS]", *sentence.split(), "[SEP]"] for sentence in SENTENCES]
    tokens = torch.tensor([[vocabulary[word] for word in row] for row in rows])
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(80):
        optimizer.zero_grad()
        network(pixel_values=pictures, input_ids=tokens, labels=tokens).loss.backward()
        optimizer.step()
    network.eval()


def save_clip(folder: Path) -> Path:
    """Save a CLIP whose words are letters."""
    torch.manual_seed(6)
    words = tiny_models.tokenizer()
    text = {
        **_SMALL,
        "vocab_size": len(words),
        "max_position_embeddings": tiny_models.WORDS,
        "bos_token_id": words.bos_token_id,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
    }
    network = CLIPModel(CLIPConfig(text_config=text, vision_config=_EYE, projection_dim=16))
    # Larger than at the beginning of a training: otherwise all pictures and words are alike.
    for parameter in network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.5)
    network.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder
