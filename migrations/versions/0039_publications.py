"""Publications that wait for an operator, appeals, and reports that outlive what they are about."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# A version before this one adds and closes reports without knowing of the counts, while an upgrade lasts.
_COUNT = """
CREATE FUNCTION count_report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO publications (job_id, open_reports, reported_at) VALUES (new.job_id, 1, new.created_at)
        ON CONFLICT (job_id) DO UPDATE
            SET open_reports = publications.open_reports + 1, reported_at = excluded.reported_at;
    ELSE
        UPDATE publications SET open_reports = open_reports - 1 WHERE job_id = new.job_id;
    END IF;
    RETURN NULL;
END $$
"""
_ADDED = """
CREATE TRIGGER count_report AFTER INSERT ON reports FOR EACH ROW WHEN (new.closed_at IS NULL)
EXECUTE FUNCTION count_report()
"""
_CLOSED = """
CREATE TRIGGER count_closed_report AFTER UPDATE OF closed_at ON reports FOR EACH ROW
WHEN (old.closed_at IS NULL AND new.closed_at IS NOT NULL) EXECUTE FUNCTION count_report()
"""
# Every deletion of a job counts: its own, that of its group, and that of its account.
_CLOSE = """
CREATE FUNCTION close_reports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reports SET closed_at = clock_timestamp(), outcome = 'deleted'
    WHERE job_id = old.job_id AND closed_at IS NULL;
    RETURN NULL;
END $$
"""
_DELETED = """
CREATE TRIGGER close_reports AFTER DELETE ON publications FOR EACH ROW WHEN (old.open_reports > 0)
EXECUTE FUNCTION close_reports()
"""
_FILL = """
INSERT INTO publications (job_id, open_reports, reported_at)
SELECT job_id, count(*), max(created_at) FROM reports WHERE closed_at IS NULL GROUP BY job_id
"""


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "publications",
        sa.Column("job_id", sa.UUID(), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("review", sa.Text(), nullable=False, server_default="none"),
        sa.Column("awaits_since", time),
        sa.Column("reason", sa.Text()),
        sa.Column("decided_at", time),
        sa.Column("appeal", sa.Text()),
        sa.Column("appealed_at", time),
        sa.Column("open_reports", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("reported_at", time),
        sa.CheckConstraint("review IN ('none', 'waiting', 'listed', 'approved', 'refused', 'removed')", name="review"),
        sa.CheckConstraint("open_reports >= 0", name="open_reports"),
    )
    awaiting, reported = sa.text("awaits_since IS NOT NULL"), sa.text("open_reports > 0")
    op.create_index("ix_publications_awaiting", "publications", ["awaits_since", "job_id"], postgresql_where=awaiting)
    op.create_index(
        "ix_publications_reported", "publications", ["open_reports", "reported_at"], postgresql_where=reported
    )
    op.add_column("reports", sa.Column("reporter", sa.LargeBinary()))
    op.add_column("reports", sa.Column("outcome", sa.Text()))
    op.create_check_constraint("outcome", "reports", "outcome IN ('dismissed', 'taken_down', 'deleted')")
    op.drop_constraint("fk_reports_job_id", "reports", type_="foreignkey")
    op.create_unique_constraint(None, "reports", ["job_id", "reporter"])
    op.drop_index("ix_reports_job_id", "reports")
    closed = sa.text("closed_at IS NOT NULL")
    op.create_index("ix_reports_closed_at", "reports", ["closed_at"], postgresql_where=closed)
    op.execute(_FILL)
    for statement in (_COUNT, _ADDED, _CLOSED, _CLOSE, _DELETED):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER count_report ON reports")
    op.execute("DROP TRIGGER count_closed_report ON reports")
    op.execute("DROP TRIGGER close_reports ON publications")
    op.execute("DROP FUNCTION count_report")
    op.execute("DROP FUNCTION close_reports")
    op.execute("DELETE FROM reports r WHERE NOT EXISTS (SELECT FROM jobs j WHERE j.id = r.job_id)")
    op.drop_index("ix_reports_closed_at", "reports")
    op.create_index("ix_reports_job_id", "reports", ["job_id"])
    op.drop_constraint("uq_reports_job_id_reporter", "reports")
    op.create_foreign_key("fk_reports_job_id", "reports", "jobs", ["job_id"], ["id"], ondelete="CASCADE")
    op.drop_constraint("ck_reports_outcome", "reports")
    op.drop_column("reports", "outcome")
    op.drop_column("reports", "reporter")
    op.drop_table("publications")
