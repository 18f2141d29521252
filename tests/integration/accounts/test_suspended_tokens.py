"""A token is suspended exactly when its account is disabled, in either order of the writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.accounts import token_store
from tests.support.world import World

PATIENCE_S = 20
Write = Callable[[Connection], object]


@pytest.fixture
def user_id(world: World) -> UUID:
    return world.user()


@pytest.fixture
def log_in(user_id: UUID) -> Write:
    def write(connection: Connection) -> object:
        return token_store.create_token(connection, user_id, uuid4().bytes, kind="session", name=None, lifetime_s=60)

    return write


@pytest.fixture
def email(world: World, user_id: UUID) -> str:
    [row] = world.sql("SELECT email FROM users WHERE id = :id", id=user_id)
    return str(row.email)


@pytest.fixture
def disable(email: str) -> Write:
    return lambda connection: user_store.disable(connection, email, None)


def write(world: World, change: Write) -> None:
    with world.services.db.begin() as connection:
        change(connection)


def suspended(world: World) -> list[bool]:
    return [row.suspended for row in world.sql("SELECT suspended FROM tokens")]


def test_disabling_and_enabling(world: World, email: str, log_in: Write, disable: Write) -> None:
    write(world, log_in)
    assert suspended(world) == [False]
    write(world, disable)
    write(world, log_in)
    assert suspended(world) == [True, True]
    write(world, lambda connection: user_store.enable(connection, email))
    assert suspended(world) == [False, False]


@pytest.mark.parametrize("first", ["log_in", "disable"])
def test_at_the_same_moment(world: World, log_in: Write, disable: Write, first: str) -> None:
    """The second waits for the first, which has written and not yet committed, and then sees its change."""
    changes = {"log_in": log_in, "disable": disable}
    one = changes.pop(first)
    [other] = changes.values()
    with ThreadPoolExecutor(1) as pool:
        with world.services.db.begin() as connection:
            one(connection)
            second = pool.submit(write, world, other)
            world.until_one_waits()
        second.result(PATIENCE_S)
    assert suspended(world) == [True]
