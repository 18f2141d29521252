"""What failed on this site lately, counted by kind and code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.services import Services


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """Failures of one kind with one code.

    `kind` is job, mail, webhook, push or generator. `given_up` counts what will not be tried again. `detail` names the
    generator, with its last error if it fails now; its failures are steps of jobs, which may be tried again, and health
    checks.
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
SELECT 'generator', e.code, sum(e.failures)::int, 0, max(e.last_at),
    concat(e.generator, ' (failing now: ' || g.last_error || ')')
FROM generator_errors e LEFT JOIN generators g ON g.name = e.generator AND g.failures > 0
WHERE e.day > (now() AT TIME ZONE 'utc')::date - :days GROUP BY e.generator, e.code, g.last_error
ORDER BY kind, failures DESC, code, detail
""")


def count_errors(services: Services, days: int) -> list[ErrorCount]:
    """Return the failures of the last days by kind and code, those of generators by name, too."""
    with services.db.statement() as connection:
        return [ErrorCount(*row) for row in connection.execute(_COUNT, {"days": days})]
