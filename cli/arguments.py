"""What the commands of `easel` take from the command line, checked before anything is asked for."""

import argparse
import math
import re
from collections.abc import Callable
from uuid import UUID

from cli.exits import Ended, Exit
from cli.printable import printable

DEFAULT_LINES, MOST_LINES = 20, 1000
LONGEST_TEXT = 500
LONGEST_SPAN_S = 10 * 365 * 86400
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_limit(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that bounds a list."""
    parser.add_argument("--limit", type=lines, default=DEFAULT_LINES, metavar="N", help=f"{what} (%(default)s)")


def whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number within these bounds, both included."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}")
        return int(text)

    return read


lines = whole(1, MOST_LINES)


def share(text: str) -> float:
    """Reads a weight in the fair order."""
    number = float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", text, re.ASCII) else math.nan
    if not 0.01 <= number <= 100:
        raise argparse.ArgumentTypeError("a number from 0.01 to 100")
    return number


def job_id(text: str) -> UUID:
    """Reads the id of a job."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not the id of a job") from None


def seconds(text: str) -> float:
    """Reads a span of time such as 90s, 10m, 6h or 2d."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text, re.ASCII)
    span_s = int(match[1]) * UNITS_S[match[2]] if match else -1
    if not 0 <= span_s <= LONGEST_SPAN_S:
        raise argparse.ArgumentTypeError("a span such as 90s, 10m, 6h or 2d, of ten years at most")
    return float(span_s)


def email(text: str) -> str:
    """Reads the address of an account, in the form in which accounts keep theirs."""
    address = text.strip().casefold()
    if not (3 <= len(address) <= 320 and "@" in address[1:-1] and "\0" not in address):
        raise argparse.ArgumentTypeError("not an e-mail address")
    return address


def words(text: str) -> str:
    """Reads some words: at most 500 characters, on one line."""
    stripped = printable(text).strip()
    if not 1 <= len(stripped) <= LONGEST_TEXT:
        raise argparse.ArgumentTypeError(f"1 to {LONGEST_TEXT} characters")
    return stripped


def no_job(job_id: UUID) -> Ended:
    """The command named a job that is not there."""
    return Ended(Exit.FAILED, f"There is no job {job_id}; perhaps its owner has deleted it.")


def no_account(email: str) -> Ended:
    """The command named an account that is not there."""
    return Ended(Exit.FAILED, f"There is no account of {printable(email)}. `easel users list --search` finds some.")
