"""Mail about accounts: its outbox, and the hashes of the secrets in its links."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    kinds = sa.CheckConstraint("kind IN ('reset', 'password_changed', 'email_change', 'email_changed')", name="kind")
    op.create_table(
        "account_mails",
        sa.Column("id", sa.UUID(), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column("kind", sa.Text(), kinds, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.UniqueConstraint("email", "kind"),
    )
    for column in ("user_id", "due_at", "created_at"):
        op.create_index(f"ix_account_mails_{column}", "account_mails", [column])
    op.create_table(
        "account_links",
        sa.Column("hash", sa.LargeBinary(), primary_key=True),
        sa.Column("kind", sa.Text(), sa.CheckConstraint("kind IN ('reset', 'email')", name="kind"), nullable=False),
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("mail_id", sa.UUID(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    for column in ("user_id", "mail_id", "expires_at"):
        op.create_index(f"ix_account_links_{column}", "account_links", [column])


def downgrade() -> None:
    op.drop_table("account_links")
    op.drop_table("account_mails")
