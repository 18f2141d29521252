"""The queue counted by start tag, kept by triggers, so that no look at it counts its jobs (docs/decisions/0050)."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# What a statement adds to the queue or takes from it, in at most 128 rows for each kind of job.
_COUNT_MANY = """
CREATE FUNCTION count_queued_many() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sign integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    IF (SELECT count(*) FROM changed) = 1 THEN
        INSERT INTO queue_depth (protocols, low, high, jobs, cost)
        SELECT protocols, turn, turn, sign, sign * cost FROM changed WHERE state = 'queued';
    ELSE
        INSERT INTO queue_depth (protocols, low, high, jobs, cost)
        SELECT protocols, min(turn), max(turn), sign * count(*), sign * sum(cost) FROM (
            SELECT protocols, turn, cost, ntile(128) OVER (PARTITION BY protocols ORDER BY turn) AS tile
            FROM changed WHERE state = 'queued'
        ) tiled GROUP BY protocols, tile;
    END IF;
    -- The rows stay few also while no poller runs.
    IF random() < 0.004 THEN
        PERFORM fold_queue_depth(256);
    END IF;
    RETURN NULL;
END $$
"""
_COUNT_ONE = """
CREATE FUNCTION count_queued_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state = 'queued' THEN
        INSERT INTO queue_depth (protocols, low, high, jobs, cost)
        VALUES (old.protocols, old.turn, old.turn, -1, -old.cost);
    END IF;
    IF new.state = 'queued' THEN
        INSERT INTO queue_depth (protocols, low, high, jobs, cost)
        VALUES (new.protocols, new.turn, new.turn, 1, new.cost);
    END IF;
    RETURN NULL;
END $$
"""
_COUNT_NONE = """
CREATE FUNCTION count_queued_none() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM queue_depth;
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER count_queued_insert AFTER INSERT ON jobs REFERENCING NEW TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION count_queued_many()",
    "CREATE TRIGGER count_queued_delete AFTER DELETE ON jobs REFERENCING OLD TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION count_queued_many()",
    # Claims and releases of running jobs, the most frequent updates, do not call it.
    "CREATE TRIGGER count_queued_update AFTER UPDATE OF state, turn, cost, protocols ON jobs FOR EACH ROW"
    " WHEN ((old.state = 'queued') <> (new.state = 'queued') OR (new.state = 'queued'"
    " AND (old.turn <> new.turn OR old.cost <> new.cost OR old.protocols <> new.protocols)))"
    " EXECUTE FUNCTION count_queued_one()",
    "CREATE TRIGGER count_queued_truncate AFTER TRUNCATE ON jobs"
    " FOR EACH STATEMENT EXECUTE FUNCTION count_queued_none()",
)

