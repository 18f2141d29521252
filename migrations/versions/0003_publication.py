"""Publication: pictures that an operator took down, and what visitors report."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("taken_down_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("ix_jobs_gallery", table_name="jobs")
    shown = sa.text("published_at IS NOT NULL AND taken_down_at IS NULL")
    op.create_index("ix_jobs_gallery", "jobs", ["published_at", "id"], postgresql_where=shown)
    op.create_table(
        "reports",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reason IN ('illegal', 'hateful', 'sexual', 'personal', 'copyright', 'other')",
            name=op.f("ck_reports_reason"),
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_reports_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    op.create_index(op.f("ix_reports_job_id"), "reports", ["job_id"], unique=False)


def downgrade() -> None:
    """Drop the columns and reports. Pictures that were taken down do not return to the gallery."""
    op.drop_index(op.f("ix_reports_job_id"), table_name="reports")
    op.drop_table("reports")
    op.execute("UPDATE jobs SET published_at = NULL WHERE taken_down_at IS NOT NULL")
    op.drop_index("ix_jobs_gallery", table_name="jobs")
    op.drop_column("jobs", "taken_down_at")
    shown = sa.text("published_at IS NOT NULL")
    op.create_index("ix_jobs_gallery", "jobs", ["published_at", "id"], postgresql_where=shown)
