"""Why queued jobs wait, kept in periods for each kind of job instead of in every job (docs/decisions/0049)."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A queued job's last event is its entry into the queue. A line of its timeline begins there, or with its period if that
# began later.
_WAITS = """
CREATE FUNCTION job_waits(of_job uuid, of_protocols text)
RETURNS TABLE (id bigint, at timestamptz, code text, message text) STABLE LANGUAGE sql AS $$
SELECT w.id, greatest(w.began_at, entry.at), w.code, w.message
FROM wait_reasons w, (SELECT max(e.at) AS at FROM job_events e WHERE e.job_id = of_job) entry
WHERE w.protocols = of_protocols AND (w.ended_at IS NULL OR w.ended_at > entry.at)
ORDER BY w.id DESC LIMIT 20
$$
"""
_TIMELINE = """
CREATE FUNCTION job_timeline(of_job uuid, in_state text, of_protocols text)
RETURNS TABLE (entries json) STABLE LANGUAGE sql AS $$
SELECT json_agg(json_build_object(
    'at', to_char(l.at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'event', l.event, 'detail', l.detail, 'code', l.code
) ORDER BY l.is_wait, l.id)
FROM (
    SELECT false AS is_wait, e.id, e.at, e.event, e.detail, e.code FROM job_events e WHERE e.job_id = of_job
    UNION ALL
    SELECT true, w.id, w.at, 'waiting', w.message, w.code FROM job_waits(of_job, of_protocols) w
    WHERE in_state = 'queued'
) l
$$
"""
# The lines are written before the statement that moves the job can write its own. Most jobs have waited for nothing but
# their turn, so the periods are looked at first: a job enters the queue no earlier than it is created.
_KEEP_WAITS = """
CREATE FUNCTION keep_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM wait_reasons w
        WHERE w.protocols = old.protocols AND (w.ended_at IS NULL OR w.ended_at > old.created_at)
    ) THEN
        INSERT INTO job_events (job_id, at, event, detail, code)
        SELECT old.id, w.at, 'waiting', w.message, w.code FROM job_waits(old.id, old.protocols) w ORDER BY w.id;
    END IF;
    RETURN new;
END $$
"""
_TRIGGER = """
CREATE TRIGGER keep_waits BEFORE UPDATE OF state ON jobs FOR EACH ROW
WHEN (old.state = 'queued' AND new.state <> 'queued') EXECUTE FUNCTION keep_waits()
"""


def _utc(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


_EVENTS = """(
    SELECT CAST(json_agg(json_build_object(
        'at', to_char(e.at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'event', e.event, 'detail', e.detail, 'code', e.code
    ) ORDER BY e.id) AS text) FROM job_events e WHERE e.job_id = j.id
)"""
_LINES = "(SELECT CAST(t.entries AS text) FROM job_timeline(j.id, j.state, j.protocols) t)"


def _shown_job(timeline: str) -> str:
    """Return the function as 0008 has it, with this timeline."""
    return f"""
CREATE OR REPLACE FUNCTION shown_job(of_job uuid, of_user uuid, of_token bytea) RETURNS TABLE (
    id text, state text, prompt text, settings text, cost double precision, progress double precision,
    error_code text, error_message text, public boolean, created_at text, started_at text, finished_at text,
    images text, ahead json, seconds_per_cost double precision, places bigint, running_s double precision, timeline text
) LANGUAGE sql AS $$
SELECT CAST(j.id AS text), j.state, j.prompt, CAST(j.settings AS text), j.cost, j.progress,
    j.error_code, j.error_message, j.published_at IS NOT NULL AND j.taken_down_at IS NULL,
    {_utc("j.created_at")}, {_utc("j.started_at")}, {_utc("j.finished_at")}, (
        SELECT CAST(json_agg(
            json_build_array(i.id, i.index, i.key, i.thumbnail_key, i.width, i.height, i.seed, i.description)
            ORDER BY i.index
        ) AS text) FROM images i WHERE i.job_id = j.id
    ), o.*, CAST(extract(epoch FROM clock_timestamp() - j.started_at) AS double precision), {timeline}
FROM jobs j, job_outlook(j.id, j.state, j.turn, j.protocols, j.finished_at) o
WHERE j.id = of_job AND j.user_id = coalesce(of_user, (
    SELECT t.user_id FROM tokens t
    WHERE t.hash = of_token AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()) AND NOT t.suspended
))
$$
"""


def upgrade() -> None:
    op.create_table(
        "wait_reasons",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("protocols", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wait_reasons")),
    )
    op.create_index("ix_wait_reasons_protocols_id", "wait_reasons", ["protocols", "id"])
    op.create_index(
        "uq_wait_reasons_open", "wait_reasons", ["protocols"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    for statement in (_WAITS, _TIMELINE, _KEEP_WAITS, _TRIGGER, _shown_job(_LINES)):
        op.execute(statement)


def downgrade() -> None:
    op.execute(_shown_job(_EVENTS))
    op.execute("DROP TRIGGER keep_waits ON jobs")
    op.execute("DROP FUNCTION keep_waits")
    op.execute("DROP FUNCTION job_timeline")
    op.execute("DROP FUNCTION job_waits")
    op.drop_table("wait_reasons")
