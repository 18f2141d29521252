"""Values in tables and in JSON, and which arguments are accepted."""

import json
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from cli import arguments
from cli.output import Column, format_duration, format_size, format_value, print_json, print_table

AT = datetime(2026, 3, 1, 12, 30, 5, 120_000, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (-3, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"),
     (7500, "2 h 5 min"), (86400, "1 d"), (90000, "1 d 1 h"), (86460, "1 d")],
)  # fmt: skip
def test_a_span(seconds: float | None, words: str) -> None:
    assert format_duration(seconds) == words


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_500_000, "1.5 MB"),
        (2 * 10**9, "2.0 GB"),
        (10**16, "10000.0 TB"),
    ],
)
def test_a_size(size_bytes: int, words: str) -> None:
    assert format_size(size_bytes) == words


def test_a_cell() -> None:
    assert [format_value(value) for value in (None, "", True, False, 0, AT)] == [
        "-",
        "-",
        "yes",
        "no",
        "0",
        "2026-03-01 10:30",
    ]


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("маяк", 7), ("a\x1b[2J" + "x" * 100, 1000)]
    columns = (
        Column[tuple[str, int]]("NAME", lambda row: row[0]),
        Column[tuple[str, int]]("N", lambda row: row[1], right=True),
    )
    print_table(rows, columns, if_empty="none")
    first, second, third = capsys.readouterr().out.splitlines()
    assert len(first) == len(second) == len(third)
    assert second.startswith("маяк ")
    assert second.endswith("   7")
    assert third.isprintable()


def test_json_is_ascii_on_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"at": AT, "id": UUID(int=1), "words": "маяк\n\x1b", "none": None}, {}])
    first, second = capsys.readouterr().out.splitlines()
    assert first.isascii()
    assert first.isprintable()
    assert json.loads(first) == {
        "at": "2026-03-01T10:30:05.120Z",
        "id": str(UUID(int=1)),
        "words": "маяк\n\x1b",
        "none": None,
    }
    assert second == "{}"
    assert AT.astimezone(UTC).hour == 10


def test_accepted_arguments() -> None:
    assert arguments.email(" Ada@Example.COM ") == "ada@example.com"
    assert [arguments.seconds(text) for text in ("90s", "10m", "6h", "2d")] == [90, 600, 21600, 172800]
    assert [arguments.weight(text) for text in ("0.01", "1", "100")] == [0.01, 1, 100]
    assert arguments.text(" spam\x1b ") == "spam\\x1b"


@pytest.mark.parametrize("text", ["", "@", "a@", "@a", "x" * 321 + "@a", "a\0@b"])
def test_invalid_addresses(text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        arguments.email(text)
