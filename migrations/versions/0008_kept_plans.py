"""The longest statements of the API as functions, whose plans each connection keeps.

Postgres plans a statement that arrives as text each time; for these that takes longer than executing them.
docs/decisions/0045-plans-are-kept-in-functions.md has the rules for changing one.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Computed only for jobs that have not finished. `ahead` is [jobs, their cost]. The functions below contain it once
# planned: it is the only one that the planner expands, since it is STABLE.
_OUTLOOK = """
CREATE FUNCTION job_outlook(
    of_job uuid, in_state text, at_turn double precision, of_protocols text, finished timestamptz
) RETURNS TABLE (ahead json, seconds_per_cost double precision, places bigint) STABLE LANGUAGE sql AS $$
SELECT
    CASE WHEN in_state = 'queued' THEN (
        SELECT json_build_array(count(*), coalesce(sum(q.cost), 0)) FROM jobs q
        WHERE q.state = 'queued' AND (q.turn, q.id) < (at_turn, of_job)
    ) END,
    CASE WHEN finished IS NULL THEN (SELECT c.seconds_per_cost FROM queue_clock c) END,
    CASE WHEN in_state = 'queued' THEN (
        SELECT sum(g.max_in_flight) FROM generators g
        WHERE g.retry_at IS NULL AND g.protocol = ANY(string_to_array(of_protocols, ','))
    ) END
$$
"""
_OUTLOOK_OF_J = "job_outlook(j.id, j.state, j.turn, j.protocols, j.finished_at) o"


def _utc(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


_CALLER = """
    SELECT t.user_id FROM tokens t
    WHERE t.hash = of_token AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()) AND NOT t.suspended
