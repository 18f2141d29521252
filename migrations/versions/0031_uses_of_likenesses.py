"""Which likenesses a job's pictures show: pictures of a deleted likeness are taken down."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# Whatever statement deletes a likeness: its own call, that of its job, or the end of its account. The jobs are locked
# in order, so that two deletions wait for each other.
_TAKE_DOWN = """
CREATE FUNCTION take_down_likeness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE jobs SET taken_down_at = clock_timestamp(), version = version + 1 WHERE id = ANY (ARRAY(
        SELECT j.id FROM likeness_uses u JOIN jobs j ON j.id = u.job_id
        WHERE u.likeness_id = old.job_id AND j.taken_down_at IS NULL
        ORDER BY j.id FOR NO KEY UPDATE OF j
    ));
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER take_down_likeness AFTER DELETE ON likenesses FOR EACH ROW EXECUTE FUNCTION take_down_likeness()
"""


def upgrade() -> None:
    op.create_table(
        "likeness_uses",
        sa.Column("job_id", sa.UUID(), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("likeness_id", sa.UUID(), primary_key=True),
    )
    op.create_index("ix_likeness_uses_likeness_id", "likeness_uses", ["likeness_id"])
    op.execute(_TAKE_DOWN)
    op.execute(_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER take_down_likeness ON likenesses")
    op.execute("DROP FUNCTION take_down_likeness")
    op.drop_table("likeness_uses")
