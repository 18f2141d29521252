"""The tables of exports, beside the others in `shared.core.tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import NOW, ROW_ID, metadata, owner, when

# What a user gets of everything that the site has of theirs, as ZIP files that the poller makes one after the other.
# `due_at` is when the next one is to be made, or the end of the lease of who makes it; null once there is none left.
# `attempts` names the claim. `after_job` is the last job of the files that are made: jobs come newest first.
exports = Table(
    "exports",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    when("due_at", server_default=NOW, index=True),
    Column("after_job", UUID),
    Column("jobs_done", Integer, nullable=False, server_default="0"),
    Column("jobs", Integer),
    Column("error_code", Text),
    when("created_at", nullable=False, server_default=NOW),
    when("finished_at"),
    when("expires_at", index=True),
    CheckConstraint("(finished_at IS NULL) = (due_at IS NOT NULL)", name="ended"),
    Index("ix_exports_user_id_id", "user_id", "id"),
    Index("uq_exports_unfinished", "user_id", unique=True, postgresql_where=text("finished_at IS NULL")),
)

export_files = Table(
    "export_files",
    metadata,
    owner("exports", primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
)
