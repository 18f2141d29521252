"""How often waiting requests are looked up: soon while that costs little, and never more than a share of the time."""

import asyncio
import threading
from collections.abc import Collection
from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter, FastAPI

from functions.http.app import create_app, create_lambda
from functions.http.long_poll import (
    LAMBDA_PAUSE_S,
    LONGEST_PAUSE_S,
    PAUSE_PER_LOOK,
    SHORTEST_PAUSE_S,
    LongPoll,
    pause_s,
)
from shared.core.db import DatabaseFault
from shared.core.errors import Unavailable
from shared.core.settings import Settings
from shared.jobs.watch_store import Seen
from shared.services import Services
from tests.support.loops import loop_of_thread

LONG_S = 60


class Signs:
    """Signs of which one changes at a certain look; `fails` says at which look there is an error."""

    def __init__(self, job_id: UUID, changes_at: int, fails: int | None = None, error: Exception | None = None) -> None:
        self.job_id, self.changes_at, self.fails, self.error = job_id, changes_at, fails, error
        self.asked: list[set[UUID]] = []

    def read(self, seen: Collection[Seen]) -> set[Seen]:
        self.asked.append({job_id for job_id, _ in seen})
        if len(self.asked) == self.fails and self.error:
            raise self.error
        changed = len(self.asked) >= self.changes_at
        return {one for one in seen if changed and one[0] == self.job_id}


@pytest.mark.parametrize(
    ("look_s", "expected_s"),
    [(0.0, SHORTEST_PAUSE_S), (0.01, 0.05), (0.04, 0.2), (0.3, LONGEST_PAUSE_S), (5.0, LONGEST_PAUSE_S)],
)
def test_the_pause_follows_what_a_look_costs(look_s: float, expected_s: float) -> None:
    assert pause_s(look_s, SHORTEST_PAUSE_S) == pytest.approx(expected_s)
    assert pause_s(look_s, LONGEST_PAUSE_S) == LONGEST_PAUSE_S


def test_short_looks_take_no_more_than_their_share() -> None:
    for look_s in (0.0001, 0.001, LONGEST_PAUSE_S / PAUSE_PER_LOOK):
        assert look_s <= pause_s(look_s, SHORTEST_PAUSE_S) / PAUSE_PER_LOOK


def test_a_request_waits_until_its_own_job_changes() -> None:
    mine, other = uuid4(), uuid4()
    signs = Signs(mine, changes_at=3)
    long_poll = LongPoll(signs.read, shortest_pause_s=0.001)

    async def wait() -> bool:
        others = asyncio.create_task(long_poll.wait(other, "old", LONG_S))
        await long_poll.wait(mine, "old", LONG_S)
        still_waits = not others.done()
        others.cancel()
        return still_waits

    assert asyncio.run(wait())
    assert signs.asked[:3] == [{mine, other}] * 3


def test_a_changed_job_is_not_read_behind_the_others() -> None:
    go_on = threading.Event()

    def read(keys: Collection[str]) -> dict[str, str]:
        if "others" in keys:
            go_on.wait(LONG_S)
        return {key: key for key in keys}

    async def ask() -> tuple[str | None, bool]:
        long_poll = LongPoll(lambda seen: seen, shortest_pause_s=0.001)
        others = asyncio.create_task(long_poll.gathered(read).get("others"))
        changed: str | None = await long_poll.gathered(read, soon=True).get("changed")
        still_read = not others.done()
        go_on.set()
        await others
        return changed, still_read

    assert asyncio.run(ask()) == ("changed", True)


@pytest.mark.parametrize("error", [Unavailable("The database cannot be reached."), DatabaseFault("no such column")])
def test_without_the_database_every_request_reads_its_job_again(error: Exception) -> None:
    mine = uuid4()
    signs = Signs(mine, changes_at=100, fails=2, error=error)
    asyncio.run(LongPoll(signs.read, shortest_pause_s=0.001).wait(mine, "old", LONG_S))
    assert len(signs.asked) == 2


def test_functions_of_lambda_share_no_look_and_look_seldom() -> None:
    settings = Settings.from_environment(
        {"EASEL_DATABASE_URL": "postgresql://easel:x@127.0.0.1:9/easel", "EASEL_BROKER_URL": "redis://127.0.0.1:9/0"}
    )
    services, router = Services(settings), APIRouter()
    with loop_of_thread():
        function = create_lambda(router, services).app
    assert isinstance(function, FastAPI)
    assert function.state.long_poll.shortest_pause_s == LAMBDA_PAUSE_S
    assert create_app([router], services).state.long_poll.shortest_pause_s == SHORTEST_PAUSE_S
