"""Makes untrusted text safe for a terminal: no control sequences, no change of the writing direction."""

MAX_CHARACTERS = 80


def printable(text: str) -> str:
    """Return the text on one line, with every character that is not printable escaped."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def shorten(text: str) -> str:
    """Return the first 80 characters of a text, printable."""
    return printable(text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…")


def _escape(character: str) -> str:
    return " " if character in "\n\r\t\u00a0" else character.encode("unicode_escape").decode("ascii")
