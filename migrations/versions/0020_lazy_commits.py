"""A function with which a transaction does not wait for its commit to reach the disk.

A function, because RDS Proxy keeps a session for one client once it sees a SET.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION commit_lazily() RETURNS text LANGUAGE sql
        RETURN set_config('synchronous_commit', 'off', true)
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION commit_lazily()")
