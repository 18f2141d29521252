"""The place of one job by a plain count of the front of the queue, where a list needs windows (docs/decisions/0050)."""

from alembic import op

from migrations.functions import rewrite_function

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The rows of `queue_depth` are added up only where the count has reached its limit. While the statistics are older than
# the queue, reading it and sorting it looks cheap, but reads all of it; without a sort only the index has its order.
_BOUNDED = "SET enable_sort = off"
_PLACE = f"""
CREATE FUNCTION queue_place(of_job uuid, at_turn double precision)
RETURNS TABLE (jobs bigint, cost double precision, is_estimate boolean) STABLE LANGUAGE sql {_BOUNDED} AS $$
SELECT CASE WHEN f.jobs <= 1000 THEN f.jobs ELSE greatest(round(e.jobs), 1001)::bigint END,
    CASE WHEN f.jobs <= 1000 THEN f.cost ELSE greatest(e.cost, f.cost) END,
    f.jobs > 1000
FROM (
    SELECT count(*) AS jobs, coalesce(sum(ahead.cost), 0) AS cost FROM (
        SELECT q.cost FROM jobs q WHERE q.state = 'queued' AND (q.turn, q.id) < (at_turn, of_job)
        ORDER BY q.turn, q.id LIMIT 1001
    ) ahead
) f CROSS JOIN LATERAL (
    SELECT sum(d.jobs * d.share) AS jobs, sum(d.cost * d.share) AS cost FROM (
        SELECT r.jobs, r.cost, CASE
            WHEN r.high < at_turn THEN 1 WHEN r.low >= at_turn THEN 0 ELSE (at_turn - r.low) / (r.high - r.low)
        END AS share FROM queue_depth r WHERE f.jobs > 1000 AND r.low IS NOT NULL
    ) d
) e
$$
"""
_OF_MANY, _OF_ONE = "queue_ahead(ARRAY[of_job], ARRAY[at_turn])", "queue_place(of_job, at_turn)"


def upgrade() -> None:
    op.execute(_PLACE)
    rewrite_function("job_outlook", (_OF_MANY, _OF_ONE))
    op.execute(f"ALTER FUNCTION queue_ahead {_BOUNDED}")


def downgrade() -> None:
    op.execute("ALTER FUNCTION queue_ahead RESET ALL")
    rewrite_function("job_outlook", (_OF_ONE, _OF_MANY))
    op.execute("DROP FUNCTION queue_place")
