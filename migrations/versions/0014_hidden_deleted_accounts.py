"""The gallery without the pictures of deleted accounts whose rows are still to be deleted."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_REPLACE = """
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('shown_gallery'::regproc), $from${0}$from$, $to${1}$to$);
END $do$
"""
_SHOWN = "AND j.state = 'succeeded'"
_NOT_DELETED = f"{_SHOWN} AND j.user_id <> ALL (ARRAY(SELECT c.id FROM users c WHERE c.deleted_at IS NOT NULL))"


def upgrade() -> None:
    op.execute(_REPLACE.format(_SHOWN, _NOT_DELETED))


def downgrade() -> None:
    op.execute(_REPLACE.format(_NOT_DELETED, _SHOWN))
