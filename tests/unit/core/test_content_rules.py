"""Rules about words: what they match and what they do not, whatever spells it, and files that cannot be used."""

import re

import pytest

from shared.core.content_rules import MAX_BYTES, MAX_PHRASES, MAX_RULES, ContentRules, read_rules
from shared.core.word_forms import readings

REASON = "Not on this site."
TEXT = f"""
version = "2026-11"

[[rules]]
reason = "{REASON}"
words = ["cat", "запрет", "green door", "вето*", "sub*", "мой", "grün"]
"""


@pytest.fixture(scope="module")
def rules() -> ContentRules:
    return read_rules(TEXT)


@pytest.mark.parametrize(
    "prompt",
    [
        "a cat",
        "CAT",
        "ｃａｔ",
        "𝐜𝐚𝐭",
        "c\u200bat",
        "c\u00adat",
        "ca\u0301t",
        "c\u0336a\u0336t\u0336",
        "c\ufe0fat",
        "c a t",
        "c-a-t",
        "c.a.t!",
        "[[cat]]",
        "ca-t",
        "(cat:1.3)",
        "сat",  # with a Cyrillic letter
        "cαt",  # with a Greek letter
        "a dog | a cat",
        "запрет",
        "ЗАПРЕТ",
        "зaпpeт",  # with Latin letters
        "з а п р е т",
        "green   door",
        "green_door",
        "green\u3000door",
        "Green, door",
        "a GREEN-DOOR.",
        "green\ndoor",
        "ветошь",
        "submarine",
        "мой",
        "grun",
        "GRÜN",
    ],
)
def test_a_word_is_found_however_it_is_written(rules: ContentRules, prompt: str) -> None:
    assert rules.find_reason(prompt) == REASON


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "a category of concatenated cats",
        "запретный",
        "green | door",
        "a door in green",
        "greens door",
        "овето",
        "мои",
        "a dog",
        "c at",
        "the cab, the tram",
        "4k, 3D, f/1.8",
        "猫",
    ],
)
def test_words_that_only_contain_one_are_innocent(rules: ContentRules, prompt: str) -> None:
    assert rules.find_reason(prompt) is None


def test_a_word_of_one_script_is_not_read_as_another() -> None:
    """A Russian word whose letters all look like Latin ones is a Russian word."""
    rules = read_rules('version = "1"\n[[rules]]\nreason = "no"\nwords = ["cop"]')
    assert rules.find_reason("сор на улице") is None
    assert rules.find_reason("a cор") == "no"


def test_the_reason_is_that_of_the_rule() -> None:
    rules = read_rules(
        'version = "1"\n[[rules]]\nreason = "one"\nwords = ["a"]\n[[rules]]\nreason = "two"\nwords = ["b"]'
    )
    assert (rules.count, rules.find_reason("b"), rules.find_reason("a b")) == (2, "two", "one")
    assert "'a'" not in repr(rules)


def test_what_is_looked_up_grows_with_the_text_alone() -> None:
    """No text makes more lookups than its words have beginnings and following words, whatever the rules are."""
    words = [f"word{index:04}*" for index in range(2000)]
    rules = read_rules(f'version = "1"\n[[rules]]\nreason = "no"\nwords = {words!r}'.replace("'", '"'))
    assert rules.cuts == (8,)
    assert rules.longest == 1
    assert rules.find_reason("word1999s") == "no"
    assert rules.find_reason("word " * 400) is None


@pytest.mark.parametrize("text", ["ﷺ" * 2000, "a\u0301\u0316" * 600, "c a " * 500, "сa" * 1000, "\u0301\u0316" * 1000])
def test_texts_that_grow_are_read_too(rules: ContentRules, text: str) -> None:
    assert rules.find_reason(text) is None
    assert sum(len(word) for words in readings(text) for word in words) <= 4 * 18 * len(text)


def many(count: int, words: str = '"a"') -> str:
    return 'version = "1"\n' + f'[[rules]]\nreason = "no"\nwords = [{words}]\n' * count


@pytest.mark.parametrize(
    "text",
    [
        "no toml\n",
        "[" * 5000 + "\n",
        'version = "1"\n',
        many(1).replace('"1"', "1"),
        many(1).replace('"1"', '""'),
        many(1) + "more = 1\n",
        many(1).replace("reason", "cause"),
        many(1).replace('"no"', '""'),
        many(1).replace('"no"', f'"{"n" * 201}"'),
        many(1).replace('["a"]', "[]"),
        many(1).replace('["a"]', "[1]"),
        many(1, '"secretword", "*"'),
        many(1, '"a*b"'),
        many(1, '"a | b"'),
        many(1, '"!?"'),
        many(1, f'"{"a" * 65}"'),
        many(1, '"one two three four five six seven eight nine"'),
        many(MAX_RULES + 1),
        many(2, ",".join(['"a"'] * (MAX_PHRASES // 2 + 1))),
        many(1) + "#" * MAX_BYTES,
    ],
)
def test_broken_rules_are_refused_in_a_sentence_without_their_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^names .*\.$") as caught:
        read_rules(text)
    assert not re.search("secretword", str(caught.value))


def test_rules_are_read_from_a_file(tmp_path: object) -> None:
    path = f"{tmp_path}/rules.toml"
    with open(path, "w", encoding="utf-8") as file:
        file.write(TEXT)
    assert read_rules(path).version == "2026-11"
    with open(path, "wb") as binary:
        binary.write(b"\xff\xfe")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_rules(path)
