"""Passkeys, what they are to sign, and the mails about them."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_KINDS = """kind IN (
    'reset', 'password_changed', 'email_change', 'email_changed', 'second_factor_on', 'second_factor_off', 'signup',
    'confirmation', 'new_device'
)"""
_MORE_KINDS = _KINDS.replace("\n)", ", 'passkey_added', 'passkey_removed')")


def upgrade() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.UUID(), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"])
    op.create_table(
        "passkey_challenges",
        sa.Column("challenge", sa.LargeBinary(), primary_key=True),
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_passkey_challenges_user_id", "passkey_challenges", ["user_id"])
    op.create_index("ix_passkey_challenges_expires_at", "passkey_challenges", ["expires_at"])
    op.drop_constraint(op.f("ck_account_mails_kind"), "account_mails")
    op.create_check_constraint(op.f("ck_account_mails_kind"), "account_mails", _MORE_KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM account_mails WHERE kind IN ('passkey_added', 'passkey_removed')")
    op.drop_constraint(op.f("ck_account_mails_kind"), "account_mails")
    op.create_check_constraint(op.f("ck_account_mails_kind"), "account_mails", _KINDS)
    op.drop_table("passkey_challenges")
    op.drop_table("passkeys")
