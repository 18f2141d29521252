"""Previews of pictures that are being made, and videos of the making."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


_CHANGE = ("i.seed, i.description)", "i.seed, i.description, i.timelapse_key)")
_FUNCTIONS = ("shown_job", "shown_jobs", "shown_gallery")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("preview_key", sa.Text()))
    op.add_column("jobs", sa.Column("preview_at", sa.DateTime(timezone=True)))
    op.add_column("images", sa.Column("timelapse_key", sa.Text()))
    op.add_column("generators", sa.Column("has_frames", sa.Boolean()))
    for name in _FUNCTIONS:
        rewrite_function(name, _CHANGE)


def downgrade() -> None:
    for name in _FUNCTIONS:
        rewrite_function(name, _CHANGE[::-1])
    op.drop_column("generators", "has_frames")
    op.drop_column("images", "timelapse_key")
    op.drop_column("jobs", "preview_at")
    op.drop_column("jobs", "preview_key")
