"""How long a new place in the queue alone is kept back: a moment near the front, longer the further back."""

import pytest

from functions.status import LEAST_S, place_told_after_s


@pytest.mark.parametrize(("place", "expected_s"), [(1, LEAST_S), (25, LEAST_S), (50, 2.0), (100, 4.0), (1_000, 40.0)])
def test_places_are_told_sooner_near_the_front(place: int, expected_s: float) -> None:
    assert place_told_after_s(place) == pytest.approx(expected_s)


def test_a_job_without_a_place_is_waited_for_to_the_end() -> None:
    assert place_told_after_s(None) == float("inf")
