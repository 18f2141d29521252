"""Whole numbers as people write them in settings, options and addresses."""

MOST_DIGITS = 12


def whole_number(text: str, least: int, most: int) -> int:
    """Return the number that a text of ASCII digits denotes; both bounds are included.

    Raises:
        ValueError: It is not such a number. The message completes a sentence such as "EASEL_PORT is ...".
    """
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and least <= int(text) <= most:
        return int(text)
    raise ValueError(f"a whole number from {least} to {most}, not '{text[:40]}'")
