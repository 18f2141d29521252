"""One mail for the jobs of a group, and since when a user wants mail again."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")
# The move that ended the job has locked the user's row, so the ends of a group's jobs come one after the other; a
# function of triggers reads what was committed until then, so the last one finds all others ended. The newest jobs are
# looked at first, since they end last. A job that is requeued deletes the row (shared/jobs/store.py).
_FUNCTION = """
CREATE FUNCTION queue_group_mail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM jobs WHERE group_id = new.group_id AND state IN ('held', 'queued', 'generating')
    ORDER BY id DESC LIMIT 1;
    IF NOT FOUND THEN
        INSERT INTO group_mails (group_id)
        SELECT g.id FROM job_groups g JOIN users u ON u.id = g.user_id
        WHERE g.id = new.group_id AND u.mail_stopped IS NULL AND EXISTS (
            SELECT FROM jobs j WHERE j.group_id = g.id AND j.state IN ('succeeded', 'failed')
                AND j.settings->>'notify' = 'email'
        )
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER queue_group_mail AFTER UPDATE OF state ON jobs FOR EACH ROW
WHEN (new.group_id IS NOT NULL AND new.state IN ('succeeded', 'failed', 'cancelled') AND old.state <> new.state)
EXECUTE FUNCTION queue_group_mail()
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("mail_resumed_at", sa.DateTime(timezone=True)))
    op.create_table(
        "group_mails",
        sa.Column("group_id", sa.UUID(), sa.ForeignKey("job_groups.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    )
    for column in ("due_at", "created_at"):
        op.create_index(f"ix_group_mails_{column}", "group_mails", [column])
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER queue_group_mail ON jobs")
    op.execute("DROP FUNCTION queue_group_mail")
    op.drop_table("group_mails")
    op.drop_column("users", "mail_resumed_at")
