"""Webhooks: the outbox of messages to programs, each account's address and secret, and what could not be delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
# 244 of these 256 bits are random; the functions that need an extension for more are not on every server.
_SECRET = sa.text("decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')")


def upgrade() -> None:
    op.add_column("users", sa.Column("webhook_url", sa.Text()))
    op.add_column("users", sa.Column("webhook_secret", sa.LargeBinary(), server_default=_SECRET, nullable=False))
    op.add_column("users", sa.Column("webhook_error", sa.Text()))
    op.create_table(
        "webhooks",
        sa.Column("job_id", sa.UUID(), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    )
    for column in ("user_id", "due_at", "created_at"):
        op.create_index(f"ix_webhooks_{column}", "webhooks", [column])
    op.create_table(
        "delivery_errors",
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("given_up", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("delivery_errors")
    op.drop_table("webhooks")
    for column in ("webhook_error", "webhook_secret", "webhook_url"):
        op.drop_column("users", column)
