"""Operators' decisions about accounts and jobs, and the time of the poller's last sweep."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("jobs_per_day", sa.Integer(), nullable=True))
    op.add_column("users", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("disabled_reason", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_users_jobs_per_day"), "users", "jobs_per_day > 0")
    op.add_column("jobs", sa.Column("requeues", sa.Integer(), server_default="0", nullable=False))
    op.add_column("queue_clock", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Drop the columns. Disabled accounts can log in again."""
    op.drop_column("queue_clock", "swept_at")
    op.drop_column("jobs", "requeues")
    op.drop_constraint(op.f("ck_users_jobs_per_day"), "users", type_="check")
    op.drop_column("users", "disabled_reason")
    op.drop_column("users", "disabled_at")
    op.drop_column("users", "jobs_per_day")
