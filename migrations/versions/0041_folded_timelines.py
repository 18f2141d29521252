"""Timelines fold lines that repeat, and have a limit (docs/decisions/0123)."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# Every statement that writes a line holds the job's row. The arrays keep the planner from the primary key, whose end
# has the lines of all other jobs.
_FOLD = """
CREATE FUNCTION fold_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lines bigint;
    run_begins bigint;
    replaced bigint;
    line record;
BEGIN
    SELECT count(*), coalesce(max(e.id) FILTER (
        WHERE e.event NOT IN ('started', 'waiting')
            OR (new.code = 'storage_unavailable' AND e.code IS DISTINCT FROM new.code)
    ), 0) INTO lines, run_begins FROM job_events e WHERE e.job_id = new.job_id;
    IF new.event IN ('started', 'waiting') THEN
        SELECT (array_agg(e.id))[1] INTO replaced FROM job_events e
        WHERE e.job_id = new.job_id AND e.id > run_begins AND e.event = new.event
            AND e.code IS NOT DISTINCT FROM new.code AND e.detail IS NOT DISTINCT FROM new.detail;
    END IF;
    IF replaced IS NULL AND lines >= 160 THEN
        -- A version before this one may have written more.
        DELETE FROM job_events e WHERE lines > 160 AND e.job_id = new.job_id AND e.event <> 'accepted' AND e.id < (
            SELECT (array_agg(n.id ORDER BY n.id DESC))[159] FROM job_events n WHERE n.job_id = new.job_id
        );
        SELECT coalesce(
            (array_agg(e.id ORDER BY e.id) FILTER (
                WHERE e.event = new.event AND e.code IS NOT DISTINCT FROM new.code
            ))[1],
            (array_agg(e.id ORDER BY e.id) FILTER (WHERE e.event <> 'accepted'))[1]
        ) INTO replaced FROM job_events e WHERE e.job_id = new.job_id;
    END IF;
    IF replaced IS NOT NULL THEN
        DELETE FROM job_events e WHERE e.id = replaced
        RETURNING e.event, e.code, e.count, coalesce(e.first_at, e.at) AS first_at INTO line;
        IF line.event = new.event AND line.code IS NOT DISTINCT FROM new.code THEN
            new.count := new.count + line.count;
            new.first_at := line.first_at;
        END IF;
    END IF;
    RETURN new;
END $$
"""
_TRIGGER = """
CREATE TRIGGER fold_events BEFORE INSERT ON job_events FOR EACH ROW WHEN (new.event <> 'accepted')
EXECUTE FUNCTION fold_events()
"""
_LINE = """json_build_object(
    'at', to_char(l.at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'event', l.event, 'detail', l.detail, 'code', l.code
)"""
_FOLDED_LINE = f"""CASE WHEN l.count = 1 THEN {_LINE} ELSE json_build_object(
    'at', to_char(l.at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'event', l.event, 'detail', l.detail, 'code', l.code,
    'count', l.count, 'first_at', to_char(l.first_at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
) END"""
_EVENTS = "SELECT false AS is_wait, e.id, e.at, e.event, e.detail, e.code FROM job_events e WHERE e.job_id = of_job"
# Jobs of before may have more lines.
_LATEST_EVENTS = """SELECT false AS is_wait, e.id, e.at, e.event, e.detail, e.code, e.count, e.first_at FROM (
        SELECT own.*, row_number() OVER (ORDER BY own.id DESC) AS place FROM job_events own WHERE own.job_id = of_job
    ) e WHERE e.place <= 160 OR e.event = 'accepted'"""
_WAITS = "SELECT true, w.id, w.at, 'waiting', w.message, w.code FROM"
_COUNTED_WAITS = "SELECT true, w.id, w.at, 'waiting', w.message, w.code, 1, NULL FROM"
_CHANGES = ((_LINE, _FOLDED_LINE), (_EVENTS, _LATEST_EVENTS), (_WAITS, _COUNTED_WAITS))


def upgrade() -> None:
    op.add_column("job_events", sa.Column("count", sa.Integer(), server_default="1", nullable=False))
    op.add_column("job_events", sa.Column("first_at", sa.DateTime(timezone=True)))
    for statement in (_FOLD, _TRIGGER):
        op.execute(statement)
    rewrite_function("job_timeline", *_CHANGES)


def downgrade() -> None:
    rewrite_function("job_timeline", *((after, before) for before, after in _CHANGES))
    op.execute("DROP TRIGGER fold_events ON job_events")
    op.execute("DROP FUNCTION fold_events")
    op.drop_column("job_events", "first_at")
    op.drop_column("job_events", "count")
