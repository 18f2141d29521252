"""The argument types of `easel`, checked before any server is contacted."""

import argparse
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from cli.exit_codes import CommandError, ExitCode
from cli.terminal_text import printable
from shared.core.errors import NotFound
from shared.core.words import address_key, composed

if TYPE_CHECKING:
    from shared.services import Services

Command: TypeAlias = "Callable[[Services, argparse.Namespace], int]"
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DEFAULT_LIMIT, MAX_LIMIT = 20, 1000
MAX_TEXT_LENGTH = 500
MAX_DURATION_S = 10 * 365 * 86400
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_command(
    commands: Commands, name: str, command: Command, summary: str, description: str | None = None
) -> argparse.ArgumentParser:
    """Add a command. Its summary is for the list of commands, its description for its own help, wrapped as it is."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=description or summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command=command)
    return parser


def add_limit(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that bounds a list."""
    parser.add_argument(
        "--limit", type=integer(1, MAX_LIMIT), default=DEFAULT_LIMIT, metavar="N", help=f"{what} (%(default)s)"
    )


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within these bounds, both included."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and minimum <= int(text) <= maximum):
            raise argparse.ArgumentTypeError(f"a whole number from {minimum} to {maximum}")
        return int(text)

    return parse


def weight(text: str) -> float:
    """Parse a weight in the fair queue."""
    number = float(text) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4})?", text, re.ASCII) else math.nan
    if not 0.01 <= number <= 100:
        raise argparse.ArgumentTypeError("a number from 0.01 to 100")
    return number


def job_id(text: str) -> UUID:
    """Parse the id of a job."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not the id of a job") from None


def seconds(text: str) -> float:
    """Parse a duration such as 90s, 10m, 6h or 2d."""
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text, re.ASCII)
    duration_s = int(match[1]) * UNITS_S[match[2]] if match else -1
    if not 0 <= duration_s <= MAX_DURATION_S:
        raise argparse.ArgumentTypeError("a duration such as 90s, 10m, 6h or 2d, of at most ten years")
    return float(duration_s)


def email(text: str) -> str:
    """Parse the address of an account into the form in which accounts store theirs."""
    address = address_key(text)
    if not (3 <= len(address) <= 320 and "@" in address[1:-1] and "\0" not in address):
        raise argparse.ArgumentTypeError("not an e-mail address")
    return address


def text(text: str) -> str:
    """Parse a text of at most 500 characters on one line."""
    stripped = composed(printable(text).strip())
    if not 1 <= len(stripped) <= MAX_TEXT_LENGTH:
        raise argparse.ArgumentTypeError(f"1 to {MAX_TEXT_LENGTH} characters")
    return stripped


@contextmanager
def known_job(job_id: UUID) -> Iterator[None]:
    """Raise CommandError if the block finds no such job."""
    try:
        yield
    except NotFound:
        message = f"There is no job {job_id}; perhaps its owner has deleted it."
        raise CommandError(ExitCode.FAILED, message) from None


@contextmanager
def known_account(email: str) -> Iterator[None]:
    """Raise CommandError if the block finds no such account."""
    try:
        yield
    except NotFound:
        message = f"There is no account of {printable(email)}. `easel users list --search` finds some."
        raise CommandError(ExitCode.FAILED, message) from None
