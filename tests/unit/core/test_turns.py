"""Turns: first come, first served."""

from threading import Thread

import pytest

from shared.core.errors import Unavailable
from shared.core.turns import Turns
from tests.support.waiting import until


def test_a_place_is_taken_and_given_back() -> None:
    turns = Turns(2)
    assert turns.take(0)
    assert turns.take(0)
    assert not turns.take(0)
    turns.give()
    assert turns.take(0)


def test_a_turn_ends_with_its_block_and_another_one_is_refused_meanwhile() -> None:
    turns = Turns(1)
    with turns.turn(0, "Nobody gets in."):
        with pytest.raises(Unavailable) as refused, turns.turn(0, "Too many.", retry_after_s=7):
            pass
        assert (refused.value.detail, refused.value.retry_after_s) == ("Too many.", 7)
    with pytest.raises(ValueError, match="broken"), turns.turn(0, "Too many."):
        raise ValueError("broken")
    assert turns.take(0)


def test_one_that_gives_a_place_back_does_not_overtake_those_that_wait() -> None:
    turns, served = Turns(1), []
    assert turns.take(0)

    def ask(name: str) -> None:
        assert turns.take(60)
        served.append(name)

    threads = []
    for place, name in enumerate(("first", "second"), start=1):
        threads.append(Thread(target=ask, args=(name,)))
        threads[-1].start()
        until(lambda count=place: len(turns._waiting) == count, f"{name} waits")  # type: ignore[misc]
    turns.give()
    assert not turns.take(0)
    threads[0].join()
    assert served == ["first"]
    turns.give()
    assert not turns.take(0)
    threads[1].join()
    assert served == ["first", "second"]


def test_one_that_gave_up_is_not_handed_a_place() -> None:
    turns = Turns(1)
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give()
    assert turns.take(0)
