"""Promises that hold between the rows of one snapshot. Each is a query for the rows that break it."""

from typing import NamedTuple

from sqlalchemy import Connection, text

from shared.jobs.states import MAX_ATTEMPTS, MAX_CRASHES

MOST_SHOWN = 5
"""How many rows that break one promise are named."""


class Promise(NamedTuple):
    """What is promised, and the query for the rows that break it."""

    words: str
    broken_by: str


_FINISHED = "('succeeded', 'failed', 'cancelled')"
_WAITING = "('held', 'queued')"
_GIVEN_BACK = "('failed', 'cancelled')"

_COUNTS = (
    Promise(
        "a user's counts equal the user's rows",
        f"""
        SELECT u.id, u.queued, c.queued AS are_queued, u.running, c.running AS are_running
        FROM users u CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE state IN {_WAITING}) AS queued,
                count(*) FILTER (WHERE state = 'generating') AS running
            FROM jobs j WHERE j.user_id = u.id
        ) AS c WHERE (u.queued, u.running) <> (c.queued, c.running)
        """,
    ),
    Promise(
        "every succeeded or unfinished job is debited",
        f"""
        SELECT u.id, u.quota_used, c.jobs FROM users u CROSS JOIN LATERAL (
            SELECT count(*) AS jobs FROM jobs j
            WHERE j.user_id = u.id AND j.quota_day = u.quota_day AND j.state NOT IN {_GIVEN_BACK}
        ) AS c WHERE u.quota_used < c.jobs
        """,
    ),
    # What is debited beyond the rows belongs to succeeded jobs that were deleted, which the counters still have.
    Promise(
        "every failed or cancelled job is refunded",
        f"""
        WITH used AS (
            SELECT coalesce(sum(u.quota_used), 0) - (
                SELECT count(*) FROM jobs j JOIN users o ON o.id = j.user_id AND o.quota_day = j.quota_day
                WHERE j.state NOT IN {_GIVEN_BACK}
            ) AS units FROM users u
        ), deleted AS (
            SELECT (SELECT coalesce(sum(count), 0) FROM tallies WHERE name = 'succeeded')
                - (SELECT count(*) FROM jobs WHERE state = 'succeeded') AS jobs
        ) SELECT units AS units_beyond_the_rows, jobs AS deleted_jobs FROM used, deleted WHERE units > jobs
        """,
    ),
    Promise(
        "what was worked off of a refunded unit stays used",
        f"""
        SELECT u.id, u.quota_worked, c.worked FROM users u CROSS JOIN LATERAL (
            SELECT coalesce(sum(progress), 0) AS worked FROM jobs j
            WHERE j.user_id = u.id AND j.quota_day = u.quota_day AND j.state IN {_GIVEN_BACK}
        ) AS c WHERE u.quota_worked < c.worked - 1e-6
        """,
    ),
    Promise(
        "a user's stored bytes equal those of pictures and uploads",
        """
        SELECT u.id, u.stored_bytes, j.bytes + s.bytes AS are_stored FROM users u CROSS JOIN LATERAL (
            SELECT coalesce(sum(stored_bytes), 0) AS bytes FROM jobs WHERE user_id = u.id
        ) AS j CROSS JOIN LATERAL (
            SELECT coalesce(sum(size_bytes), 0) AS bytes FROM uploads WHERE user_id = u.id
        ) AS s WHERE u.stored_bytes <> j.bytes + s.bytes
        """,
    ),
    Promise(
        "the queue's counters equal the queued rows, by kind",
        """
        SELECT protocols, d.jobs, q.jobs AS are_queued FROM (
            SELECT protocols, sum(jobs) AS jobs FROM queue_depth WHERE protocols IS NOT NULL GROUP BY protocols
        ) AS d FULL JOIN (
            SELECT protocols, count(*) AS jobs FROM jobs WHERE state = 'queued' GROUP BY protocols
        ) AS q USING (protocols) WHERE coalesce(d.jobs, 0) <> coalesce(q.jobs, 0)
        """,
    ),
    Promise(
        "the queue's counters equal the queued rows, over all start tags",
        """
        SELECT d.jobs, q.jobs AS are_queued, d.cost, q.cost AS cost_queued FROM (
            SELECT coalesce(sum(jobs), 0) AS jobs, coalesce(sum(cost), 0) AS cost FROM queue_depth
            WHERE low IS NOT NULL
        ) AS d, (
            SELECT count(*) AS jobs, coalesce(sum(cost), 0) AS cost FROM jobs WHERE state = 'queued'
        ) AS q WHERE d.jobs <> q.jobs OR abs(d.cost - q.cost) > 1e-3 + 1e-9 * q.cost
        """,
    ),
    Promise(
        "the counters of the metrics have every job that ended and every picture",
        """
        SELECT name, counted, there FROM (
            SELECT name, coalesce(sum(count), 0) AS counted FROM tallies GROUP BY name
        ) AS t RIGHT JOIN (
            SELECT state AS name, count(*) AS there FROM jobs WHERE finished_at IS NOT NULL GROUP BY state
            UNION ALL SELECT 'stored', count(*) FROM images
        ) AS r USING (name) WHERE coalesce(counted, 0) < there
        """,
    ),
    Promise(
        "a publication counts its open reports",
        """
        SELECT job_id, open_reports, c.reports FROM publications p CROSS JOIN LATERAL (
            SELECT count(*) AS reports FROM reports r WHERE r.job_id = p.job_id AND r.closed_at IS NULL
        ) AS c WHERE open_reports <> c.reports
        """,
    ),
)

