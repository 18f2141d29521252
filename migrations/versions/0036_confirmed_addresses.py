"""Confirmed addresses, links of sign-ups, and the devices that accounts are signed in from."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
_MAILS = "kind IN ('reset', 'password_changed', 'email_change', 'email_changed'"
_LINKS = "kind IN ('reset', 'email'"


def upgrade() -> None:
    op.add_column("users", sa.Column("confirmed_at", sa.DateTime(timezone=True)))
    op.add_column("account_mails", sa.Column("language", sa.Text()))
    op.add_column("account_mails", sa.Column("device", sa.Text()))
    op.add_column("account_links", sa.Column("language", sa.Text()))
    op.alter_column("account_links", "user_id", nullable=True)
    _check_kinds(f"{_MAILS}, 'signup', 'confirmation', 'new_device')", f"{_LINKS}, 'signup', 'confirm')")
    op.create_check_constraint(op.f("ck_account_links_user"), "account_links", "(user_id IS NULL) = (kind = 'signup')")
    op.create_index("ix_account_links_email", "account_links", ["email"], postgresql_where=sa.text("user_id IS NULL"))
    op.create_table(
        "known_devices",
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("device", sa.Text(), primary_key=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    )
    # A device that an account has used before is no new one.
    op.execute("""
        INSERT INTO known_devices (user_id, device, last_used_at)
        SELECT user_id, device, max(coalesce(last_used_at, created_at)) FROM tokens
        WHERE kind = 'session' AND device IS NOT NULL GROUP BY user_id, device
    """)


def downgrade() -> None:
    op.drop_table("known_devices")
    op.execute("DELETE FROM account_links WHERE kind IN ('signup', 'confirm')")
    op.execute("DELETE FROM account_mails WHERE kind IN ('signup', 'confirmation', 'new_device')")
    op.drop_index("ix_account_links_email", "account_links")
    op.drop_constraint(op.f("ck_account_links_user"), "account_links", type_="check")
    _check_kinds(f"{_MAILS})", f"{_LINKS})")
    op.alter_column("account_links", "user_id", nullable=False)
    op.drop_column("account_links", "language")
    for column in ("device", "language"):
        op.drop_column("account_mails", column)
    op.drop_column("users", "confirmed_at")


def _check_kinds(mails: str, links: str) -> None:
    for table, kinds in (("account_mails", mails), ("account_links", links)):
        name = op.f(f"ck_{table}_kind")
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, kinds)