"""
_IMAGES = """(
    SELECT CAST(json_agg(
        json_build_array(i.id, i.index, i.key, i.thumbnail_key, i.width, i.height, i.seed, i.description)
        ORDER BY i.index
    ) AS text) FROM images i WHERE i.job_id = j.id
)"""
_TIMELINE = """(
    SELECT CAST(json_agg(json_build_object(
        'at', to_char(e.at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'event', e.event, 'detail', e.detail, 'code', e.code
    ) ORDER BY e.id) AS text) FROM job_events e WHERE e.job_id = j.id
)"""
_VIEW = f"""
    id text, state text, prompt text, settings text, cost double precision, progress double precision,
    error_code text, error_message text, public boolean, created_at text, started_at text, finished_at text,
    images text, ahead json, seconds_per_cost double precision, places bigint, running_s double precision, timeline text
) LANGUAGE sql AS $$
SELECT CAST(j.id AS text), j.state, j.prompt, CAST(j.settings AS text), j.cost, j.progress,
    j.error_code, j.error_message, j.published_at IS NOT NULL AND j.taken_down_at IS NULL,
    {_utc("j.created_at")}, {_utc("j.started_at")}, {_utc("j.finished_at")}, {_IMAGES}, o.*,
    CAST(extract(epoch FROM clock_timestamp() - j.started_at) AS double precision)"""

_SHOWN_JOB = f"""
CREATE FUNCTION shown_job(of_job uuid, of_user uuid, of_token bytea) RETURNS TABLE ({_VIEW}, {_TIMELINE}
FROM jobs j, {_OUTLOOK_OF_J}
WHERE j.id = of_job AND j.user_id = coalesce(of_user, ({_CALLER}))
$$
"""

# Case is folded by Postgres' own table, independent of the database's locale. The coalesce keeps the planner from
# assuming that words are rare and reading every job: it reads the user's jobs from the newest on and stops when the
# page is full. A kept plan must find the page in the index for any arguments, so `before` is never null.
_SHOWN_JOBS = f"""
CREATE FUNCTION shown_jobs(
    of_user uuid, of_token bytea, in_state text, patterns text[], before uuid, at_most integer
) RETURNS TABLE ({_VIEW}, NULL
FROM jobs j, {_OUTLOOK_OF_J}
WHERE j.user_id = coalesce(of_user, ({_CALLER})) AND j.id < before AND (in_state IS NULL OR j.state = in_state)
    AND (patterns IS NULL OR coalesce(casefold(j.prompt COLLATE pg_unicode_fast) LIKE ALL (ARRAY(
        SELECT casefold(pattern COLLATE pg_unicode_fast) FROM unnest(patterns) AS pattern
    )), false))
ORDER BY j.id DESC LIMIT at_most
$$
"""

_SHOWN_GALLERY = f"""
CREATE FUNCTION shown_gallery(before_time timestamptz, before uuid, at_most integer) RETURNS TABLE (
    id text, prompt text, style text, settings text, created_at text, published_at text, images text
) LANGUAGE sql AS $$
SELECT CAST(j.id AS text), j.prompt, j.settings->>'style', CAST(j.settings AS text), {_utc("j.created_at")},
    {_utc("j.published_at")}, {_IMAGES}
FROM jobs j
WHERE j.published_at IS NOT NULL AND j.taken_down_at IS NULL AND j.state = 'succeeded'
    AND (j.published_at, j.id) < (before_time, before)
ORDER BY j.published_at DESC, j.id DESC LIMIT at_most
$$
"""

# One statement debits the user's row and inserts the job; a concurrent submit of the same user waits for the row and
# counts again. It returns only what the caller cannot know; the rest of the job's view comes from the request.
_SUBMIT_JOB = f"""
CREATE FUNCTION submit_job(
    of_user uuid, of_token bytea, new_prompt text, new_settings jsonb, new_notify text, new_cost double precision,
    new_protocols text, new_sources text[], new_key text, new_fingerprint bytea, keys_since timestamptz,
    max_queued integer, site_jobs_per_day integer
) RETURNS TABLE (
    id text, created_at timestamptz, notify text, ahead json, seconds_per_cost double precision, places bigint
) LANGUAGE sql AS $$
WITH debit AS (
    UPDATE users u SET
        queued = queued + 1,
        quota_used = CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used ELSE 0 END + 1,
        quota_day = (now() AT TIME ZONE 'utc')::date,
        next_turn = greatest(next_turn, (SELECT c.turn FROM queue_clock c)) + new_cost / weight
    WHERE u.id = coalesce(of_user, (
            SELECT t.user_id FROM tokens t
            WHERE t.hash = of_token AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
        ))
        AND disabled_at IS NULL AND queued < max_queued
        AND (new_key IS NULL OR NOT EXISTS (
            SELECT FROM jobs p WHERE p.user_id = u.id AND p.idempotency_key = new_key AND p.created_at > keys_since
        ))
        AND (quota_day <> (now() AT TIME ZONE 'utc')::date OR quota_used < coalesce(jobs_per_day, site_jobs_per_day))
    RETURNING u.id AS user_id, u.notify, u.quota_day, u.next_turn - new_cost / u.weight AS turn
), job AS (
    INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day, idempotency_key, fingerprint)
    SELECT d.user_id, new_prompt, new_settings || jsonb_build_object('notify', coalesce(new_notify, d.notify)),
        new_cost, d.turn, new_protocols, d.quota_day, new_key, new_fingerprint
    FROM debit d
    RETURNING jobs.id, jobs.state, jobs.turn, jobs.protocols, jobs.created_at, jobs.finished_at,
        jobs.settings->>'notify' AS notify
), event AS (
    INSERT INTO job_events (job_id, event, at) SELECT job.id, 'accepted', job.created_at FROM job
), source AS (
    INSERT INTO job_sources (job_id, index, upload_key)
    SELECT job.id, given.index - 1, given.key
    FROM job, unnest(new_sources) WITH ORDINALITY AS given (key, index)
)
SELECT CAST(j.id AS text), j.created_at, j.notify, o.* FROM job j, {_OUTLOOK_OF_J}
$$
"""


def upgrade() -> None:
    for function in (_OUTLOOK, _SHOWN_JOB, _SHOWN_JOBS, _SHOWN_GALLERY, _SUBMIT_JOB):
        op.execute(function)


def downgrade() -> None:
    for name in ("submit_job", "shown_gallery", "shown_jobs", "shown_job", "job_outlook"):
        op.execute(f"DROP FUNCTION {name}")
