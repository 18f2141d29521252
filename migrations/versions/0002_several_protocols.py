"""Several generator protocols: which ones can make a job, and which one a generator speaks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, column in (("generators", "protocol"), ("jobs", "protocols")):
        op.add_column(table, sa.Column(column, sa.Text(), server_default="img_generator", nullable=False))
    op.create_index(
        "ix_jobs_queue_of",
        "jobs",
        ["protocols", "turn", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.alter_column("images", "seed", nullable=True)


def downgrade() -> None:
    op.execute("UPDATE images SET seed = 0 WHERE seed IS NULL")
    op.alter_column("images", "seed", nullable=False)
    op.drop_index("ix_jobs_queue_of", table_name="jobs", postgresql_where=sa.text("state = 'queued'"))
    op.drop_column("jobs", "protocols")
    op.drop_column("generators", "protocol")
