"""Count refusals of jobs by generators that are well, so that each such job pauses alone, and ends."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("refusals", sa.Integer(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("refused_since", sa.DateTime(timezone=True)))
    op.add_column("jobs", sa.Column("refused_by", sa.Text()))
    op.add_column("generators", sa.Column("refusals", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("generators", sa.Column("refusals_in_row", sa.Integer(), server_default="0", nullable=False))
    op.add_column("generators", sa.Column("refused_job", sa.UUID()))
    op.add_column("generators", sa.Column("refused_at", sa.DateTime(timezone=True)))
    op.add_column("generators", sa.Column("refusing_until", sa.DateTime(timezone=True)))
    op.add_column("generators", sa.Column("last_refusal", sa.Text()))


def downgrade() -> None:
    for column in ("last_refusal", "refusing_until", "refused_at", "refused_job", "refusals_in_row", "refusals"):
        op.drop_column("generators", column)
    for column in ("refused_by", "refused_since", "refusals"):
        op.drop_column("jobs", column)
