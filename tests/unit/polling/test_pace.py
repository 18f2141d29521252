"""How soon a generator whose pictures are quick is looked at."""

import pytest

from shared.jobs.states import FIRST_POLL_S, QUICKEST_POLL_S, first_poll_s, next_poll_s
from shared.polling.pace import Pace


def test_an_unknown_generator_has_no_pace() -> None:
    pace = Pace()
    pace.record("other", 1, 1)
    assert pace.usual_s("unknown", 1) is None
    assert first_poll_s(None) == FIRST_POLL_S


def test_the_pace_scales_with_the_cost() -> None:
    pace = Pace()
    pace.record("a", 2.0, 1.0)
    assert pace.usual_s("a", 4.0) == 2.0


def test_looks_close_in_on_a_quick_engine() -> None:
    """Each picture takes 0.1 s; the first one is found only at the first look."""
    pace, took = Pace(), 0.1
    found = []
    for _ in range(8):
        usual_s = pace.usual_s("a", 1)
        now = first_poll_s(usual_s)
        while now < took:
            now += next_poll_s(now, None, None, usual_s)
        pace.record("a", 1, now)
        found.append(now)
    assert found[0] == FIRST_POLL_S
    assert found[-1] - took <= QUICKEST_POLL_S


def test_a_job_that_takes_far_longer_than_usual_is_polled_as_ever() -> None:
    assert next_poll_s(5.0, None, None, 0.1) == next_poll_s(5.0, None, None)
    assert next_poll_s(0.2, 4, None, 0.1) == pytest.approx(0.4)


@pytest.mark.parametrize("usual_s", [0.0, 0.01, 0.5, 100.0])
def test_looks_are_never_closer_than_the_limit(usual_s: float) -> None:
    assert QUICKEST_POLL_S <= first_poll_s(usual_s) <= FIRST_POLL_S
    assert next_poll_s(0.01, None, None, usual_s) >= QUICKEST_POLL_S
    assert next_poll_s(0.01, 0, 0.99, usual_s) >= QUICKEST_POLL_S
