"""Text as people mean it: one spelling for what looks the same, whichever keyboard or system wrote it.

Unicode writes many letters in two ways, as one character (NFC) or as a base with marks (NFD).
"""

import unicodedata

# Zero-width space, word joiner, byte order mark and soft hyphen: they come along when text is copied from a page.
_INVISIBLE = str.maketrans(dict.fromkeys("\u200b\u2060\ufeff\u00ad"))


def composed(text: str) -> str:
    """Return the text in NFC, as the site stores and compares it."""
    return unicodedata.normalize("NFC", text)


def address_key(text: str) -> str:
    """Return an e-mail address as accounts store theirs: in NFC, case folded, without what cannot be seen."""
    return composed(text.translate(_INVISIBLE).strip().casefold())


def prepared_password(text: str) -> str:
    """Return a password by the mapping rules of RFC 8265's OpaqueString: any space is U+0020, then NFC."""
    return composed("".join(" " if unicodedata.category(character) == "Zs" else character for character in text))


def password_spellings(text: str) -> tuple[str, ...]:
    """Return the password as it is hashed now, then the other spellings that older hashes may be of."""
    prepared = prepared_password(text)
    return tuple(dict.fromkeys((prepared, text, unicodedata.normalize("NFD", prepared))))
