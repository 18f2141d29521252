"""Generators that load their models: they get no jobs meanwhile, and the jobs that wait for them say so."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The job that found its generator loading has the reason as its last event, which need not be said twice.
_WAITS = "(w.ended_at IS NULL OR w.ended_at > entry.at)"
_ONCE = (
    _WAITS
    + """
    AND w.code IS DISTINCT FROM (
        SELECT e.code FROM job_events e WHERE e.job_id = of_job ORDER BY e.id DESC LIMIT 1
    )"""
)


def upgrade() -> None:
    op.add_column("generators", sa.Column("loading_s", sa.Double()))
    rewrite_function("job_waits", (_WAITS, _ONCE))


def downgrade() -> None:
    rewrite_function("job_waits", (_ONCE, _WAITS))
    op.drop_column("generators", "loading_s")
