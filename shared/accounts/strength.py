"""How easily a password is guessed: zxcvbn's estimate, of input that bounds what the estimate costs."""

import threading
from math import prod

MIN_GUESSES = 10**7
"""A password that needs fewer guesses is refused (zxcvbn's estimate, source: its 30,000 common passwords)."""

MAX_CHARACTERS = 24
"""As much of a password is estimated, of its beginning or else of its end: time grows with the square of the length."""

MAX_READINGS = 4
"""In so many ways symbols are read as letters (4 as a, 1 as i or l). Each reading is looked up in all word lists, and a
dozen different symbols would have a thousand. Symbols beyond that are taken as they are; words need few of them."""

_OTHER_SYMBOL = "\N{BULLET}"
_one = threading.Lock()
"""zxcvbn keeps the words of the user in its module."""


def is_well_known(password: str, email: str) -> bool:
    """Return whether a password is a common one, a sequence, or made of the address, even with other symbols."""
    words = [email, *email.split("@")]
    parts = dict.fromkeys((password[:MAX_CHARACTERS], password[-MAX_CHARACTERS:]))
    return all(_guesses(part, words) < MIN_GUESSES for part in parts)


def _guesses(part: str, words: list[str]) -> float:
    from zxcvbn import zxcvbn  # its word lists take 30 ms to load, and only sign-up needs them

    with _one:
        return float(zxcvbn(with_few_readings(part), user_inputs=words)["guesses"])


def with_few_readings(text: str) -> str:
    """Replace the symbols that would give a text more than MAX_READINGS readings as letters."""
    from zxcvbn.matching import L33T_TABLE

    read: set[str] = set()
    for symbol in dict.fromkeys(text):
        more = read | {symbol}
        if prod(max(1, len(more.intersection(symbols))) for symbols in L33T_TABLE.values()) <= MAX_READINGS:
            read = more
    return "".join(symbol if symbol in read else _OTHER_SYMBOL for symbol in text)