# All rows are taken and written again as about 128 buckets of equal size, each from jobs next to each other. A stretch
# of 2,000 jobs is counted from the index instead: most often the front, or where a row is fullest. What the rows have
# said too much or too little about it moves to the row behind it, so the sums never change. The lock is taken by an
# earlier statement, so this one sees everything that the fold before it has written, and each job together with its
# change.
_FOLD = """
CREATE FUNCTION fold_queue_depth(at_least integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF (
        SELECT count(*) FROM (SELECT FROM queue_depth WHERE protocols IS NOT NULL AND low IS NOT NULL LIMIT at_least) c
    ) < at_least OR NOT pg_try_advisory_xact_lock('queue_depth'::regclass::bigint) THEN
        RETURN;
    END IF;
    WITH taken AS MATERIALIZED (
        DELETE FROM queue_depth RETURNING protocols, low, high, jobs, cost
    ), ranges AS MATERIALIZED (
        SELECT low, high, jobs::float AS jobs, cost FROM taken WHERE low IS NOT NULL
    ), queue AS MATERIALIZED (
        SELECT coalesce(sum(jobs), 0) AS jobs, coalesce(sum(cost), 0) AS cost,
            greatest(sum(jobs) / 128, 16) AS of_bucket
        FROM ranges
    ), start AS MATERIALIZED (
        SELECT CASE WHEN jobs > 2000 AND random() < 0.75 THEN
            (SELECT low FROM ranges ORDER BY abs(jobs) * random() DESC LIMIT 1) ELSE '-infinity' END AS turn
        FROM queue
    ), stretch AS MATERIALIZED (
        SELECT turn, cost, row_number() OVER (ORDER BY turn) AS number FROM (
            SELECT turn, cost FROM jobs WHERE state = 'queued' AND turn >= (SELECT turn FROM start)
            ORDER BY turn, id LIMIT 2001
        ) first
    ), stop AS MATERIALIZED (
        SELECT coalesce((SELECT turn FROM stretch WHERE number = 2001), 'infinity') AS turn
    ), counted AS MATERIALIZED (
        SELECT min(s.turn) AS low, max(s.turn) AS high, count(*) AS jobs, sum(s.cost) AS cost
        FROM stretch s, stop, queue WHERE s.turn < stop.turn
        GROUP BY floor((s.number - 1) / queue.of_bucket)
    ), outside AS MATERIALIZED (
        SELECT low, high, round(jobs * share) AS jobs, cost * share AS cost FROM (
            SELECT r.low, least(r.high, start.turn) AS high, r.jobs, r.cost,
                CASE WHEN r.high < start.turn THEN 1 ELSE (start.turn - r.low) / (r.high - r.low) END AS share
            FROM ranges r, start WHERE r.low < start.turn
            UNION ALL
            SELECT greatest(r.low, stop.turn), r.high, r.jobs, r.cost,
                CASE WHEN r.low >= stop.turn THEN 1 ELSE (r.high - stop.turn) / (r.high - r.low) END
            FROM ranges r, stop WHERE r.high >= stop.turn
        ) cut
    ), known AS MATERIALIZED (
        SELECT low, high, jobs, cost FROM counted UNION ALL SELECT low, high, jobs, cost FROM outside
    ), rest AS (
        SELECT coalesce(
                (SELECT min(low) FROM outside, stop WHERE low >= stop.turn), (SELECT max(high) FROM known), 0
            ) AS turn,
            queue.jobs - coalesce((SELECT sum(jobs) FROM known), 0) AS jobs,
            queue.cost - coalesce((SELECT sum(cost) FROM known), 0) AS cost
        FROM queue
    ), every AS (
        SELECT low, high, jobs, cost FROM known UNION ALL
        SELECT turn, turn, jobs, cost FROM rest WHERE jobs <> 0 OR EXISTS (SELECT FROM outside)
    ), ordered AS (
        SELECT *, sum(jobs) FILTER (WHERE is_wide) OVER w AS so_far, row_number() OVER w AS number
        FROM (SELECT *, low < high AND jobs > 0 AS is_wide FROM every) e
        WINDOW w AS (ORDER BY low, is_wide DESC, high ROWS UNBOUNDED PRECEDING)
    ), bucketed AS (
        -- A single change belongs to the range before it, which contains it in most cases.
        SELECT o.low, o.high, o.jobs, o.cost, max(floor((o.so_far - o.jobs / 2) / queue.of_bucket))
            FILTER (WHERE o.is_wide) OVER (ORDER BY o.number ROWS UNBOUNDED PRECEDING) AS bucket
        FROM ordered o, queue
    )
    INSERT INTO queue_depth (protocols, low, high, jobs, cost)
    SELECT NULL, min(low), max(high), sum(jobs), sum(cost) FROM bucketed
    GROUP BY bucket HAVING sum(jobs) <> 0 OR abs(sum(cost)) > 0.000001
    UNION ALL
    SELECT protocols, NULL, NULL, sum(jobs), 0 FROM taken
    WHERE protocols IS NOT NULL GROUP BY protocols HAVING sum(jobs) <> 0;
END $$
"""

