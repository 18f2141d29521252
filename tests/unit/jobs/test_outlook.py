"""The estimate of a wait."""

from shared.jobs.outlook import Outlook


def test_a_queued_job_waits_for_the_cost_ahead_of_it() -> None:
    outlook = Outlook(jobs_ahead=3, cost_ahead=30, seconds_per_cost=0.5, places=2)
    assert outlook.position == 4
    assert outlook.eta_s(10, None) == 13


def test_without_a_generator_one_place_is_assumed() -> None:
    assert Outlook(jobs_ahead=1, cost_ahead=10, seconds_per_cost=1.0).eta_s(1, None) == 11


def test_a_running_job_is_estimated_from_its_progress() -> None:
    assert Outlook(seconds_per_cost=1.0, running_s=30).eta_s(100, 0.75) == 10
    assert Outlook(seconds_per_cost=1.0, running_s=30).eta_s(100, None) == 70
    assert Outlook(seconds_per_cost=1.0, running_s=300).eta_s(100, None) == 1, "a late job is not shown as done"


def test_a_finished_job_has_no_wait() -> None:
    assert (Outlook().position, Outlook().eta_s(5, 1.0)) == (None, None)
