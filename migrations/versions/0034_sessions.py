"""Sessions: the device, the last use, and how long one may be idle."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("device", sa.Text()))
    op.add_column("tokens", sa.Column("last_used_at", sa.DateTime(timezone=True)))
    op.add_column("tokens", sa.Column("ends_at", sa.DateTime(timezone=True)))
    op.add_column("tokens", sa.Column("idle_s", sa.Integer()))


def downgrade() -> None:
    for column in ("device", "last_used_at", "ends_at", "idle_s"):
        op.drop_column("tokens", column)
