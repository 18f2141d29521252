"""Counters of finished jobs and stored pictures, kept by triggers, so that the metrics need no scan."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A job is counted when it ends. A job that an operator put back into the queue is counted again when it ends again.
_JOBS = """
CREATE FUNCTION tally_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    seconds double precision := extract(epoch FROM new.finished_at - new.created_at);
BEGIN
    INSERT INTO tallies (name, label, count, amount)
    SELECT new.state, CASE new.state
        WHEN 'failed' THEN new.error_code
        WHEN 'succeeded' THEN coalesce(
            (SELECT min(bound) FROM unnest('{1,2,5,10,20,30,60,120,300,600,1800,3600}'::int[]) AS bound
             WHERE seconds <= bound)::text, '+Inf')
        ELSE '' END, 1, seconds
    UNION ALL SELECT 'attempts', '', new.attempts, 0 WHERE new.attempts > 0
    UNION ALL SELECT 'crashes', '', new.crashes, 0 WHERE new.crashes > 0;
    RETURN NULL;
END $$
"""
_IMAGES = """
CREATE FUNCTION tally_images() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tallies (name, label, count, amount)
    SELECT CASE TG_OP WHEN 'INSERT' THEN 'stored' ELSE 'deleted' END, '', count(*), sum(size_bytes)
    FROM changed HAVING count(*) > 0;
    RETURN NULL;
END $$
"""
_USERS = """
CREATE FUNCTION tally_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tallies (name, label, count, amount)
    SELECT 'users', '', CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END, 0
    FROM changed HAVING count(*) > 0;
    RETURN NULL;
END $$
"""
_TRIGGERS = (
    "CREATE TRIGGER tally AFTER UPDATE OF state ON jobs FOR EACH ROW"
    " WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL) EXECUTE FUNCTION tally_job()",
    *(
        f"CREATE TRIGGER tally_{event.lower()} AFTER {event} ON {table} REFERENCING {rows} TABLE AS changed"
        f" FOR EACH STATEMENT EXECUTE FUNCTION tally_{table}()"
        for table in ("images", "users")
        for event, rows in (("INSERT", "NEW"), ("DELETE", "OLD"))
    ),
)
# The triggers are created before the existing rows are counted, and their lock blocks writers until the end of the
# migration, so that no row is missed or counted twice. A million jobs take some seconds.
_WHAT_IS_THERE = """
INSERT INTO tallies (name, label, count, amount)
SELECT state, CASE state
    WHEN 'failed' THEN error_code
    WHEN 'succeeded' THEN coalesce(
        (SELECT min(bound) FROM unnest('{1,2,5,10,20,30,60,120,300,600,1800,3600}'::int[]) AS bound
         WHERE extract(epoch FROM finished_at - created_at) <= bound)::text, '+Inf')
    ELSE '' END, count(*), sum(extract(epoch FROM finished_at - created_at))
FROM jobs WHERE finished_at IS NOT NULL GROUP BY 1, 2
UNION ALL SELECT 'attempts', '', sum(attempts), 0 FROM jobs WHERE finished_at IS NOT NULL HAVING sum(attempts) > 0
UNION ALL SELECT 'crashes', '', sum(crashes), 0 FROM jobs WHERE finished_at IS NOT NULL HAVING sum(crashes) > 0
UNION ALL SELECT 'stored', '', count(*), sum(size_bytes) FROM images HAVING count(*) > 0
UNION ALL SELECT 'users', '', count(*), 0 FROM users HAVING count(*) > 0
UNION ALL SELECT 'failures_reported', '', count(*), 0 FROM jobs WHERE state = 'failed' HAVING count(*) > 0
"""


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tallies")),
    )
    for statement in (_JOBS, _IMAGES, _USERS, *_TRIGGERS, _WHAT_IS_THERE):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TRIGGER tally ON jobs")
    for table in ("images", "users"):
        for event in ("insert", "delete"):
            op.execute(f"DROP TRIGGER tally_{event} ON {table}")
    for function in ("tally_job", "tally_images", "tally_users"):
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("tallies")
