"""Previews of pictures that are being made."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("preview_key", sa.Text()))
    op.add_column("jobs", sa.Column("preview_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("jobs", "preview_at")
    op.drop_column("jobs", "preview_key")
