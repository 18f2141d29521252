"""How commands print what they found: a table for people, or one JSON object per line for programs."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar
from uuid import UUID

from cli.terminal_text import beginning, printable

UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
SIZES = ("B", "kB", "MB", "GB", "TB")

Item = TypeVar("Item")


def format_value(value: object) -> str:
    """Format a table cell: nothing as a dash, a time in UTC to the minute."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return str(value)


def format_duration(seconds: float | None) -> str:
    """Format a duration in its largest unit and the next one: `3 h 5 min`."""
    if seconds is None:
        return "-"
    whole = max(0, int(seconds))
    for place, (length, unit) in enumerate(UNITS):
        if whole >= length:
            rest = whole % length
            smaller = UNITS[place + 1] if place + 1 < len(UNITS) else (1, "s")
            more = rest // smaller[0]
            return f"{whole // length} {unit} {more} {smaller[1]}" if more else f"{whole // length} {unit}"
    return f"{whole} s"


def format_size(size_bytes: int | None) -> str:
    """Format a number of bytes in the largest unit of which there is one: `1.5 MB`."""
    if size_bytes is None:
        return "-"
    amount, unit = float(size_bytes), SIZES[0]
    for unit in SIZES:
        if amount < 1000 or unit == SIZES[-1]:
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == SIZES[0] else f"{amount:.1f} {unit}"


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column of a table: its title, and what it shows of an item. `right` aligns numbers."""

    title: str
    value: Callable[[Item], object]
    right: bool = False


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that every list command has."""
    parser.add_argument("--json", action="store_true", help="print one JSON object per line, for programs")


def print_table(items: Iterable[Item], columns: Sequence[Column[Item]], *, if_empty: str) -> None:
    """Print a table of the items, or the sentence `if_empty`."""
    cells = [[beginning(format_value(column.value(item))) for column in columns] for item in items]
    if not cells:
        print(if_empty)
        return
    lines = [[column.title for column in columns], *cells]
    widths = [max(map(len, cells_of_column)) for cells_of_column in zip(*lines, strict=True)]
    for line in lines:
        parts = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        print("  ".join(parts).rstrip())


def print_json(rows: Iterable[Mapping[str, object]]) -> None:
    """Print one JSON object per line, in ASCII; times are ISO 8601 in UTC."""
    for row in rows:
        print(json.dumps(row, default=_plain))
        sys.stdout.flush()


def print_facts(title: str, facts: Iterable[tuple[str, object]]) -> None:
    """Print a heading and under it names with their values; facts without a value are left out."""
    known = [(name, printable(format_value(value))) for name, value in facts if value not in (None, "")]
    width = max((len(name) for name, _ in known), default=0)
    print(title)
    for name, value in known:
        print(f"    {name.ljust(width)}  {value}")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
