"""SQL for the record of generators' failures, which `easel errors` shows."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from shared.notify.delivery_errors import KEPT_DAYS


def record(connection: Connection, failures: Mapping[tuple[str, str], int]) -> None:
    """Add failures, which are counted by the generator's name and the code."""
    if not failures:
        return
    query = text("""
        INSERT INTO generator_errors AS e (day, generator, code, failures)
        SELECT (now() AT TIME ZONE 'utc')::date, given.* FROM unnest(
            CAST(:generators AS text[]), CAST(:codes AS text[]), CAST(:failures AS int[])
        ) AS given ORDER BY 2, 3
        ON CONFLICT (day, generator, code) DO UPDATE SET failures = e.failures + excluded.failures,
            last_at = excluded.last_at
    """)
    generators, codes = zip(*failures, strict=True)
    values = {"generators": list(generators), "codes": list(codes), "failures": list(failures.values())}
    connection.execute(query, values)


def drop_old(connection: Connection) -> None:
    """Delete the records of more than KEPT_DAYS days ago."""
    query = text("DELETE FROM generator_errors WHERE day < (now() AT TIME ZONE 'utc')::date - :days")
    connection.execute(query, {"days": KEPT_DAYS})
