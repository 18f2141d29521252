"""The benchmark of growth runs, and prints a table of every statement."""

import re
import subprocess
import sys

from bench.scale import BOUND, table
from tests.support.paths import ROOT

LIMIT_S = 300
STATEMENTS = {
    "submit",
    "status of the last job",
    "search for a rare word in a long history",
    "signs of 1,000 jobs for long polls",
    "cancel",
    "dispatch",
    "claim",
    "release",
    "succeed",
    "sweep",
    "report",
    "scrape",
    "collect",
    "gallery, a page near its end",
    "deleting 100 of its jobs",
}


def test_the_table_has_a_row_for_every_statement() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.scale", "--sizes", "100,50", "--rounds", "1"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_S,
    )
    head, line, *rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert head == "| queued jobs of 10,000 users | 50 | 100 | growth | |"
    assert line == "|---|---:|---:|---:|---|"
    for row in rows:
        assert re.fullmatch(r"\| [^|]+( \| \d+\.\d\d ms){2} \| \d+\.\d\d \| (\*\*missed\*\*)? \|", row), row
    assert {row.split("|")[1].strip() for row in rows} >= STATEMENTS


def test_growth_is_the_median_of_the_rounds() -> None:
    """One slow round of the machine, or of one queue, does not count."""
    columns = {
        "1,000": {"claim": [1.0, 10.0, 1.0], "sweep": [1.0, 1.0, 1.0]},
        "1,000,000": {"claim": [1.2, 12.0, 9.0], "sweep": [BOUND + 0.1, 1.0, BOUND + 0.1]},
        "1,000 and 10 finished": {"claim": [5.0, 5.0, 5.0], "sweep": [1.0, 1.0, 1.0]},
    }
    _, _, claim, sweep, *_ = table(columns, 2)
    assert claim == "| claim | 1.00 ms | 9.00 ms | 5.00 ms | 1.20 |  |"
    assert sweep == "| sweep | 1.00 ms | 1.60 ms | 1.00 ms | 1.60 | **missed** |"
