"""Turns of looking at photos: none of many requests of one user keeps others, or the process's threads, waiting."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier, Event
from uuid import uuid4

import pytest

from shared.core.errors import Unavailable
from shared.likeness.turns import UserTurns


def test_a_user_has_few_requests_here_and_another_one_still_gets_in() -> None:
    turns, ada = UserTurns(at_once=3), uuid4()
    with turns.turn(ada), turns.turn(ada):
        with pytest.raises(Unavailable) as caught, turns.turn(ada):
            pass
        assert caught.value.retry_after_s == 5
        with turns.turn(uuid4()):
            pass
    with turns.turn(ada):
        pass


def test_as_many_as_may_wait_do_and_more_are_refused_at_once() -> None:
    turns, go = UserTurns(at_once=1, most=3, wait_s=60), Event()
    taken = Barrier(2)

    def take(first: bool) -> None:
        with turns.turn(uuid4()):
            if first:
                taken.wait(60)
            assert go.wait(60)

    with ThreadPoolExecutor(3) as pool, ExitStack() as last:
        last.callback(go.set)
        found = [pool.submit(take, True)]
        taken.wait(60)
        found += [pool.submit(take, False) for _ in range(2)]
        while turns._here.total() < 3:
            Event().wait(0.01)
        with pytest.raises(Unavailable), turns.turn(uuid4()):
            pass
        go.set()
        for one in found:
            one.result(60)
    assert not turns._here


def test_a_turn_that_does_not_come_is_given_up() -> None:
    turns, ada = UserTurns(at_once=1, wait_s=0), uuid4()
    with turns.turn(uuid4()), pytest.raises(Unavailable), turns.turn(ada):
        pass
    with turns.turn(ada):
        pass


def test_an_error_ends_a_turn() -> None:
    turns, ada = UserTurns(at_once=1), uuid4()
    for _ in range(5):
        with pytest.raises(ValueError, match="broken"), turns.turn(ada):
            raise ValueError("broken")
