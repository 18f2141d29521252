"""Renewals of leases in a narrow table, so that a long step does not write its job's row again and again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("attempt_token", sa.UUID(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("attempt_token", name=op.f("pk_leases")),
    )
    op.create_index(op.f("ix_leases_until"), "leases", ["until"])


def downgrade() -> None:
    """Drop the renewals. A worker's step that runs now may be taken over once its first lease has run out."""
    op.drop_table("leases")
