"""A queue of any length, made by a few statements."""

import json
from uuid import UUID

from sqlalchemy import Connection, text

from bench.ground import Ground
from shared.api.schemas import JobRequest
from shared.jobs.resolution import new_job

USERS = 10_000

_USERS = """
INSERT INTO users (email, password_hash, weight)
SELECT 'scale-' || number || '@example.com', 'no password', 1 + number % 3 FROM generate_series(1, :users) AS number
ON CONFLICT (email) DO NOTHING
"""

# As start-time fair queueing would have it: a user's jobs are as far apart as their cost by the user's weight.
_JOBS = """
SELECT owners.id AS user_id, 'a lighthouse at night, number ' || number AS prompt, cost,
    (SELECT turn FROM queue_clock) + (1 + number / :users) * cost / weight AS turn,
    CASE number % 4 WHEN 0 THEN 'img_generator' ELSE 'img_generator,glide' END AS protocols
FROM generate_series(0, :jobs - 1) AS number
JOIN (
    SELECT id, weight, row_number() OVER (ORDER BY id) - 1 AS place FROM users WHERE email LIKE 'scale-%'
) AS owners ON owners.place = number % :users
CROSS JOIN LATERAL (SELECT 0.5 + (owners.place % 97) / 10.0 AS cost) AS costs
"""

_OF_ONE_USER = """
SELECT CAST(:user_id AS uuid) AS user_id, 'a boat, number ' || number AS prompt, 5 AS cost, 1e6 + number AS turn,
    'img_generator,glide' AS protocols
FROM generate_series(1, 20) AS number
"""

_ADD = """
WITH given AS ({jobs}), added AS (
    INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day)
    SELECT user_id, prompt, CAST(:settings AS jsonb), cost, turn, protocols, (now() AT TIME ZONE 'utc')::date
    FROM given RETURNING id, user_id, turn
), accepted AS (
    INSERT INTO job_events (job_id, event) SELECT id, 'accepted' FROM added
), counted AS (
    SELECT user_id, count(*) AS jobs, max(turn) AS turn FROM added GROUP BY user_id
), owners AS MATERIALIZED (
    SELECT id FROM users WHERE id IN (SELECT user_id FROM counted) ORDER BY id FOR UPDATE
)
UPDATE users SET queued = queued + counted.jobs, next_turn = greatest(next_turn, counted.turn)
FROM counted JOIN owners ON owners.id = counted.user_id WHERE users.id = counted.user_id
"""

_FINISHED = """
WITH owners AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM users WHERE email LIKE 'scale-%'
)
INSERT INTO jobs (
    user_id, state, progress, prompt, settings, cost, turn, quota_day, created_at, started_at, finished_at
)
SELECT owners.id, 'succeeded', 1, 'a boat', '{}', 1, 0, '2026-01-01', at, at, at
FROM generate_series(0, :jobs - 1) AS number
JOIN owners ON owners.place = number % :users
CROSS JOIN LATERAL (SELECT now() - make_interval(secs => number) AS at) AS times
"""

# Jobs of one user with thin rows, none of whose prompts has the rare word that the benchmark searches for.
_HISTORY = """
INSERT INTO jobs (user_id, state, progress, prompt, settings, cost, turn, quota_day, finished_at)
SELECT :user_id, 'cancelled', 0, 'a harbour in the fog, number ' || number, '{}', 1, 0, '2026-01-01', now()
FROM generate_series(1, :jobs) AS number
"""

# Published by the first users, a second apart.
_GALLERY = """
WITH owners AS (
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM users WHERE email LIKE 'scale-%'
)
INSERT INTO jobs (
    user_id, state, progress, prompt, settings, cost, turn, quota_day, finished_at, published_at
)
SELECT owners.id, 'succeeded', 1, 'a mill, number ' || number, CAST(:settings AS jsonb), 1, 0, '2026-01-01', at, at
FROM generate_series(1, :jobs) AS number
JOIN owners ON owners.place = number % :users
CROSS JOIN LATERAL (SELECT now() - make_interval(secs => number) AS at) AS times
"""

_REQUEST = JobRequest(prompt="a lighthouse at night", width=64, height=64)
_SETTINGS = json.dumps(new_job(_REQUEST, None, b"").settings | {"notify": "none"})


def count_history(jobs: int) -> int:
    """Return how many finished jobs the user of `fill` has: always more than a search reads for one page."""
    return min(max(4 * jobs, 4_000), 200_000)


def count_published(jobs: int) -> int:
    """Return how many pictures are in the gallery: always some pages."""
    return max(jobs // 5, 200)


def fill(ground: Ground, jobs: int, user_id: UUID) -> None:
    """Queue so many jobs of `USERS` users, and 20 of one more user behind them all.

    That user also has finished jobs (`count_history`), and others have published some (`count_published`).
    """
    add_waiting(ground, jobs)
    with ground.services.db.statement() as connection:
        connection.execute(text(_HISTORY), {"user_id": user_id, "jobs": count_history(jobs)})
        connection.execute(text(_ADD.format(jobs=_OF_ONE_USER)), {"user_id": user_id, "settings": _SETTINGS})
        connection.execute(text(_GALLERY), {"users": USERS, "jobs": count_published(jobs), "settings": _SETTINGS})
        connection.execute(text("VACUUM ANALYZE jobs, job_events, users"))


def add_waiting(ground: Ground, jobs: int) -> None:
    """Queue so many jobs of `USERS` users, behind those that have started."""
    with ground.services.db.statement() as connection:
        _add_users(connection)
        connection.execute(text(_ADD.format(jobs=_JOBS)), {"users": USERS, "jobs": jobs, "settings": _SETTINGS})


def add_finished(ground: Ground, jobs: int) -> None:
    """Add thin rows of finished jobs, which `clear_jobs` would remove."""
    with ground.services.db.statement() as connection:
        _add_users(connection)
        connection.execute(text(_FINISHED), {"users": USERS, "jobs": jobs})
        connection.execute(text("VACUUM ANALYZE jobs"))


def _add_users(connection: Connection) -> None:
    connection.execute(text(_USERS), {"users": USERS})
    connection.execute(text("ANALYZE users"))  # or each job would be joined with every user
