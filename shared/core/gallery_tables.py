"""The tables of publications and reports, beside the others in `shared.core.tables`."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import NOW, ROW_ID, metadata, owner, when

# What operators have to do with a job's publication; a job without a row has neither been looked at nor reported.
# `review`: `waiting` is published only once it is approved, `listed` is public and waits for a look; `refused` never
# was public, `removed` was, or its owner no longer wants it to be. `awaits_since` is set while an operator is to decide
# about it, or about the owner's `appeal`. `reason` is for the owner. Triggers count `open_reports`, the newest of which
# came at `reported_at`.
publications = Table(
    "publications",
    metadata,
    owner("jobs", primary_key=True),
    Column("review", Text, nullable=False, server_default="none"),
    when("awaits_since"),
    Column("reason", Text),
    when("decided_at"),
    Column("appeal", Text),
    when("appealed_at"),
    Column("open_reports", Integer, nullable=False, server_default="0"),
    when("reported_at"),
    CheckConstraint("review IN ('none', 'waiting', 'listed', 'approved', 'refused', 'removed')", name="review"),
    CheckConstraint("open_reports >= 0", name="open_reports"),
    Index("ix_publications_awaiting", "awaits_since", "job_id", postgresql_where=text("awaits_since IS NOT NULL")),
    Index("ix_publications_reported", "open_reports", "reported_at", postgresql_where=text("open_reports > 0")),
)

# Reports of published jobs. `reporter` is a hash of the job and the user or the network, null in reports of older
# versions. A report is open until an operator decides about its job, or the job is deleted; it outlives the job, and
# is deleted some time after it was closed.
reports = Table(
    "reports",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    Column("job_id", UUID, nullable=False),
    Column("reporter", LargeBinary),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
    when("closed_at"),
    Column("outcome", Text),
    CheckConstraint("reason IN ('illegal', 'hateful', 'sexual', 'personal', 'copyright', 'other')", name="reason"),
    CheckConstraint("outcome IN ('dismissed', 'taken_down', 'deleted')", name="outcome"),
    UniqueConstraint("job_id", "reporter"),
    Index("ix_reports_closed_at", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
)
