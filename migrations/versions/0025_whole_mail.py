"""The mail's language, the secret of its one-click unsubscribe, and why an address gets no more mail."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_SECRET = sa.text("decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')")


def upgrade() -> None:
    op.add_column("users", sa.Column("language", sa.Text(), server_default="en", nullable=False))
    op.add_column("users", sa.Column("mail_secret", sa.LargeBinary(), server_default=_SECRET, nullable=False))
    op.add_column("users", sa.Column("mail_stopped", sa.Text()))
    op.create_check_constraint(op.f("ck_users_language"), "users", "language IN ('en', 'ru')")
    op.create_index("ix_users_mail_secret", "users", ["mail_secret"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_users_mail_secret", table_name="users")
    op.drop_constraint(op.f("ck_users_language"), "users")
    for column in ("mail_stopped", "mail_secret", "language"):
        op.drop_column("users", column)