# The place of each of these jobs: how many jobs are ahead of it, and their cost. Jobs of which the rows say that more
# than a thousand are ahead, with a margin for their error, need no look at the queue. For the others, a single scan of
# its front counts.
_AHEAD = """
CREATE FUNCTION queue_ahead(of_jobs uuid[], at_turns double precision[])
RETURNS TABLE (id uuid, jobs bigint, cost double precision, is_estimate boolean) STABLE LANGUAGE sql AS $$
WITH depth AS MATERIALIZED (
    SELECT d.low, d.high, d.jobs, d.cost FROM queue_depth d WHERE d.low IS NOT NULL
), estimated AS MATERIALIZED (
    SELECT a.id, a.turn, coalesce(e.jobs, 0) AS jobs, coalesce(e.cost, 0) AS cost,
        coalesce(e.jobs, 0) <= 1000 + coalesce(e.total, 0) / 32 AS is_near
    FROM unnest(of_jobs, at_turns) AS a (id, turn) CROSS JOIN LATERAL (
        SELECT sum(s.jobs * s.share) AS jobs, sum(s.cost * s.share) AS cost, sum(s.jobs) AS total FROM (
            SELECT d.jobs, d.cost, CASE
                WHEN d.high < a.turn THEN 1 WHEN d.low >= a.turn THEN 0 ELSE (a.turn - d.low) / (d.high - d.low)
            END AS share FROM depth d
        ) s
    ) e
), front AS MATERIALIZED (
    SELECT q.turn, q.id, q.cost FROM jobs q
    WHERE q.state = 'queued' AND q.turn <= (SELECT max(n.turn) FROM estimated n WHERE n.is_near)
    ORDER BY q.turn, q.id LIMIT 1001
), counted AS (
    SELECT m.id, m.is_asked, count(*) FILTER (WHERE NOT m.is_asked) OVER w AS jobs, sum(m.cost) OVER w AS cost
    FROM (
        SELECT f.turn, f.id, f.cost, false AS is_asked FROM front f
        UNION ALL SELECT n.turn, n.id, 0, true FROM estimated n WHERE n.is_near
    ) m WINDOW w AS (ORDER BY m.turn, m.id, m.is_asked DESC ROWS UNBOUNDED PRECEDING)
)
SELECT e.id,
    CASE WHEN c.jobs <= 1000 THEN c.jobs ELSE greatest(round(e.jobs), 1001) END,
    CASE WHEN c.jobs <= 1000 THEN c.cost ELSE greatest(e.cost, c.cost, 0) END,
    coalesce(c.jobs > 1000, true)
FROM estimated e LEFT JOIN counted c ON c.is_asked AND c.id = e.id
$$
"""

# What 0008 has in `job_outlook`, without the place: for lists, which look at the queue once for all jobs. `ahead` is
# now [jobs, their cost, whether both are estimates].
_PACE_COLUMNS = """
    CASE WHEN finished IS NULL THEN (SELECT c.seconds_per_cost FROM queue_clock c) END,
    CASE WHEN in_state = 'queued' THEN (
        SELECT sum(g.max_in_flight) FROM generators g
        WHERE g.retry_at IS NULL AND g.protocol = ANY(string_to_array(of_protocols, ','))
    ) END
"""
_PACE = f"""
CREATE FUNCTION job_pace(in_state text, of_protocols text, finished timestamptz)
RETURNS TABLE (seconds_per_cost double precision, places bigint) STABLE LANGUAGE sql AS $$
SELECT {_PACE_COLUMNS}
$$
"""


def _job_outlook(ahead: str) -> str:
    """Return the function as 0008 has it, with this statement for `ahead`."""
    return f"""
CREATE OR REPLACE FUNCTION job_outlook(
    of_job uuid, in_state text, at_turn double precision, of_protocols text, finished timestamptz
) RETURNS TABLE (ahead json, seconds_per_cost double precision, places bigint) STABLE LANGUAGE sql AS $$
SELECT CASE WHEN in_state = 'queued' THEN ({ahead}) END, {_PACE_COLUMNS}
$$
"""


_LOOK = """
    SELECT json_build_array(a.jobs, a.cost, a.is_estimate) FROM queue_ahead(ARRAY[of_job], ARRAY[at_turn]) a
"""
_COUNT = """
    SELECT json_build_array(count(*), coalesce(sum(q.cost), 0)) FROM jobs q
    WHERE q.state = 'queued' AND (q.turn, q.id) < (at_turn, of_job)
"""


