"""Likenesses: adapters that jobs train from photos, codes for them, and the extensions of generators that they need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.functions import rewrite_function

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")

# Whatever statement ends a training, its photos go with it, also from other jobs that start from them.
_DROP_PHOTOS = """
CREATE FUNCTION drop_training_photos() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    photos text[] := ARRAY(SELECT upload_key FROM job_sources WHERE job_id = new.id);
BEGIN
    DELETE FROM job_sources WHERE upload_key = ANY(photos);
    DELETE FROM uploads WHERE key = ANY(photos);
    INSERT INTO garbage (prefix) SELECT DISTINCT unnest(photos) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER drop_training_photos AFTER UPDATE OF state ON jobs FOR EACH ROW
WHEN (new.protocols = 'training' AND new.state IN ('succeeded', 'failed', 'cancelled') AND old.state <> new.state)
EXECUTE FUNCTION drop_training_photos()
"""

# Trainings have places and a pace of their own, so only other trainings are ahead of one.
_TRAINING_PLACE = """
CREATE FUNCTION training_place(of_job uuid, at_turn double precision)
RETURNS TABLE (jobs bigint, cost double precision, is_estimate boolean) STABLE LANGUAGE sql AS $$
SELECT count(*), coalesce(sum(ahead.cost), 0), count(*) > 1000 FROM (
    SELECT q.cost FROM jobs q
    WHERE q.state = 'queued' AND q.protocols = 'training' AND (q.turn, q.id) < (at_turn, of_job)
    ORDER BY q.turn, q.id LIMIT 1001
) ahead
$$
"""
_ONE_QUEUE = "CASE WHEN in_state = 'queued' THEN (SELECT"
_TWO_QUEUES = """CASE WHEN in_state = 'queued' AND of_protocols = 'training' THEN (
    SELECT json_build_array(a.jobs, a.cost, a.is_estimate) FROM training_place(of_job, at_turn) a
) WHEN in_state = 'queued' THEN (SELECT"""
_LISTED = "FROM page q WHERE q.state = 'queued'"
_LISTED_PICTURES = "FROM page q WHERE q.state = 'queued' AND q.protocols <> 'training'"

_SIGNATURE = """
CREATE OR REPLACE FUNCTION job_pace(
    in_state text, of_protocols text, of_generator text, of_cost double precision, finished timestamptz
) RETURNS TABLE (
    seconds_per_cost double precision, places bigint, fixed_s double precision, pace double precision
) STABLE LANGUAGE sql AS $$
SELECT CASE WHEN finished IS NULL THEN greatest(g.fixed_s / of_cost + g.pace, 1e-6) END,
    CASE WHEN in_state = 'queued' THEN g.places END, g.fixed_s, g.pace
"""
_PACE = f"""{_SIGNATURE}FROM (
    SELECT coalesce(sum(r.fixed_s * r.places) / sum(r.places), 0.3) AS fixed_s,
        coalesce(sum(r.pace * r.places) / sum(r.places), 0.5) AS pace,
        sum(r.places) FILTER (WHERE r.retry_at IS NULL) AS places
    FROM (
        SELECT o.name, o.protocol, o.retry_at, o.has_adapters, o.has_training,
            CASE WHEN of_protocols = 'training' THEN 1 ELSE o.max_in_flight END AS places,
            CASE WHEN of_protocols = 'training' THEN 0 ELSE o.fixed_s END AS fixed_s,
            CASE WHEN of_protocols = 'training' THEN o.training_seconds_per_cost ELSE o.seconds_per_cost END AS pace
        FROM generators o
    ) r
    WHERE finished IS NULL AND CASE
        WHEN in_state = 'generating' THEN r.name = of_generator
        WHEN of_protocols = 'training' THEN r.has_training
        WHEN of_protocols = 'adapters' THEN r.has_adapters
        ELSE r.protocol = ANY(string_to_array(of_protocols, ','))
    END
) g
$$
"""
_PACE_BEFORE = f"""{_SIGNATURE}FROM (
    SELECT coalesce(sum(r.fixed_s * r.max_in_flight) / sum(r.max_in_flight), 0.3) AS fixed_s,
        coalesce(sum(r.seconds_per_cost * r.max_in_flight) / sum(r.max_in_flight), 0.5) AS pace,
        sum(r.max_in_flight) FILTER (WHERE r.retry_at IS NULL) AS places
    FROM generators r WHERE finished IS NULL AND CASE
        WHEN in_state = 'generating' THEN r.name = of_generator
        ELSE r.protocol = ANY(string_to_array(of_protocols, ','))
    END
) g
$$
"""


def _belongs_to(table: str) -> sa.Column[object]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table.removesuffix('s')}_id", sa.UUID(), key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "likenesses",
        _belongs_to("jobs"),
        _belongs_to("users"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("adapter_sha256", sa.Text()),
        sa.Column("adapter_key", sa.Text()),
        sa.Column("report", JSONB()),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_likenesses")),
        sa.UniqueConstraint("code", name=op.f("uq_likenesses_code")),
        sa.CheckConstraint("code ~ '^[0-9]{8}$'", name=op.f("ck_likenesses_code")),
        sa.CheckConstraint("subject IN ('person', 'animal', 'object')", name=op.f("ck_likenesses_subject")),
    )
    op.create_index("ix_likenesses_user_id_job_id", "likenesses", ["user_id", "job_id"])
    working = sa.text("adapter_key IS NOT NULL")
    op.create_index("ix_likenesses_expires_at", "likenesses", ["expires_at"], postgresql_where=working)
    op.create_table(
        "code_guesses",
        _belongs_to("users"),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("guesses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_code_guesses")),
    )
    for name in ("has_adapters", "has_training"):
        op.add_column("generators", sa.Column(name, sa.Boolean()))
    pace: sa.Column[float] = sa.Column("training_seconds_per_cost", sa.Double(), server_default="60", nullable=False)
    op.add_column("generators", pace)
    for statement in (_DROP_PHOTOS, _TRIGGER, _TRAINING_PLACE, _PACE):
        op.execute(statement)
    rewrite_function("job_outlook", (_ONE_QUEUE, _TWO_QUEUES))
    rewrite_function("shown_jobs", (_LISTED, _LISTED_PICTURES))


# What the version before cannot do: its dispatcher would pass over these jobs for ever.
_GIVE_UP = """
WITH ended AS (
    UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), version = version + 1, lease_until = NULL,
        attempt_token = NULL
    WHERE protocols = 'training' AND state IN ('queued', 'generating')
    RETURNING user_id, quota_day, old.state AS was
), counted AS (
    SELECT user_id, count(*) FILTER (WHERE was = 'queued') AS queued,
        count(*) FILTER (WHERE was = 'generating') AS running,
        count(*) FILTER (WHERE ended.quota_day = u.quota_day) AS of_day
    FROM ended JOIN users u ON u.id = user_id GROUP BY user_id
) UPDATE users u SET queued = u.queued - c.queued, running = u.running - c.running,
    quota_used = quota_used - c.of_day
FROM counted c WHERE u.id = c.user_id
"""
_WITHOUT_ADAPTERS = "UPDATE jobs SET protocols = 'img_generator' WHERE protocols = 'adapters' AND state = 'queued'"


def downgrade() -> None:
    op.execute(_GIVE_UP)
    op.execute(_WITHOUT_ADAPTERS)
    rewrite_function("shown_jobs", (_LISTED_PICTURES, _LISTED))
    rewrite_function("job_outlook", (_TWO_QUEUES, _ONE_QUEUE))
    op.execute(_PACE_BEFORE)
    op.execute("DROP FUNCTION training_place")
    op.execute("DROP TRIGGER drop_training_photos ON jobs")
    op.execute("DROP FUNCTION drop_training_photos")
    for name in ("has_adapters", "has_training", "training_seconds_per_cost"):
        op.drop_column("generators", name)
    op.drop_table("code_guesses")
    op.drop_table("likenesses")
