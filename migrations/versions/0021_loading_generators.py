"""Generators that load their models get no jobs meanwhile; what suits a model becomes the presets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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
    op.add_column("generators", sa.Column("model", postgresql.JSONB()))
    now = sa.text("clock_timestamp()")
    op.add_column("generators", sa.Column("look_at", sa.DateTime(timezone=True), server_default=now, nullable=False))
    rewrite_function("job_waits", (_WAITS, _ONCE))


def downgrade() -> None:
    rewrite_function("job_waits", (_ONCE, _WAITS))
    for column in ("look_at", "model", "loading_s"):
        op.drop_column("generators", column)
