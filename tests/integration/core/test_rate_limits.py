"""Rate limits: exact under parallel calls, refilled evenly, nothing in plain, and rows that go."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from shared.core import rate_limits
from shared.core.errors import Capacity, EaselError, RateLimited
from shared.core.limits import DAY_S
from shared.core.rate_limits import Limit
from shared.services import Services

DAILY = Limit("tests", 10, DAY_S)
"""So slow that nothing comes back while a test runs."""

Sql = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def sql(services: Services) -> Sql:
    def run(query: str) -> list[tuple[object, ...]]:
        with services.db.begin() as connection:
            result = connection.execute(text(query))
            return [tuple(row) for row in result] if result.returns_rows else []

    return run


def take(services: Services, limit: Limit = DAILY, subject: str = "ada", units: int = 1, **options: int) -> int | None:
    """Take units; return None, or the seconds to wait if they were refused."""
    try:
        with services.db.statement() as connection:
            rate_limits.take(connection, limit, subject, units, **options)
    except EaselError as refused:
        return refused.retry_after_s
    return None


def test_parallel_calls_take_no_more_than_there_is(services: Services) -> None:
    with ThreadPoolExecutor(50) as threads:
        waits = list(threads.map(lambda _: take(services), range(50)))
    assert waits.count(None) == DAILY.most
    assert all(0 < wait <= DAY_S / DAILY.most for wait in waits if wait is not None)


def test_units_come_back_evenly(services: Services, sql: Sql) -> None:
    assert take(services, units=10) is None
    assert take(services) is not None
    sql("UPDATE rate_limits SET full_at = full_at - interval '1 day' / 10")
    assert take(services) is None
    assert take(services) is not None
    sql("UPDATE rate_limits SET full_at = full_at - interval '7 days'")
    assert [take(services, units=5), take(services, units=5)] == [None, None]
    assert take(services) is not None


def test_a_refused_call_takes_nothing(services: Services) -> None:
    assert take(services, units=8) is None
    assert [take(services, units=3) is None for _ in range(5)] == [False] * 5
    assert take(services, units=2) is None


def test_more_than_there_can_be_is_refused(services: Services) -> None:
    assert take(services, units=11) is not None
    assert take(services, units=10) is None


def test_what_is_needed_may_be_more_than_what_is_taken(services: Services) -> None:
    assert [take(services, units=0, needed=10) for _ in range(3)] == [None] * 3
    assert take(services) is None
    assert take(services, units=0, needed=10) is not None
    assert take(services, units=9) is None


def test_a_check_takes_nothing(services: Services, sql: Sql) -> None:
    with services.db.statement() as connection:
        for _ in range(20):
            rate_limits.check(connection, DAILY, "ada")
    assert sql("SELECT * FROM rate_limits") == []
    assert take(services, units=10) is None
    with pytest.raises(RateLimited), services.db.statement() as connection:
        rate_limits.check(connection, DAILY, "ada")


def test_limits_and_subjects_are_apart(services: Services) -> None:
    assert take(services, units=10) is None
    assert take(services, subject="bob") is None
    assert take(services, Limit("others", 10, DAY_S)) is None


def test_an_error_in_a_transaction_gives_back_what_was_taken_in_it(services: Services) -> None:
    full = Limit("full", 1, DAY_S, error=Capacity, detail="Full.")
    assert take(services, full) is None

    def take_both() -> None:
        with services.db.begin() as connection:
            rate_limits.take(connection, DAILY, "ada", 10)
            rate_limits.take(connection, full, "ada")

    with pytest.raises(Capacity, match="Full") as refused:
        take_both()
    assert (refused.value.retry_after_s or 0) > 3600
    assert take(services, units=10) is None


def test_many_small_units_add_up(services: Services) -> None:
    """A unit of bytes is far less than a microsecond of the period."""
    bytes_a_day = Limit("bytes", 2000 * 1024 * 1024, DAY_S)
    size = 20 * 1024 * 1024
    assert [take(services, bytes_a_day, units=size) for _ in range(100)] == [None] * 100
    assert take(services, bytes_a_day, units=size) is not None


def test_the_table_names_nobody(services: Services, sql: Sql) -> None:
    assert take(services, subject="ada@example.com") is None
    [(key,)] = sql("SELECT key FROM rate_limits")
    assert isinstance(key, memoryview)
    assert len(key) == 16
    assert b"ada" not in bytes(key)


def test_rows_that_say_nothing_are_swept_in_slices(services: Services, sql: Sql) -> None:
    for number in range(5):
        assert take(services, subject=str(number)) is None
    sql("UPDATE rate_limits SET full_at = full_at - interval '2 days'")
    assert take(services, subject="new") is None
    with services.db.statement() as connection:
        swept = [rate_limits.drop_full(connection, 3) for _ in range(3)]
    assert swept == [3, 2, 0]
    assert len(sql("SELECT FROM rate_limits")) == 1
