"""How commands show what they found: a table for people, or one JSON object a line for programs."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cli.printable import beginning, printable

UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
SIZES = ("B", "kB", "MB", "GB", "TB")


def in_words(value: Any) -> str:
    """A value in a cell: an empty one as a dash, a time in UTC to the minute, all else as it is."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return str(value)


def span(seconds: float | None) -> str:
    """A span of time in its largest unit and the next one: `3 h 5 min`."""
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


def size(size_bytes: int) -> str:
    """An amount of bytes in the largest unit of which there is one: `1.5 MB`."""
    amount, unit = float(size_bytes), SIZES[0]
    for unit in SIZES:
        if amount < 1000 or unit == SIZES[-1]:
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if unit == SIZES[0] else f"{amount:.1f} {unit}"


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, the field of a row that it shows, and how. Numbers stand at the right."""

    title: str
    field: str
    show: Callable[[Any], str] = in_words
    right: bool = False


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option that every command with a list has."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, as_json: bool, otherwise: str) -> None:
    """Print the rows as a table, or all their fields as JSON; without a row people read `otherwise`."""
    if as_json:
        print_json(rows)
    elif rows:
        _print_table(rows, columns)
    else:
        print(otherwise)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one JSON object a line, in ASCII; times are ISO 8601 in UTC."""
    for row in rows:
        print(json.dumps(row, default=_plain))
        sys.stdout.flush()


def print_facts(title: str, facts: Iterable[tuple[str, Any]]) -> None:
    """Print a heading and under it names with their values; what has no value is left out."""
    told = [(name, printable(in_words(value))) for name, value in facts if value not in (None, "")]
    width = max((len(name) for name, _ in told), default=0)
    print(title)
    for name, value in told:
        print(f"    {name.ljust(width)}  {value}")


def _print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
    cells = [[beginning(column.show(row[column.field])) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in [[c.title for c in columns], *cells]) for place in range(len(columns))]
    for line in [[column.title for column in columns], *cells]:
        parts = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        ]
        print("  ".join(parts).rstrip())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no value of a row")
