"""The claim of each job whose worker was last taken for dead."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("crashed_token", sa.UUID()))


def downgrade() -> None:
    op.drop_column("jobs", "crashed_token")
