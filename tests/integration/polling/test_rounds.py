"""Rounds: each is done about once a period by one of all processes, by the database's time."""

import threading
from concurrent.futures import ThreadPoolExecutor

from shared.polling.rounds import Round, Rounds, take
from tests.support.waiting import until
from tests.support.world import World


def nothing() -> None:
    """Do nothing."""


OFTEN, RARELY = Round("often", 0, nothing), Round("rarely", 3600, nothing)


def taken(world: World, *rounds: Round) -> list[str]:
    with world.services.db.statement() as connection:
        return take(connection, rounds)


def test_a_round_is_due_again_after_its_period(world: World) -> None:
    assert taken(world, OFTEN, RARELY) == ["often", "rarely"]
    assert taken(world, OFTEN, RARELY) == ["often"]
    assert taken(world, RARELY) == []
    world.sql("UPDATE rounds SET due_at = clock_timestamp() WHERE name = 'rarely'")
    assert taken(world, RARELY) == ["rarely"], "whoever took it before may have died"
    [row] = world.sql(
        "SELECT extract(epoch FROM due_at - clock_timestamp()) AS left_s FROM rounds WHERE name = 'rarely'"
    )
    assert 3500 < row.left_s <= 3600


def test_a_round_of_outboxes_is_due_while_one_has_a_message_due(world: World) -> None:
    sending = Round("sending", 0, nothing, ("mails", "exports"))
    assert taken(world, OFTEN, sending) == ["often"]
    world.sql(
        "INSERT INTO exports (user_id, due_at) VALUES (:user_id, now() + interval '1 hour')", user_id=world.user()
    )
    assert taken(world, sending) == []
    world.sql("UPDATE exports SET due_at = now()")
    assert taken(world, sending, OFTEN) == ["often", "sending"]
    assert taken(world, Round("others", 0, nothing, ("webhooks",))) == []


def test_one_of_many_takes_a_round(world: World) -> None:
    for state in ("new", "known"):
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(lambda _: taken(world, RARELY), range(32)))
        assert [names for names in found if names] == [["rarely"]], state
        world.sql("UPDATE rounds SET due_at = clock_timestamp()")


def test_a_round_that_lasts_is_left_to_others_and_errors_end_nothing(world: World) -> None:
    stopping, go_on = threading.Event(), threading.Event()
    begun, failed = [], []

    def last() -> None:
        begun.append(1)
        go_on.wait(60)

    def fail() -> None:
        failed.append(1)
        raise RuntimeError

    own = [Round("lasting", 0, last), Round("failing", 0, fail)]
    rounds = Rounds(world.services.db, own, stopping)
    rounds.start()
    try:
        until(lambda: len(failed) >= 3, "it goes on after errors")
        assert begun == [1], "it is still under way here"
        assert taken(world, own[0]) == ["lasting"], "another process can take it"
        go_on.set()
        until(lambda: len(begun) >= 2, "it begins again")
    finally:
        go_on.set()
        rounds.stop(60)
    count = len(failed)
    assert stopping.is_set()
    assert taken(world, *own) == ["failing", "lasting"]
    assert len(failed) == count
