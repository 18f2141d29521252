"""The pure rules of jobs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.states import FINISHED, FIRST_POLL_S, LONGEST_POLL_S, MOVES, State, allowed_from, cost, next_poll_s

LEGAL = {
    ("held", "queued"),
    ("held", "cancelled"),
    ("held", "failed"),
    ("queued", "generating"),
    ("queued", "cancelled"),
    ("queued", "failed"),
    ("generating", "queued"),
    ("generating", "succeeded"),
    ("generating", "failed"),
    ("generating", "cancelled"),
    ("failed", "queued"),
}

seconds = st.floats(0, 1e9)


@pytest.mark.parametrize("start", State)
@pytest.mark.parametrize("to", State)
def test_a_move_is_legal_or_it_is_not(start: State, to: State) -> None:
    legal = (start.value, to.value) in LEGAL
    assert (to in MOVES[start]) == legal
    assert (start in allowed_from(to)) == legal


def test_a_state_is_finished_if_only_an_operators_requeue_follows() -> None:
    assert {state for state in State if not MOVES[state] - {State.QUEUED}} == FINISHED
    assert {state for state in State if state.finished} == FINISHED


@given(
    n=st.integers(1, 8),
    width=st.integers(8, 256).map(lambda eighth: 8 * eighth),
    height=st.integers(8, 256).map(lambda eighth: 8 * eighth),
    steps=st.integers(1, 150),
    upscale=st.integers(1, 4),
)
def test_cost_grows_with_every_part_of_the_work(n: int, width: int, height: int, steps: int, upscale: int) -> None:
    base = cost(n, width, height, steps, upscale)
    assert 0 < base < math.inf
    assert base <= cost(n + 1, width, height, steps, upscale)
    assert base <= cost(n, width + 8, height, steps, upscale)
    assert base <= cost(n, width, height, steps + 1, upscale)
    assert base <= cost(n, width, height, steps, upscale + 1)


@given(seconds, st.none() | st.integers(0, 10**9), st.none() | st.floats(0, 1))
def test_the_next_poll_stays_within_its_bounds(elapsed_s: float, position: int | None, fraction: float | None) -> None:
    assert FIRST_POLL_S <= next_poll_s(elapsed_s, position, fraction) <= LONGEST_POLL_S


@given(seconds, st.integers(0, 1000))
def test_a_longer_queue_is_polled_later(elapsed_s: float, position: int) -> None:
    assert next_poll_s(elapsed_s, position, None) <= next_poll_s(elapsed_s, position + 1, None)


@given(st.floats(0.1, 10_000), st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_job_nearly_done_is_polled_sooner(elapsed_s: float, one: float, other: float) -> None:
    assert next_poll_s(elapsed_s, None, max(one, other)) <= next_poll_s(elapsed_s, None, min(one, other))
