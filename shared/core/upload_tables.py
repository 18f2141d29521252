"""The tables of uploads, beside the others in `shared.core.tables`."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from shared.core.columns import NOW, metadata, owner, when

# `in_use`: the collector has found a job that uses the upload; a trigger resets it when such a job is deleted. `etag`
# is the content that was checked when a job first used it: other content of the same key is not used. Triggers add
# `size_bytes` to its user's `stored_bytes`, and take it off.
uploads = Table(
    "uploads",
    metadata,
    Column("key", Text, primary_key=True),
    owner("users", index=True),
    Column("content_type", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", Text),
    when("created_at", nullable=False, server_default=NOW),
    Column("in_use", Boolean, nullable=False, server_default="false"),
    Index("ix_uploads_created_at", "created_at", postgresql_where=text("NOT in_use")),
)

job_sources = Table(
    "job_sources",
    metadata,
    owner("jobs", primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("upload_key", Text, ForeignKey("uploads.key"), nullable=False, index=True),
)
