"""One spelling for text that looks the same."""

import unicodedata

import pytest

from shared.core.words import address_key, composed, password_spellings, prepared_password

NFC, NFD = "caf\u00e9", "cafe\u0301"


def test_a_word_is_one_text() -> None:
    assert composed(NFD) == composed(NFC) == NFC
    assert composed("plain words") == "plain words"


@pytest.mark.parametrize(
    "typed",
    [
        "ada@example.com",
        " Ada@Example.COM\n",
        "\ufeffada@example.com",
        "ada@exam\u200bple.com",
        "ada\u00ad@example.com",
    ],
)
def test_an_address_without_what_cannot_be_seen(typed: str) -> None:
    assert address_key(typed) == "ada@example.com"


def test_an_address_in_any_case_and_form() -> None:
    upper = "\u00c9t\u00c9@example.com"
    assert address_key(upper) == address_key(unicodedata.normalize("NFD", upper)) == "\u00e9t\u00e9@example.com"
    once = address_key("\u0390@example.com")
    assert address_key(once) == once, "folding takes this letter apart"


@pytest.mark.parametrize("space", ["\u00a0", "\u3000", "\u2003", "\u202f"])
def test_the_rules_of_passwords(space: str) -> None:
    """RFC 8265, 4.2.2: spaces and NFC; case and everything else stay."""
    assert prepared_password(f"Correct{space}{NFD}") == f"Correct {NFC}"
    assert prepared_password("  two  spaces\t") == "  two  spaces\t"
    assert prepared_password("\uff21") == "\uff21", "a full-width letter is not a narrow one"


def test_an_ascii_password_has_one_spelling() -> None:
    assert password_spellings("correct horse") == ("correct horse",)
    assert password_spellings(NFC) == (NFC, NFD)
    assert password_spellings(NFD) == (NFC, NFD)
    assert password_spellings(f"a\u00a0{NFC}") == (f"a {NFC}", f"a\u00a0{NFC}", f"a {NFD}")
