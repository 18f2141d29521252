"""A lower bound for the jobs that a list reads, so that a search for rare words does not read all of a user's jobs."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Only the list of parameters and one condition of the function differ.
_REPLACE = """
DO $do$
DECLARE
    source text := pg_get_functiondef('shown_jobs'::regproc);
BEGIN
    DROP FUNCTION shown_jobs;
    EXECUTE replace(replace(source, '{0}', '{1}'), '{2}', '{3}');
END $do$
"""
_PARAMETERS = "at_most integer", "at_most integer, since uuid"
_CONDITION = "j.id < before", "j.id < before AND j.id >= since"


def upgrade() -> None:
    op.execute(_REPLACE.format(*_PARAMETERS, *_CONDITION))


def downgrade() -> None:
    op.execute(_REPLACE.format(*reversed(_PARAMETERS), *reversed(_CONDITION)))
