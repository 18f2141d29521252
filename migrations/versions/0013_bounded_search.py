"""A lower bound for the jobs that a list reads, so that a search for rare words does not read all of a user's jobs."""

from migrations.functions import rewrite_function

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_CHANGES = (
    ("at_most integer", "at_most integer, since uuid"),
    ("j.id < before", "j.id < before AND j.id >= since"),
)


def upgrade() -> None:
    rewrite_function("shown_jobs", *_CHANGES)


def downgrade() -> None:
    rewrite_function("shown_jobs", *((after, before) for before, after in _CHANGES))
