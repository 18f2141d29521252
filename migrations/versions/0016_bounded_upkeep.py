"""Indexes for the collector, so that it reads only what it deletes, and for lists of failed and cancelled jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Uploads stay as long as a job uses them. Those that the collector has found in use are not looked at again until a job
# that used them is deleted.
_RECHECK = """
CREATE FUNCTION recheck_uploads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE uploads SET in_use = false WHERE in_use AND key IN (SELECT upload_key FROM changed);
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER recheck_uploads AFTER DELETE ON job_sources REFERENCING OLD TABLE AS changed
FOR EACH STATEMENT EXECUTE FUNCTION recheck_uploads()
"""
_NOT_IN_USE = sa.text("NOT in_use")
_EXPIRES = sa.text("expires_at IS NOT NULL")
_NOT_SUCCEEDED = sa.text("state IN ('failed', 'cancelled')")


def upgrade() -> None:
    op.add_column("uploads", sa.Column("in_use", sa.Boolean(), server_default="false", nullable=False))
    op.create_index("ix_uploads_created_at", "uploads", ["created_at"], postgresql_where=_NOT_IN_USE)
    op.create_index("ix_tokens_expires_at", "tokens", ["expires_at"], postgresql_where=_EXPIRES)
    op.create_index("ix_mails_created_at", "mails", ["created_at"])
    op.create_index("ix_jobs_not_succeeded", "jobs", ["state", "id"], postgresql_where=_NOT_SUCCEEDED)
    op.execute(_RECHECK)
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER recheck_uploads ON job_sources")
    op.execute("DROP FUNCTION recheck_uploads")
    op.drop_index("ix_jobs_not_succeeded", table_name="jobs", postgresql_where=_NOT_SUCCEEDED)
    op.drop_index("ix_mails_created_at", table_name="mails")
    op.drop_index("ix_tokens_expires_at", table_name="tokens", postgresql_where=_EXPIRES)
    op.drop_index("ix_uploads_created_at", table_name="uploads", postgresql_where=_NOT_IN_USE)
    op.drop_column("uploads", "in_use")
