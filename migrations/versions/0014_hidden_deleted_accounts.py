"""The gallery without the pictures of deleted accounts whose rows are still to be deleted."""

from migrations.functions import rewrite_function

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_SHOWN = "AND j.state = 'succeeded'"
_NOT_DELETED = f"{_SHOWN} AND j.user_id <> ALL (ARRAY(SELECT c.id FROM users c WHERE c.deleted_at IS NOT NULL))"


def upgrade() -> None:
    rewrite_function("shown_gallery", (_SHOWN, _NOT_DELETED))


def downgrade() -> None:
    rewrite_function("shown_gallery", (_NOT_DELETED, _SHOWN))
