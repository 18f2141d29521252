"""Codes beside the words of a timeline, and the mail that is still to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_events", sa.Column("code", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("job_events", "code")