_STATES = (
    Promise(
        "a held job waits for an unfinished job, or is due",
        f"""
        SELECT j.id FROM jobs j LEFT JOIN held_jobs h ON h.job_id = j.id LEFT JOIN jobs s ON s.id = h.source_id
        WHERE j.state = 'held' AND (h.job_id IS NULL OR (NOT h.is_due AND (s.id IS NULL OR s.state IN {_FINISHED})))
        """,
    ),
    Promise(
        "a queued job has no claim and no generator",
        """
        SELECT id, generator, attempt_token, lease_until FROM jobs WHERE state IN ('held', 'queued')
            AND num_nonnulls(generator, remote_id, attempt_token, lease_until, sent_at, finished_at) > 0
        """,
    ),
    Promise(
        "a pause of a queued job ends",
        "SELECT id, next_step_at FROM jobs WHERE state = 'queued' AND next_step_at > now() + interval '1 hour'",
    ),
    Promise(
        "a generating job has a generator and a next step within ten minutes",
        """
        SELECT id, generator, next_step_at FROM jobs WHERE state = 'generating' AND finished_at IS NULL
            AND (generator IS NULL OR next_step_at IS NULL OR next_step_at > now() + interval '10 minutes')
        """,
    ),
    Promise(
        "a lease belongs to a claim, and ends",
        """
        SELECT id, lease_until FROM jobs WHERE lease_until IS NOT NULL
            AND (state <> 'generating' OR attempt_token IS NULL OR lease_until > now() + interval '1 minute')
        """,
    ),
    Promise(
        "a finished job has no claim and no next step",
        f"""
        SELECT id, state FROM jobs WHERE (state IN {_FINISHED}) <> (finished_at IS NOT NULL)
            OR (state IN {_FINISHED} AND num_nonnulls(attempt_token, lease_until, next_step_at, preview_key) > 0)
        """,
    ),
    Promise(
        f"a job has at most {MAX_ATTEMPTS} attempts",
        f"SELECT id, attempts FROM jobs WHERE attempts NOT BETWEEN 0 AND {MAX_ATTEMPTS}",
    ),
    Promise(
        f"a job fails when its worker has died {MAX_CRASHES} times, and no earlier",
        f"""
        SELECT id, state, crashes, error_code FROM jobs WHERE (state = 'succeeded' AND crashes >= {MAX_CRASHES})
            OR (error_code = 'crashed_worker' AND crashes < {MAX_CRASHES})
        """,
    ),
    Promise(
        "a job that is to be cancelled neither succeeds nor starts again",
        "SELECT id, state FROM jobs WHERE cancel_requested_at IS NOT NULL AND state IN ('held', 'queued', 'succeeded')",
    ),
    Promise(
        "one claim has one token",
        "SELECT attempt_token FROM jobs WHERE attempt_token IS NOT NULL GROUP BY attempt_token HAVING count(*) > 1",
    ),
    Promise(
        "a key of a user makes one job or group",
        """
        SELECT user_id, idempotency_key, count(*) FROM (
            SELECT user_id, idempotency_key, fingerprint FROM jobs
            UNION ALL SELECT user_id, idempotency_key, fingerprint FROM job_groups
        ) AS made WHERE idempotency_key IS NOT NULL
        GROUP BY user_id, idempotency_key HAVING count(*) > 1 OR bool_or(fingerprint IS NULL)
        """,
    ),
    Promise(
        "only a succeeded job is published",
        "SELECT id, state FROM jobs WHERE published_at IS NOT NULL AND state <> 'succeeded'",
    ),
    Promise(
        "messages are queued only about jobs that have ended",
        f"""
        SELECT j.id, j.state FROM jobs j JOIN (
            SELECT job_id FROM mails UNION ALL SELECT job_id FROM webhooks UNION ALL SELECT job_id FROM pushes
        ) AS m ON m.job_id = j.id WHERE j.state NOT IN {_FINISHED}
        """,
    ),
    Promise(
        "a closed account has no token and no export",
        """
        SELECT u.id FROM users u WHERE u.deleted_at IS NOT NULL AND (u.disabled_at IS NULL
            OR EXISTS (SELECT FROM tokens t WHERE t.user_id = u.id)
            OR EXISTS (SELECT FROM exports e WHERE e.user_id = u.id))
        """,
    ),
)

