"""A model of each generator's durations, instead of one mean of ratios for all jobs.

The functions return what they did: `seconds_per_cost` is now that of the job itself, its whole estimate divided by its
cost, and the cost ahead of it is in the same unit. So programs of the version before read them rightly, too.
`queue_clock.seconds_per_cost` is still written by these.
"""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_PARTS = {"fixed_s": "0.3", "seconds_per_cost": "0.5"}
_SUMS = ("pace_weight", "pace_x", "pace_y", "pace_xx", "pace_xy")

# A running job is estimated by its own generator, a queued one by the mean of those that can make it, by their places.
_PACE = """
CREATE FUNCTION job_pace(
    in_state text, of_protocols text, of_generator text, of_cost double precision, finished timestamptz
) RETURNS TABLE (
    seconds_per_cost double precision, places bigint, fixed_s double precision, pace double precision
) STABLE LANGUAGE sql AS $$
SELECT CASE WHEN finished IS NULL THEN greatest(g.fixed_s / of_cost + g.pace, 1e-6) END,
    CASE WHEN in_state = 'queued' THEN g.places END, g.fixed_s, g.pace
FROM (
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
_AHEAD = "json_build_array(a.jobs, (a.jobs * p.fixed_s + a.cost * p.pace) / p.seconds_per_cost, a.is_estimate)"
_OUTLOOK = f"""
CREATE FUNCTION job_outlook(
    of_job uuid, in_state text, at_turn double precision, of_protocols text, of_generator text,
    of_cost double precision, finished timestamptz
) RETURNS TABLE (ahead json, seconds_per_cost double precision, places bigint) STABLE LANGUAGE sql AS $$
SELECT CASE WHEN in_state = 'queued' THEN (SELECT {_AHEAD} FROM queue_place(of_job, at_turn) a) END,
    p.seconds_per_cost, p.places
FROM job_pace(in_state, of_protocols, of_generator, of_cost, finished) p
$$
"""

_COLUMNS = """
    CASE WHEN finished IS NULL THEN (SELECT c.seconds_per_cost FROM queue_clock c) END,
    CASE WHEN in_state = 'queued' THEN (
        SELECT sum(g.max_in_flight) FROM generators g
        WHERE g.retry_at IS NULL AND g.protocol = ANY(string_to_array(of_protocols, ','))
    ) END
"""
_PACE_BEFORE = f"""
CREATE FUNCTION job_pace(in_state text, of_protocols text, finished timestamptz)
RETURNS TABLE (seconds_per_cost double precision, places bigint) STABLE LANGUAGE sql AS $$
SELECT {_COLUMNS}
$$
"""
_OUTLOOK_BEFORE = f"""
CREATE FUNCTION job_outlook(
    of_job uuid, in_state text, at_turn double precision, of_protocols text, finished timestamptz
) RETURNS TABLE (ahead json, seconds_per_cost double precision, places bigint) STABLE LANGUAGE sql AS $$
SELECT CASE WHEN in_state = 'queued' THEN (
    SELECT json_build_array(a.jobs, a.cost, a.is_estimate) FROM queue_place(of_job, at_turn) a
) END, {_COLUMNS}
$$
"""

_CALL = ("j.protocols, j.finished_at)", "j.protocols, j.generator, j.cost, j.finished_at)")
_CHANGES = {
    "shown_job": (_CALL,),
    "submit_job": (
        _CALL,
        ("jobs.created_at, jobs.finished_at,", "jobs.created_at, jobs.finished_at, jobs.generator, jobs.cost,"),
    ),
    "shown_jobs": (
        _CALL,
        (
            "SELECT a.id, json_build_array(a.jobs, a.cost, a.is_estimate) AS ahead",
            "SELECT a.id, a.jobs, a.cost, a.is_estimate",
        ),
        (
            "SELECT a.ahead, p.* FROM",
            f"SELECT CASE WHEN a.id IS NOT NULL THEN {_AHEAD} END, p.seconds_per_cost, p.places FROM",
        ),
    ),
}


def _replace(names: tuple[str, ...], statements: tuple[str, ...]) -> None:
    for name in names:
        op.execute(f"DROP FUNCTION {name}")
    for statement in statements:
        op.execute(statement)


def upgrade() -> None:
    for name, default in _PARTS.items():
        op.add_column("generators", sa.Column(name, sa.Double(), server_default=default, nullable=False))
    for name in _SUMS:
        op.add_column("generators", sa.Column(name, sa.Double(), server_default="0", nullable=False))
    _replace(("job_outlook", "job_pace"), (_PACE, _OUTLOOK))
    for function, changes in _CHANGES.items():
        rewrite_function(function, *changes)


def downgrade() -> None:
    _replace(("job_outlook", "job_pace"), (_PACE_BEFORE, _OUTLOOK_BEFORE))
    for function, changes in _CHANGES.items():
        rewrite_function(function, *((after, before) for before, after in changes))
    for name in (*_PARTS, *_SUMS):
        op.drop_column("generators", name)
