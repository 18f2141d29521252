"""Rate limits, caps of the site and of what an account stores, and shares of the quota that are given back."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_COUNTS = "queued >= 0 AND running >= 0 AND quota_used >= 0"
_MORE_COUNTS = f"{_COUNTS} AND quota_worked >= 0 AND stored_bytes >= 0"

# The version before calls them without the new arguments.
_PARAMETERS = "site_jobs_per_day integer)"
_NULL = "DEFAULT NULL::bigint"
_MORE_PARAMETERS = f"site_jobs_per_day integer, max_total bigint {_NULL}, max_user_bytes bigint {_NULL})"
_TODAY = "(now() AT TIME ZONE 'utc')::date"
_SET_DAY = f"quota_day = {_TODAY},"
_SET_WORKED = f"quota_worked = CASE WHEN quota_day = {_TODAY} THEN quota_worked ELSE 0 END,\n        {_SET_DAY}"
_TOTAL = "(SELECT coalesce(sum(d.jobs), 0) FROM queue_depth d WHERE d.protocols IS NOT NULL)"
_ONE = (
    (_PARAMETERS, _MORE_PARAMETERS),
    (_SET_DAY, _SET_WORKED),
    (
        f"(quota_day <> {_TODAY} OR quota_used < coalesce(jobs_per_day, site_jobs_per_day))",
        f"""(quota_day <> {_TODAY} OR quota_used + quota_worked + 1 <= coalesce(jobs_per_day, site_jobs_per_day))
        AND (max_user_bytes IS NULL OR stored_bytes < max_user_bytes)
        AND (max_total IS NULL OR {_TOTAL} < max_total)""",
    ),
)
_MANY = (
    (_PARAMETERS, _MORE_PARAMETERS),
    (_SET_DAY, _SET_WORKED),
    (
        f"""CASE WHEN quota_day = {_TODAY} THEN quota_used ELSE 0 END + t.jobs
            <= coalesce(jobs_per_day, site_jobs_per_day)""",
        f"""CASE WHEN quota_day = {_TODAY} THEN quota_used + quota_worked ELSE 0 END + t.jobs
            <= coalesce(jobs_per_day, site_jobs_per_day)
        AND (max_user_bytes IS NULL OR stored_bytes < max_user_bytes)
        AND (max_total IS NULL OR {_TOTAL} + t.jobs <= max_total)""",
    ),
)

_COUNT_UPLOAD = """
CREATE FUNCTION count_stored_upload() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users SET stored_bytes = stored_bytes + new.size_bytes WHERE id = new.user_id;
    RETURN NULL;
END $$
"""
# Jobs and uploads of accounts that are deleted with them find no user. Users are locked in the order of their ids.
_DISCOUNT = """
CREATE FUNCTION discount_stored_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH less AS (
        SELECT user_id, sum({bytes}) AS bytes FROM gone GROUP BY user_id HAVING sum({bytes}) > 0
    ), owners AS (
        SELECT id FROM users WHERE id IN (SELECT user_id FROM less) ORDER BY id FOR UPDATE
    )
    UPDATE users u SET stored_bytes = greatest(0, u.stored_bytes - less.bytes)
    FROM less JOIN owners ON owners.id = less.user_id WHERE u.id = less.user_id;
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER discount_stored AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION discount_stored_{table}()
"""
# Until its form has expired, an upload that was deleted may be sent again. The prefix, its key without the ending, is
# not the one that was just emptied. With an account all of its prefix is emptied later anyway.
_EMPTY_AGAIN = """
CREATE FUNCTION empty_upload_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO garbage (prefix, due_at)
    SELECT split_part(key, '.', 1), created_at + interval '20 minutes' FROM gone
    WHERE created_at > clock_timestamp() - interval '20 minutes'
        AND EXISTS (SELECT FROM users u WHERE u.id = gone.user_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
_EMPTY_AGAIN_TRIGGER = """
CREATE TRIGGER empty_again AFTER DELETE ON uploads REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION empty_upload_again()
"""
_BYTES = {"jobs": "stored_bytes", "uploads": "size_bytes"}
# Uploads are few: those that jobs use, and those of a day. Pictures from before are not counted, nor discounted.
_COUNT_UPLOADS = """
UPDATE users u SET stored_bytes = s.bytes
FROM (SELECT user_id, sum(size_bytes) AS bytes FROM uploads GROUP BY user_id) s WHERE u.id = s.user_id
"""


def _check_counts(condition: str) -> None:
    op.execute("ALTER TABLE users DROP CONSTRAINT ck_users_counts")
    op.execute(f"ALTER TABLE users ADD CONSTRAINT ck_users_counts CHECK ({condition})")


def upgrade() -> None:
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("full_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_limits")),
    )
    op.create_index("ix_rate_limits_full_at", "rate_limits", ["full_at"])
    op.drop_table("code_guesses")
    op.add_column("users", sa.Column("quota_worked", sa.Double(), server_default="0", nullable=False))
    op.add_column("users", sa.Column("stored_bytes", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("jobs", sa.Column("stored_bytes", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("uploads", sa.Column("etag", sa.Text()))
    _check_counts(_MORE_COUNTS)
    op.execute(_COUNT_UPLOAD)
    op.execute(
        "CREATE TRIGGER count_stored AFTER INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION count_stored_upload()"
    )
    for table, size in _BYTES.items():
        op.execute(_DISCOUNT.format(table=table, bytes=size))
        op.execute(_TRIGGER.format(table=table))
    for statement in (_EMPTY_AGAIN, _EMPTY_AGAIN_TRIGGER, _COUNT_UPLOADS):
        op.execute(statement)
    rewrite_function("submit_job", *_ONE)
    rewrite_function("submit_jobs", *_MANY)


def downgrade() -> None:
    rewrite_function("submit_jobs", *((after, before) for before, after in _MANY))
    rewrite_function("submit_job", *((after, before) for before, after in _ONE))
    op.execute("DROP TRIGGER empty_again ON uploads")
    op.execute("DROP FUNCTION empty_upload_again()")
    for table in _BYTES:
        op.execute(f"DROP TRIGGER discount_stored ON {table}")
        op.execute(f"DROP FUNCTION discount_stored_{table}()")
    op.execute("DROP TRIGGER count_stored ON uploads")
    op.execute("DROP FUNCTION count_stored_upload()")
    _check_counts(_COUNTS)
    op.drop_column("uploads", "etag")
    op.drop_column("jobs", "stored_bytes")
    op.drop_column("users", "stored_bytes")
    op.drop_column("users", "quota_worked")
    op.create_table(
        "code_guesses",
        sa.Column("user_id", sa.UUID(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("guesses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_code_guesses")),
    )
    op.drop_table("rate_limits")
