"""What failed on this site lately, counted by kind and code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.services import Services


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Failures of one kind with one code.

    `kind` is job, mail, webhook, push or generator. `given_up` counts what will not be tried again. The code
    of a generator is `failing`, and `detail` its name and last error; the jobs it failed have their own codes.
    """

    kind: str
    code: str
    failures: int
    given_up: int
    last_at: datetime | None
    detail: str | None


_COUNT = text("""
SELECT 'job' AS kind, coalesce(error_code, 'unknown') AS code, count(*)::int AS failures, count(*)::int AS given_up,
    max(finished_at) AS last_at, NULL AS detail
FROM jobs WHERE state = 'failed' AND finished_at > now() - make_interval(days => :days) GROUP BY error_code
UNION ALL
SELECT kind, code, sum(failures)::int, sum(given_up)::int, max(last_at), NULL FROM delivery_errors
WHERE day > (now() AT TIME ZONE 'utc')::date - :days GROUP BY kind, code
UNION ALL
SELECT 'generator', 'failing', failures, 0, NULL, concat_ws(': ', name, last_error) FROM generators WHERE failures > 0
ORDER BY kind, failures DESC, code
""")


def count_errors(services: Services, days: int) -> list[ErrorCount]:
    """Return the failures of the last days by kind and code, and the generators that fail now."""
    with services.db.statement() as connection:
        return [ErrorCount(*row) for row in connection.execute(_COUNT, {"days": days})]
