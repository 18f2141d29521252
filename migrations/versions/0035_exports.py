"""Exports: what a user gets of everything that the site has of theirs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def _when(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **options)  # type: ignore[arg-type]


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", UUID, server_default=sa.text("uuidv7()")),
        sa.Column("user_id", UUID, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _when("due_at", server_default=_NOW),
        sa.Column("after_job", UUID),
        sa.Column("jobs_done", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("jobs", sa.Integer()),
        sa.Column("error_code", sa.Text()),
        _when("created_at", nullable=False, server_default=_NOW),
        _when("finished_at"),
        _when("expires_at"),
        sa.PrimaryKeyConstraint("id", name="pk_exports"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE", name="fk_exports_user_id"),
        sa.CheckConstraint("(finished_at IS NULL) = (due_at IS NOT NULL)", name="ck_exports_ended"),
    )
    op.create_index("ix_exports_due_at", "exports", ["due_at"])
    op.create_index("ix_exports_expires_at", "exports", ["expires_at"])
    op.create_index("ix_exports_user_id_id", "exports", ["user_id", "id"])
    op.create_index(
        "uq_exports_unfinished", "exports", ["user_id"], unique=True, postgresql_where=sa.text("finished_at IS NULL")
    )
    op.create_table(
        "export_files",
        sa.Column("export_id", UUID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "number", name="pk_export_files"),
        sa.ForeignKeyConstraint(["export_id"], ["exports.id"], ondelete="CASCADE", name="fk_export_files_export_id"),
        sa.UniqueConstraint("key", name="uq_export_files_key"),
    )


def downgrade() -> None:
    op.drop_table("export_files")
    op.drop_table("exports")
