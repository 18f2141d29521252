"""Words of strangers for a terminal: nothing in them moves its cursor, changes its colours or turns its text around."""

BEGINNING = 80


def printable(text: str) -> str:
    """The text on one line, with everything that is no visible character in its escaped form."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def beginning(text: str) -> str:
    """The first 80 characters of a text, printable."""
    return printable(text if len(text) <= BEGINNING else f"{text[: BEGINNING - 1]}…")


def _escaped(letter: str) -> str:
    return " " if letter in "\n\r\t\u00a0" else letter.encode("unicode_escape").decode("ascii")
