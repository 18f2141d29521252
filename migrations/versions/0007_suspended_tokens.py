"""Whether an account is disabled, repeated on its tokens, so that a request need not read the account."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# A user may log in while an operator disables the account. The second of the two waits for the lock on the account's
# row: a new token then reads the written value, or the update finds the new token.
_AT_LOG_IN = """
CREATE FUNCTION suspend_new_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT disabled_at IS NOT NULL INTO new.suspended FROM users WHERE id = new.user_id FOR SHARE;
    -- Nobody's token is refused by the foreign key.
    new.suspended := coalesce(new.suspended, false);
    RETURN new;
END $$
"""
_AT_DISABLING = """
CREATE FUNCTION suspend_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tokens SET suspended = new.disabled_at IS NOT NULL WHERE user_id = new.id;
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER suspend BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION suspend_new_token()",
    "CREATE TRIGGER suspend AFTER UPDATE OF disabled_at ON users FOR EACH ROW"
    " WHEN ((old.disabled_at IS NULL) <> (new.disabled_at IS NULL)) EXECUTE FUNCTION suspend_tokens()",
)
_WHAT_IS_THERE = """
UPDATE tokens SET suspended = true FROM users WHERE users.id = user_id AND disabled_at IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("tokens", sa.Column("suspended", sa.Boolean(), server_default="false", nullable=False))
    for statement in (_AT_LOG_IN, _AT_DISABLING, *_TRIGGERS, _WHAT_IS_THERE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER suspend ON tokens")
    op.execute("DROP TRIGGER suspend ON users")
    op.execute("DROP FUNCTION suspend_new_token")
    op.execute("DROP FUNCTION suspend_tokens")
    op.drop_column("tokens", "suspended")
