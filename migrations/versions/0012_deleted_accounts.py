"""Accounts that are deleted, whose rows are deleted in batches."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_users_deleted_at", "users", ["deleted_at"], postgresql_where=_DELETED)


def downgrade() -> None:
    """Drop the column. Accounts whose rows are not all deleted yet stay disabled."""
    op.drop_index("ix_users_deleted_at", table_name="users", postgresql_where=_DELETED)
    op.drop_column("users", "deleted_at")
