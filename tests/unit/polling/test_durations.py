"""The model of how long a generator takes: a fixed part, and a part for each unit of cost."""

import random

import pytest

from shared.jobs.states import cost
from shared.polling.durations import FIXED_S, SECONDS_PER_COST, Durations

THUMBNAIL, ORDINARY, BEST = cost(1, 64, 64, 1, 1), cost(1, 512, 512, 30, 1), cost(2, 512, 512, 80, 2)
KINDS = (THUMBNAIL, ORDINARY, BEST, cost(1, 512, 512, 15, 1), cost(4, 768, 432, 50, 1))


def test_an_unknown_generator_is_taken_for_an_ordinary_one() -> None:
    assert Durations().estimate_s(ORDINARY) == FIXED_S + SECONDS_PER_COST * ORDINARY


@pytest.mark.parametrize("before", [0, 1, 5])
def test_thumbnails_say_nothing_about_ordinary_pictures(before: int) -> None:
    """An ordinary picture takes 2 s, the best two take 7 s, a thumbnail takes 0.4 s."""
    model = Durations()
    for _ in range(before):
        model = model.after(ORDINARY, 2.0)
    for _ in range(12):
        model = model.after(THUMBNAIL, 0.4)
    assert model.estimate_s(THUMBNAIL) == pytest.approx(0.4, rel=0.05)
    assert model.estimate_s(ORDINARY) < 6
    if before:
        assert 1 < model.estimate_s(ORDINARY) < 4
        assert 3.5 < model.estimate_s(BEST) < 14
    model = model.after(ORDINARY, 2.0)
    assert model.estimate_s(ORDINARY) == pytest.approx(2, rel=0.05)


def test_a_thousand_thumbnails_do_not_make_it_forget() -> None:
    model = Durations().after(ORDINARY, 2.0).after(BEST, 7.0)
    before = model.estimate_s(ORDINARY)
    for _ in range(1000):
        model = model.after(THUMBNAIL, 0.4)
    assert model.estimate_s(ORDINARY) == pytest.approx(before, rel=0.2)


@pytest.mark.parametrize("fixed_s", [0, 0.02, 0.4, 30])
@pytest.mark.parametrize("pace", [0.0, 0.005, 0.2, 10])
def test_it_finds_both_parts(fixed_s: float, pace: float) -> None:
    if fixed_s + pace == 0:
        return
    chance, model = random.Random(7), Durations()
    for _ in range(60):
        job = chance.choice(KINDS)
        model = model.after(job, fixed_s + pace * job)
        assert min(model.fixed_s, model.seconds_per_cost) >= 0
    for job in KINDS:
        assert model.estimate_s(job) == pytest.approx(fixed_s + pace * job, rel=0.1, abs=0.01)


def test_it_follows_a_generator_that_becomes_faster() -> None:
    model = Durations()
    for _ in range(40):
        model = model.after(ORDINARY, 60.0)
    for _ in range(10):
        model = model.after(ORDINARY, 2.0)
    assert model.estimate_s(ORDINARY) == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize(("seconds", "every"), [(0.001, 20), (0.2, 20), (300.0, 3)])
def test_single_odd_measurements_change_little(seconds: float, every: int) -> None:
    """Pictures that had been made before, and a generator that had just started."""
    model = Durations()
    for number in range(1, 200):
        model = model.after(ORDINARY, 2.0 if number % every else seconds)
        assert number < 20 or 1 < model.estimate_s(ORDINARY) < 4


def test_a_clock_that_was_set_back_is_ignored() -> None:
    model = Durations().after(ORDINARY, 2.0)
    assert model.after(ORDINARY, -5.0) == model.after(THUMBNAIL, 0.0) == model


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9, 1e7])
def test_odd_measurements_leave_it_usable(seconds: float) -> None:
    model = Durations()
    for _ in range(50):
        model = model.after(THUMBNAIL, seconds)
    assert 0 <= model.estimate_s(BEST) < 1e12
