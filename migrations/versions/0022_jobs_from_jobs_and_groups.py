"""Jobs that wait for another job's picture, and groups of jobs that are submitted in one call (decisions 91 and 92)."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_STATES = "'generating', 'succeeded', 'failed', 'cancelled'"
# A function of triggers reads what was committed until then, so it finds a job that was held while the end of its
# source waited for the lock on the source's row.
_MARK_DUE = """
CREATE FUNCTION mark_followers_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE held_jobs SET is_due = true WHERE source_id = new.id;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER mark_followers_due AFTER UPDATE OF state ON jobs FOR EACH ROW
WHEN (new.state IN ('succeeded', 'failed', 'cancelled') AND old.state <> new.state)
EXECUTE FUNCTION mark_followers_due()
"""
# As `submit_job`, for many jobs: all of them, or none. `new_jobs` is an array of objects with the columns below;
# `index` counts from 0, `source_id` is the unfinished job whose picture a job needs, and `source_index` instead the
# index of one in the same array. Held jobs get their place in the fair order when they are released.
_SUBMIT_JOBS = """
CREATE FUNCTION submit_jobs(
    of_user uuid, new_jobs json, is_group boolean, new_key text, new_fingerprint bytea, keys_since timestamptz,
    held_code text, held_detail text, max_queued integer, site_jobs_per_day integer
) RETURNS TABLE (id text, created_at timestamptz, notify text, group_id uuid) LANGUAGE sql AS $$
WITH given AS MATERIALIZED (
    SELECT uuidv7() AS id, g.*, (g.source_id IS NOT NULL OR g.source_index IS NOT NULL) AS is_held
    FROM json_to_recordset(new_jobs) AS g (
        index integer, prompt text, settings jsonb, cost double precision, protocols text, sources text[],
        source_id uuid, source_index integer
    )
), source AS MATERIALIZED (
    -- Locked before the user, as everywhere, so that none ends before it is known who waits for it. A locked row is
    -- read as it is then, even if it has changed since the statement began.
    SELECT s.id, s.state FROM jobs s WHERE s.id IN (SELECT source_id FROM given) ORDER BY s.id FOR SHARE
), total AS MATERIALIZED (
    SELECT (SELECT count(*) FROM source) AS sources, count(*) AS jobs,
        coalesce(sum(cost) FILTER (WHERE NOT is_held), 0) AS cost
    FROM given
), debit AS (
    UPDATE users u SET
        queued = u.queued + t.jobs,
        quota_used = CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used ELSE 0 END + t.jobs,
        quota_day = (now() AT TIME ZONE 'utc')::date,
        next_turn = greatest(next_turn, (SELECT c.turn FROM queue_clock c)) + t.cost / weight
    FROM total t
    WHERE t.sources >= 0 AND u.id = of_user AND disabled_at IS NULL AND u.queued + t.jobs <= max_queued
        AND (new_key IS NULL OR NOT EXISTS (
            SELECT FROM jobs p WHERE NOT is_group AND p.user_id = u.id AND p.idempotency_key = new_key
                AND p.created_at > keys_since
            UNION ALL
            SELECT FROM job_groups p WHERE is_group AND p.user_id = u.id AND p.idempotency_key = new_key
                AND p.created_at > keys_since
        ))
        AND CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used ELSE 0 END + t.jobs
            <= coalesce(jobs_per_day, site_jobs_per_day)
    RETURNING u.id AS user_id, u.notify, u.quota_day, u.weight, u.next_turn - t.cost / u.weight AS turn
), grouped AS (
    INSERT INTO job_groups (user_id, idempotency_key, fingerprint)
    SELECT d.user_id, new_key, new_fingerprint FROM debit d WHERE is_group RETURNING job_groups.id
), placed AS (
    SELECT g.*, coalesce(sum(g.cost) FILTER (WHERE NOT g.is_held) OVER (
        ORDER BY g.index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ), 0) AS cost_before FROM given g
), job AS (
    INSERT INTO jobs (
        id, user_id, state, prompt, settings, cost, turn, protocols, quota_day, idempotency_key, fingerprint, group_id
    )
    SELECT p.id, d.user_id, CASE WHEN p.is_held THEN 'held' ELSE 'queued' END, p.prompt,
        p.settings || jsonb_build_object('notify', coalesce(p.settings->>'notify', d.notify))
            || CASE WHEN p.source_index IS NULL THEN '{}' ELSE jsonb_build_object('from_job', sibling.id) END,
        p.cost, d.turn + p.cost_before / d.weight, p.protocols, d.quota_day,
        CASE WHEN NOT is_group THEN new_key END, CASE WHEN NOT is_group THEN new_fingerprint END,
        (SELECT grouped.id FROM grouped)
    FROM debit d CROSS JOIN placed p LEFT JOIN given sibling ON sibling.index = p.source_index
    ORDER BY p.index
    RETURNING jobs.id, jobs.state, jobs.created_at, jobs.settings->>'notify' AS notify, jobs.group_id
), event AS (
    INSERT INTO job_events (job_id, event, at, code, detail)
    SELECT e.id, e.event, e.created_at, e.code, e.detail FROM (
        SELECT job.id, 0 AS line, 'accepted' AS event, job.created_at, NULL AS code, NULL AS detail FROM job
        UNION ALL
        SELECT job.id, 1, 'waiting', job.created_at, held_code, held_detail
        FROM job WHERE job.state = 'held'
    ) e ORDER BY e.id, e.line
), held AS (
    INSERT INTO held_jobs (job_id, source_id, is_due)
    SELECT job.id, coalesce(g.source_id, sibling.id), g.source_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM source s WHERE s.id = g.source_id AND s.state IN ('held', 'queued', 'generating')
    )
    FROM job JOIN given g ON g.id = job.id LEFT JOIN given sibling ON sibling.index = g.source_index
    WHERE g.is_held
), upload AS (
    INSERT INTO job_sources (job_id, index, upload_key)
    SELECT job.id, named.index - 1, named.key
    FROM job JOIN given g ON g.id = job.id CROSS JOIN unnest(g.sources) WITH ORDINALITY AS named (key, index)
)
SELECT CAST(job.id AS text), job.created_at, job.notify, job.group_id FROM job ORDER BY job.id
$$
"""
_IN_STATE = "(in_state IS NULL OR j.state = in_state)"
_OR_HELD = "(in_state IS NULL OR j.state = in_state OR (in_state = 'queued' AND j.state = 'held'))"


def _allow_states(states: str) -> None:
    op.execute("ALTER TABLE jobs DROP CONSTRAINT ck_jobs_state")
    op.execute(f"ALTER TABLE jobs ADD CONSTRAINT ck_jobs_state CHECK (state IN ({states}))")


def upgrade() -> None:
    _allow_states(f"'held', 'queued', {_STATES}")
    op.create_table(
        "held_jobs",
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("source_id", sa.UUID(), nullable=False),
        sa.Column("is_due", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_held_jobs_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_held_jobs")),
    )
    op.create_index("ix_held_jobs_source_id", "held_jobs", ["source_id"])
    op.create_index("ix_held_jobs_due", "held_jobs", ["job_id"], postgresql_where=sa.text("is_due"))
    op.create_table(
        "job_groups",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_job_groups_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_groups")),
    )
    op.create_index("ix_job_groups_user_id", "job_groups", ["user_id"])
    op.create_index(
        "uq_job_groups_idempotency",
        "job_groups",
        ["user_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.add_column("jobs", sa.Column("group_id", sa.UUID(), nullable=True))
    op.create_foreign_key(op.f("fk_jobs_group_id"), "jobs", "job_groups", ["group_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_jobs_group", "jobs", ["group_id", "id"], postgresql_where=sa.text("group_id IS NOT NULL"))
    for statement in (_MARK_DUE, _TRIGGER, _SUBMIT_JOBS):
        op.execute(statement)
    rewrite_function("shown_jobs", (_IN_STATE, _OR_HELD))


def downgrade() -> None:
    rewrite_function("shown_jobs", (_OR_HELD, _IN_STATE))
    op.execute("DROP FUNCTION submit_jobs")
    op.execute("DROP TRIGGER mark_followers_due ON jobs")
    op.execute("DROP FUNCTION mark_followers_due")
    # What waits for its source cannot be expressed before: it is cancelled.
    op.execute("""
        WITH ended AS (
            UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), version = version + 1
            WHERE state = 'held' RETURNING user_id, quota_day
        ), counted AS (
            SELECT user_id, count(*) AS jobs, count(*) FILTER (WHERE ended.quota_day = u.quota_day) AS of_day
            FROM ended JOIN users u ON u.id = user_id GROUP BY user_id
        ) UPDATE users u SET queued = queued - c.jobs, quota_used = quota_used - c.of_day
        FROM counted c WHERE u.id = c.user_id
    """)
    op.drop_column("jobs", "group_id")
    op.drop_table("job_groups")
    op.drop_table("held_jobs")
    _allow_states(f"'queued', {_STATES}")
