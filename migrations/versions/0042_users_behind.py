"""Users whose long backlogs are being moved up to the virtual time, in slices."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("behind_by", sa.Double(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("behind_below", sa.Double()))
    op.create_index("ix_users_behind", "users", ["id"], postgresql_where=sa.text("behind_by > 0"))


def downgrade() -> None:
    op.drop_index("ix_users_behind", "users")
    op.drop_column("users", "behind_below")
    op.drop_column("users", "behind_by")