_SETS = (
    Promise("only a succeeded job has pictures", """
        SELECT DISTINCT j.id, j.state FROM jobs j JOIN images i ON i.job_id = j.id WHERE j.state <> 'succeeded'
    """),
    # A job that enlarges or describes its start pictures has one picture of each.
    Promise("a succeeded job has exactly the pictures that it asked for, numbered from 0", """
        SELECT j.id, wanted.n, made.indices FROM jobs j CROSS JOIN LATERAL (
            SELECT array_agg(i.index ORDER BY i.index) AS indices FROM images i WHERE i.job_id = j.id
        ) AS made CROSS JOIN LATERAL (
            SELECT CASE WHEN CAST(j.settings->>'strength' AS float) < 0 AND (
                j.settings ? 'from_job' OR EXISTS (SELECT FROM job_sources s WHERE s.job_id = j.id)
            ) THEN greatest(1, (SELECT count(*) FROM job_sources s WHERE s.job_id = j.id))
            ELSE CAST(j.settings->>'n' AS int) END AS n
        ) AS wanted
        WHERE j.state = 'succeeded' AND j.protocols <> 'training' AND wanted.n IS NOT NULL
            AND made.indices IS DISTINCT FROM ARRAY(SELECT generate_series(0, CAST(wanted.n AS int) - 1))
    """),
    Promise("the pictures of a job were stored under one claim of it", """
        SELECT job_id, array_agg(key) FROM images GROUP BY job_id
        HAVING count(DISTINCT split_part(key, '/', 3)) > 1 OR bool_or(key NOT LIKE 'jobs/' || job_id || '/%')
            OR bool_or(regexp_replace(key, '[^/]*$', '') <> regexp_replace(thumbnail_key, '[^/]*$', ''))
    """),
    Promise("no two pictures have one object", """
        SELECT key, count(*) FROM (
            SELECT key FROM images UNION ALL SELECT thumbnail_key FROM images UNION ALL SELECT timelapse_key FROM images
        ) AS used WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1
    """),
    Promise("a job's stored bytes are those of its pictures", """
        SELECT j.id, j.stored_bytes, c.bytes FROM jobs j CROSS JOIN LATERAL (
            SELECT coalesce(sum(size_bytes), 0) AS bytes FROM images i WHERE i.job_id = j.id
        ) AS c WHERE j.stored_bytes <> c.bytes
    """),
    Promise("a training that succeeded has one adapter, and one that ended has no photos", """
        SELECT j.id, j.state, l.adapter_sha256 FROM jobs j LEFT JOIN likenesses l ON l.job_id = j.id
        WHERE j.protocols = 'training' AND (
            (j.state = 'succeeded' AND l.job_id IS NOT NULL AND l.adapter_sha256 IS NULL)
            OR (j.state <> 'succeeded' AND num_nonnulls(l.adapter_sha256, l.adapter_key) > 0)
            OR (j.finished_at IS NOT NULL AND EXISTS (SELECT FROM job_sources s WHERE s.job_id = j.id))
        )
    """),
)  # fmt: skip

_SETTLED = (
    Promise("every job ends", f"SELECT id, state, waiting FROM jobs WHERE state NOT IN {_FINISHED}"),
    Promise("every message is sent", """
        SELECT 'mails' AS box, job_id, attempts FROM mails WHERE due_at <= clock_timestamp()
        UNION ALL SELECT 'group_mails', group_id, attempts FROM group_mails WHERE due_at <= clock_timestamp()
        UNION ALL SELECT 'account_mails', id, attempts FROM account_mails WHERE due_at <= clock_timestamp()
        UNION ALL SELECT 'webhooks', job_id, attempts FROM webhooks WHERE due_at <= clock_timestamp()
        UNION ALL SELECT 'pushes', job_id, attempts FROM pushes WHERE due_at <= clock_timestamp()
    """),
    Promise("every closed account is deleted", "SELECT id FROM users WHERE deleted_at IS NOT NULL"),
    Promise("garbage that is due is deleted", "SELECT prefix, due_at FROM garbage WHERE due_at <= clock_timestamp()"),
)  # fmt: skip

PROMISES = (*_COUNTS, *_STATES, *_SETS)


def find_violations(connection: Connection, *, settled: bool = False) -> list[str]:
    """Return the promises that rows break, in words, each with some of those rows."""
    return [words for promise in (*PROMISES, *(_SETTLED if settled else ())) for words in _break(connection, promise)]


def _break(connection: Connection, promise: Promise) -> list[str]:
    rows = connection.execute(text(promise.broken_by)).mappings().all()
    shown = "; ".join(", ".join(f"{name} {value}" for name, value in row.items()) for row in rows[:MOST_SHOWN])
    more = f"; and {len(rows) - MOST_SHOWN} more" if len(rows) > MOST_SHOWN else ""
    return [f"{promise.words}: {shown}{more}"] if rows else []
