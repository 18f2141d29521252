"""The words of a text as they are compared with those of a rule, whatever characters, marks and separators spell them.

A text is read in up to four ways: look-alike letters as Latin or as Cyrillic ones, and what is written around hyphens
and the like as several words or as one. The cost is linear in the text's length.
"""

import re
import unicodedata
from collections.abc import Iterable

_KEPT = frozenset("й")
"""Letters that a mark makes another letter of, not another spelling."""

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""What shows as nothing, though Unicode counts it among letters, marks or symbols."""

_TO_LATIN = str.maketrans("авеіјкмнорѕтухсһԁԍӏԛԝґαβγεηικνορτυχωıɑɡɩʀɴ", "abeijkmhopstyxchdglqwrabyenikvoptuxwiagirn")
_TO_CYRILLIC = str.maketrans("abcehikmoptxyαβεηικορτυχıɑ", "авсенікмортхуавенікортухіа")
"""Small letters that look like those of the other script, or whose capitals do."""

_CHUNK, _WORD = re.compile(r"\S+"), re.compile(r"[^\W_]+")
_SPELLED = 3
"""So many single letters in a row are one word."""


def readings(text: str) -> list[list[str]]:
    """Return the different ways in which the words of a text can be read, each as its words in order."""
    chunks = [_WORD.findall(chunk) for chunk in _CHUNK.findall(_plain(text))]
    apart = _unspelled(word for chunk in chunks for word in chunk)
    joined = _unspelled("".join(chunk) for chunk in chunks if chunk)
    found: list[list[str]] = []
    for words in (apart, joined):
        for table, script in ((_TO_LATIN, "LATIN"), (_TO_CYRILLIC, "CYRILLIC")):
            reading = [_in_script(word, table, script) for word in words]
            if reading not in found:
                found.append(reading)
    return found


def _plain(text: str) -> str:
    """Return a text case folded, without marks and without what cannot be seen."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", folded.translate({ord(one): _bare(one) for one in set(folded)}))


def _bare(character: str) -> str:
    if character.isascii() or character in _KEPT:
        return character
    return "".join(part for part in unicodedata.normalize("NFKD", character) if not _is_passed_over(part))


def _is_passed_over(character: str) -> bool:
    """Return whether it is a mark of a script with letters, or shows as nothing.

    Marks of other scripts are kept: most of them are vowels there.
    """
    marks = unicodedata.combining(character)
    if marks == 1 or marks >= 10 or character in _BLANK:
        return True
    return unicodedata.category(character) in ("Cf", "Me") or "\ufe00" <= character <= "\ufe0f"


def _unspelled(words: Iterable[str]) -> list[str]:
    """Return the words with each run of single letters as one word."""
    found: list[str] = []
    run: list[str] = []

    def end() -> None:
        found.extend(["".join(run)] if len(run) >= _SPELLED else run)
        run.clear()

    for word in words:
        if len(word) == 1:
            run.append(word)
        else:
            end()
            found.append(word)
    end()
    return found


def _in_script(word: str, table: dict[int, int], script: str) -> str:
    """Return a word of several scripts in this one, if all of its letters have a look-alike there."""
    if word.isascii() or len(_scripts(word)) == 1:
        return word
    changed = word.translate(table)
    return changed if _scripts(changed) == {script} else word


def _scripts(word: str) -> set[str]:
    """Return the scripts of a word's letters, by the first word of their names."""
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in set(word) if letter.isalpha()}
