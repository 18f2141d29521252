"""The tokenizer of easel-mini: the form of CLIP's, with a vocabulary made from the painter's words.

Each word of the captions and of the painter's lexicon is one token; any other text becomes letters and pieces.
"""

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

from easel_painter import lexicon
from generator.engines.diffusion.mini import captions

LENGTH = 32
"""Tokens of a prompt, with the first and last; a longer prompt is read in several parts."""

FIRST, LAST = "<|startoftext|>", "<|endoftext|>"
_END = "</w>"


def words() -> list[str]:
    """Return the words that are one token each: those of captions, and of the painter's lexicon (Russian: stems)."""
    tables = (lexicon.MOTIFS, lexicon.TIMES, lexicon.SEASONS, lexicon.MOODS, lexicon.COLOURS, lexicon.KINDS)
    texts = [text for table in tables for entry in table.values() for text in entry[:2]]
    texts += [text for entry in lexicon.MEDIA.values() for text in entry]
    found = {word for text in texts for word in text.replace(",", " ").replace("-", " ").split() if word.isalpha()}
    return sorted(found | set(captions.words()) | set(lexicon.SMALL_WORDS))


def build() -> CLIPTokenizer:
    """Learn merges of letters until each word is one token."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=_END))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # The trainer numbers the ends of words as it meets them, in another order each time, and merges of equal count go
    # by these numbers. Named here they are fixed, and so are the tokens: weights mean nothing with others.
    ends = [letter + _END for letter in letters]
    trainer = trainers.BpeTrainer(
        vocab_size=100_000,
        min_frequency=0,
        initial_alphabet=letters,
        end_of_word_suffix=_END,
        special_tokens=[FIRST, LAST, *ends],
        show_progress=False,
    )
    tokenizer.train_from_iterator(words(), trainer)
    return _as_clip(tokenizer, letters)


def _as_clip(tokenizer: Tokenizer, letters: list[str]) -> CLIPTokenizer:
    import json

    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    # Every letter, and every letter that ends a word, so that there is no text without tokens.
    tokens = [*letters, *(letter + _END for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys([*tokens, FIRST, LAST]))}
    return CLIPTokenizer(
        vocab=vocabulary,
        merges=merges,
        bos_token=FIRST,
        eos_token=LAST,
        unk_token=LAST,
        pad_token=LAST,
        model_max_length=LENGTH,
    )


def load(folder: Path) -> CLIPTokenizer:
    """Return the tokenizer of a model's folder."""
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def tokens_of(tokenizer: CLIPTokenizer, texts: list[str]) -> list[list[int]]:
    """Return the tokens of texts, each filled or cut to `LENGTH`."""
    found: list[list[int]] = tokenizer(texts, padding="max_length", truncation=True, max_length=LENGTH).input_ids
    return found
