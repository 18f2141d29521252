"""Ends of waits: exact while few end together; thousands that came together are spread, and stay so."""

from collections import Counter
from random import Random

import pytest

from functions.http.spread_ends import MOST_IN_A_SECOND, SpreadEnds

WAIT_S = 20.0
MANY = 5000


def test_few_waits_last_as_long_as_they_may() -> None:
    ends = SpreadEnds()
    assert [ends.add(100.25, WAIT_S) for _ in range(MOST_IN_A_SECOND)] == [120.25] * MOST_IN_A_SECOND
    assert ends.add(100.25, WAIT_S) < 120.0


@pytest.mark.parametrize("wait_s", [0.01, 0.4, 1.0, 1.9])
def test_short_waits_are_never_negative(wait_s: float) -> None:
    ends = SpreadEnds()
    for _ in range(3 * MOST_IN_A_SECOND):
        assert 100.9 + wait_s / 2 <= ends.add(100.9, wait_s) <= 100.9 + wait_s


def test_thousands_that_came_together_end_evenly_after_some_rounds() -> None:
    ends = SpreadEnds(Random(7).random)
    waits = [(100.5, ends.add(100.5, WAIT_S)) for _ in range(MANY)]
    for _ in range(4 * MANY):
        began, end = min(waits, key=lambda wait: wait[1])
        waits.remove((began, end))
        assert WAIT_S / 2 - 1e-6 <= end - began <= WAIT_S + 1e-6
        ends.remove(end)
        waits.append((end, ends.add(end, WAIT_S)))
    in_second = Counter(int(end) for _, end in waits)
    assert max(in_second.values()) < 1.5 * MANY / WAIT_S


def test_ends_that_are_over_are_forgotten() -> None:
    ends = SpreadEnds()
    for end in [ends.add(1.0, WAIT_S) for _ in range(MANY)]:
        ends.remove(end)
    assert [ends.add(1.0, WAIT_S) for _ in range(MOST_IN_A_SECOND)] == [21.0] * MOST_IN_A_SECOND