def _utc(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _shown_jobs(before: str, source: str) -> str:
    """Return the function as 0008 has it, with what comes before its SELECT and after it."""
    return f"""
CREATE OR REPLACE FUNCTION shown_jobs(
    of_user uuid, of_token bytea, in_state text, patterns text[], before uuid, at_most integer
) RETURNS TABLE (
    id text, state text, prompt text, settings text, cost double precision, progress double precision,
    error_code text, error_message text, public boolean, created_at text, started_at text, finished_at text,
    images text, ahead json, seconds_per_cost double precision, places bigint, running_s double precision, timeline text
) LANGUAGE sql AS $$
{before}
SELECT CAST(j.id AS text), j.state, j.prompt, CAST(j.settings AS text), j.cost, j.progress,
    j.error_code, j.error_message, j.published_at IS NOT NULL AND j.taken_down_at IS NULL,
    {_utc("j.created_at")}, {_utc("j.started_at")}, {_utc("j.finished_at")}, (
        SELECT CAST(json_agg(
            json_build_array(i.id, i.index, i.key, i.thumbnail_key, i.width, i.height, i.seed, i.description)
            ORDER BY i.index
        ) AS text) FROM images i WHERE i.job_id = j.id
    ), o.*, CAST(extract(epoch FROM clock_timestamp() - j.started_at) AS double precision), NULL
{source}
$$
"""


# As in 0008: see there about case and kept plans.
_OF_PAGE = """
WHERE j.user_id = coalesce(of_user, (
        SELECT t.user_id FROM tokens t
        WHERE t.hash = of_token AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()) AND NOT t.suspended
    )) AND j.id < before AND (in_state IS NULL OR j.state = in_state)
    AND (patterns IS NULL OR coalesce(casefold(j.prompt COLLATE pg_unicode_fast) LIKE ALL (ARRAY(
        SELECT casefold(pattern COLLATE pg_unicode_fast) FROM unnest(patterns) AS pattern
    )), false))
ORDER BY j.id DESC LIMIT at_most
"""
_LOOK_EACH = "", f"FROM jobs j, job_outlook(j.id, j.state, j.turn, j.protocols, j.finished_at) o {_OF_PAGE}"
_LOOK_ONCE = (
    f"""WITH page AS MATERIALIZED (
    SELECT j.* FROM jobs j {_OF_PAGE}
), places AS MATERIALIZED (
    SELECT a.id, json_build_array(a.jobs, a.cost, a.is_estimate) AS ahead
    FROM (SELECT array_agg(q.id) AS ids, array_agg(q.turn) AS turns FROM page q WHERE q.state = 'queued') q,
        queue_ahead(q.ids, q.turns) a
)""",
    """FROM page j LEFT JOIN places a ON a.id = j.id
    CROSS JOIN LATERAL (SELECT a.ahead, p.* FROM job_pace(j.state, j.protocols, j.finished_at) p) o
ORDER BY j.id DESC""",
)

# The triggers are created before the existing jobs are counted, and their lock blocks writers until the end of the
# migration, so that no job is missed or counted twice.
_WHAT_IS_THERE = """
INSERT INTO queue_depth (protocols, low, high, jobs, cost)
SELECT protocols, min(turn), max(turn), count(*), sum(cost) FROM (
    SELECT protocols, turn, cost, ntile(128) OVER (PARTITION BY protocols ORDER BY turn) AS tile
    FROM jobs WHERE state = 'queued'
) tiled GROUP BY protocols, tile
"""
_INDEXES = {"ix_jobs_queue_age": ["protocols", "id"], "ix_jobs_queue_user": ["user_id", "turn"]}
_IS_QUEUED = sa.text("state = 'queued'")


def upgrade() -> None:
    op.create_table(
        "queue_depth",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("protocols", sa.Text(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("jobs", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue_depth")),
    )
    # Its few rows are replaced all the time.
    op.execute(
        "ALTER TABLE queue_depth SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,"
        " autovacuum_vacuum_cost_delay = 0)"
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "jobs", columns, unique=False, postgresql_where=_IS_QUEUED)
    for statement in (_FOLD, _AHEAD, _COUNT_MANY, _COUNT_ONE, _COUNT_NONE, *_TRIGGERS, _WHAT_IS_THERE):
        op.execute(statement)
    for statement in (_PACE, _job_outlook(_LOOK), _shown_jobs(*_LOOK_ONCE)):
        op.execute(statement)


def downgrade() -> None:
    op.execute(_job_outlook(_COUNT))
    op.execute(_shown_jobs(*_LOOK_EACH))
    op.execute("DROP FUNCTION job_pace")
    for event in ("insert", "delete", "update", "truncate"):
        op.execute(f"DROP TRIGGER count_queued_{event} ON jobs")
    for function in ("count_queued_many", "count_queued_one", "count_queued_none", "fold_queue_depth", "queue_ahead"):
        op.execute(f"DROP FUNCTION {function}")
    for name in _INDEXES:
        op.drop_index(name, table_name="jobs", postgresql_where=_IS_QUEUED)
    op.drop_table("queue_depth")
