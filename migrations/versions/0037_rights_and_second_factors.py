"""API tokens with rights, the last use of every token, and second factors with their recovery codes."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_ALL = "'{jobs:read,jobs:write,account}'"
_KNOWN = "rights <@ ARRAY['jobs:read'::text, 'jobs:write'::text, 'account'::text]"
_KINDS = """kind IN (
    'reset', 'password_changed', 'email_change', 'email_changed', 'signup', 'confirmation', 'new_device'
)"""
_MORE_KINDS = _KINDS.replace("\n)", ", 'second_factor_on', 'second_factor_off')")

# These functions take a token's hash. They find no token that lacks the right, nor one whose last use is to be
# recorded: those are looked up, and recorded, by a statement that may write. The version before gives no `used_within`.
_NEEDED = {"shown_job": "jobs:read", "shown_jobs": "jobs:read", "submit_job": "jobs:write"}
_VALID = "t.hash = of_token AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())"
_END = ")\n RETURNS TABLE("
_MORE = ", used_within interval DEFAULT NULL::interval)\n RETURNS TABLE("


def _quickly_usable(right: str) -> str:
    return f"""{_VALID} AND '{right}' = ANY (t.rights)
        AND (used_within IS NULL OR t.last_used_at > clock_timestamp() - used_within)"""


def upgrade() -> None:
    rights: sa.Column[list[str]] = sa.Column(
        "rights", sa.ARRAY(sa.Text()), server_default=sa.text(_ALL), nullable=False
    )
    op.add_column("tokens", rights)
    op.create_check_constraint(op.f("ck_tokens_rights"), "tokens", _KNOWN)
    for name, right in _NEEDED.items():
        rewrite_function(name, (_VALID, _quickly_usable(right)), (_END, _MORE))
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["second_factors.user_id"],
            name=op.f("fk_recovery_codes_user_id_second_factors"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "hash", name=op.f("pk_recovery_codes")),
    )
    op.drop_constraint(op.f("ck_account_mails_kind"), "account_mails")
    op.create_check_constraint(op.f("ck_account_mails_kind"), "account_mails", _MORE_KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM account_mails WHERE kind IN ('second_factor_on', 'second_factor_off')")
    op.drop_constraint(op.f("ck_account_mails_kind"), "account_mails")
    op.create_check_constraint(op.f("ck_account_mails_kind"), "account_mails", _KINDS)
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
    for name, right in _NEEDED.items():
        rewrite_function(name, (_quickly_usable(right), _VALID), (_MORE, _END))
    # The version before would let them do everything.
    op.execute(f"DELETE FROM tokens WHERE NOT rights @> {_ALL}")
    op.drop_column("tokens", "rights")
