"""An operator's rules about the words of prompts: reading them from TOML, and finding those that a text breaks.

A rule is a public reason with words and phrases. They match whole words only; a `*` at the end of one matches any end
of its last word. Nothing in the file is a pattern, so a text costs the same whatever is in the file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.core.word_forms import readings

MAX_BYTES = 256 * 1024
MAX_RULES = 200
MAX_PHRASES = 10_000
MAX_PHRASE_WORDS = 8
MAX_WORD_CHARACTERS = 64
MAX_VERSION_CHARACTERS = 40
MAX_REASON_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class ContentRules:
    """The rules of a file. `whole` and `beginnings` lead from a phrase, in words, to its rule's reason.

    `cuts` are the lengths of the last words in `beginnings`. The repr names no word.
    """

    version: str
    count: int
    whole: Mapping[tuple[str, ...], str] = field(repr=False)
    beginnings: Mapping[tuple[str, ...], str] = field(repr=False)
    cuts: tuple[int, ...] = field(repr=False)
    longest: int = field(repr=False)

    def find_reason(self, text: str) -> str | None:
        """Return the public reason of a rule that the text breaks; parts around `|` are different texts."""
        for part in text.split("|"):
            for words in readings(part):
                for start in range(len(words)):
                    for end in range(start + 1, min(start + self.longest, len(words)) + 1):
                        reason = self._reason(tuple(words[start:end]))
                        if reason is not None:
                            return reason
        return None

    def _reason(self, phrase: tuple[str, ...]) -> str | None:
        found = self.whole.get(phrase)
        if found is not None or not self.beginnings:
            return found
        *before, last = phrase
        for cut in self.cuts:
            if cut > len(last):
                break
            found = self.beginnings.get((*before, last[:cut]))
            if found is not None:
                return found
        return None


def read_rules(given: str) -> ContentRules:
    """Read rules from a TOML file that this names, or from itself if it has several lines.

    Raises:
        ValueError: They cannot be used. The message completes a sentence that begins with the setting's name, and
            repeats none of the words.
    """
    text = given if "\n" in given else _read(given)
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(f"names more than {MAX_BYTES // 1024} KiB of rules.")
    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        raise ValueError("names rules that are not TOML.") from None
    version, rules = found.get("version"), found.get("rules")
    if not _is_line(version, MAX_VERSION_CHARACTERS) or found.keys() - {"version", "rules"}:
        raise ValueError(
            f'names rules that have other keys than version = "..." of at most {MAX_VERSION_CHARACTERS} characters and'
            " [[rules]]."
        )
    if not isinstance(rules, list) or not 1 <= len(rules) <= MAX_RULES:
        raise ValueError(f"names no rules, or more than {MAX_RULES}; each begins with [[rules]].")
    return _rules_of(str(version), rules)


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1).decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"names a file of rules that cannot be read: {reason}.") from None


def _rules_of(version: str, rules: list[object]) -> ContentRules:
    whole: dict[tuple[str, ...], str] = {}
    beginnings: dict[tuple[str, ...], str] = {}
    count = 0
    for number, rule in enumerate(rules, 1):
        reason, phrases = _rule(number, rule)
        count += len(phrases)
        if count > MAX_PHRASES:
            raise ValueError(f"names rules of more than {MAX_PHRASES} words and phrases.")
        for phrase in phrases:
            target = beginnings if phrase.endswith("*") else whole
            for words in _forms(number, phrase.removesuffix("*")):
                target.setdefault(words, reason)
    known = (*whole, *beginnings)
    cuts = tuple(sorted({len(words[-1]) for words in beginnings}))
    return ContentRules(version, len(rules), whole, beginnings, cuts, max(map(len, known)))


def _rule(number: int, rule: object) -> tuple[str, list[str]]:
    """Return the reason and the phrases of a rule."""
    if not isinstance(rule, dict) or rule.keys() != {"reason", "words"}:
        raise ValueError(f"names rules of which number {number} has other keys than reason and words.")
    reason, phrases = rule["reason"], rule["words"]
    if not _is_line(reason, MAX_REASON_CHARACTERS):
        raise ValueError(
            f"names rules of which number {number} has no reason of one line with at most {MAX_REASON_CHARACTERS}"
            " characters."
        )
    if not (isinstance(phrases, list) and phrases and all(isinstance(phrase, str) for phrase in phrases)):
        raise ValueError(f"names rules of which number {number} has no list of words.")
    return str(reason), phrases


def _forms(number: int, phrase: str) -> list[tuple[str, ...]]:
    """Return a phrase in the ways in which texts are read."""
    forms = [tuple(words) for words in readings(phrase) if words]
    bounded = all(
        len(words) <= MAX_PHRASE_WORDS and all(len(word) <= MAX_WORD_CHARACTERS for word in words) for words in forms
    )
    if not forms or not bounded or "*" in phrase or "|" in phrase:
        raise ValueError(
            f"names rules of which number {number} has words that cannot be used: each is 1 to {MAX_PHRASE_WORDS} words"
            f" of at most {MAX_WORD_CHARACTERS} letters or digits, and has a * only at its end."
        )
    return forms


def _is_line(given: object, longest: int) -> bool:
    return isinstance(given, str) and len(given.strip()) > 0 and len(given) <= longest and given.isprintable()
