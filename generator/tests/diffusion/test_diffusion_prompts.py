"""Prompts: brackets, bars and length."""

import pytest
import torch

from generator.engines.diffusion.encoding import Encoder
from generator.engines.diffusion.prompts import parse, plain
from generator.engines.diffusion.studio import Studio


def weights(prompt: str) -> list[list[tuple[str, float]]]:
    return [[(one.text, round(one.weight, 4)) for one in words] for words in parse(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red boat", [[("a red boat", 1.0)]]),
        ("a (red) boat", [[("a ", 1.0), ("red", 1.1), (" boat", 1.0)]]),
        ("a ((red)) boat", [[("a ", 1.0), ("red", 1.21), (" boat", 1.0)]]),
        ("a [red] boat", [[("a ", 1.0), ("red", 0.9091), (" boat", 1.0)]]),
        ("([red])", [[("red", 1.0)]]),
        ("(a [b] c)", [[("a ", 1.1), ("b", 1.0), (" c", 1.1)]]),
        ("(red:1.5) boat", [[("red", 1.5), (" boat", 1.0)]]),
        ("((red:2) boat)", [[("red", 2.2), (" boat", 1.1)]]),
        ("(red:99)", [[("red", 3.0)]]),
        ("(ratio 3:4)", [[("ratio 3", 3.0)]]),
        ("[red:0.5]", [[("red:0.5", 0.9091)]]),
        (r"a \(red\) boat", [[("a (red) boat", 1.0)]]),
        (r"a \| b \\", [[("a | b \\", 1.0)]]),
        ("a | b", [[("a ", 1.0)], [(" b", 1.0)]]),
        ("a | | b", [[("a ", 1.0)], [(" b", 1.0)]]),
        ("(a | b)", [[("a ", 1.0)], [(" b", 1.0)]]),
        ("a (b", [[("a b", 1.0)]]),
        ("a ) b ]", [[("a  b ", 1.0)]]),
        ("(a]", [[("a", 1.0)]]),
        ("", [[]]),
        ("  |  ", [[]]),
    ],
)
def test_weights(prompt: str, expected: list[list[tuple[str, float]]]) -> None:
    assert weights(prompt) == expected


def test_very_deep_brackets_are_bounded() -> None:
    assert weights("(" * 2000 + "x" + ")" * 2000) == [[("x", 3.0)]]
    assert weights("[" * 2000 + "x" + "]" * 2000) == [[("x", 0.1)]]


def test_at_most_eight_prompts_are_joined() -> None:
    assert len(parse("|".join("abcdefghijk"))) == 8


def test_plain_words() -> None:
    assert plain("a (red:1.5) boat | [sea]") == "a red boat, sea"
    assert plain("") == ""


@pytest.fixture
def encoder(studio: Studio) -> Encoder:
    return Encoder(studio._model, studio._adapters)


def rows(encoder: Encoder, prompt: str, negative: str = "") -> torch.Tensor:
    return encoder.encode(prompt, negative)[0].rows


def test_a_weight_changes_only_what_it_stands_at_and_one_changes_nothing(encoder: Encoder) -> None:
    plain_rows = rows(encoder, "a red boat")
    assert torch.equal(rows(encoder, "a (red:1) boat"), plain_rows)
    changed = (rows(encoder, "a (red) boat") != plain_rows).any(1)
    # "a" is one token, "red" is one, "boat" has four letters.
    assert changed.nonzero().flatten().tolist() == [2]


def test_a_larger_weight_is_further_from_the_empty_prompt(encoder: Encoder) -> None:
    empty = rows(encoder, "")
    distances = [float((rows(encoder, f"(red:{weight})") - empty)[1].norm()) for weight in (0.5, 1, 1.5)]
    assert distances == sorted(distances)


def test_joined_prompts_are_their_mean(encoder: Encoder) -> None:
    mean = (rows(encoder, "red") + rows(encoder, "sea")) / 2
    assert torch.allclose(rows(encoder, "red|sea"), mean, atol=1e-6)


def test_long_prompts_take_more_chunks_and_nothing_is_lost(encoder: Encoder) -> None:
    long = "red " * 100
    assert rows(encoder, long).shape[0] == 2 * 77
    assert not torch.equal(rows(encoder, long + "sea"), rows(encoder, long + "red"))
    assert rows(encoder, "x" * 4000).shape[0] == 16 * 77


def test_both_prompts_have_the_longer_ones_length(encoder: Encoder) -> None:
    short, long = encoder.encode("red", "sea " * 100)
    assert short.length == long.length == 2 * 77


def test_a_prompt_is_encoded_once(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = encoder.encode("red", "")
    monkeypatch.setattr(encoder, "_encode", None)
    again = encoder.encode("red", "")
    assert again[0] is first[0]
    assert again[1] is first[1]


def test_kept_prompts_are_bounded(encoder: Encoder) -> None:
    for k in range(300):
        encoder.encode(str(k), "")
    assert len(encoder._kept) == 256
