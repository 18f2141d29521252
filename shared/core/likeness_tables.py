"""The tables of likenesses, beside the others in `shared.core.tables`."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from shared.core.columns import NOW, metadata, owner, when

# What a training job is to make, and has made: an adapter that draws one person, animal or object. The job has the
# state; a likeness is ready once it has `adapter_sha256`, and works while it has `adapter_key`, the stored file, and
# until `expires_at`. The code is a secret of its owner, or of those to whom the owner gave it if it is `shared`.
likenesses = Table(
    "likenesses",
    metadata,
    owner("jobs", primary_key=True),
    owner("users"),
    Column("code", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shared", Boolean, nullable=False, server_default="false"),
    when("consented_at", nullable=False, server_default=NOW),
    Column("adapter_sha256", Text),
    Column("adapter_key", Text),
    Column("report", JSONB),
    when("expires_at"),
    UniqueConstraint("code"),
    CheckConstraint("code ~ '^[0-9]{8}$'", name="code"),
    CheckConstraint("subject IN ('person', 'animal', 'object')", name="subject"),
    Index("ix_likenesses_user_id_job_id", "user_id", "job_id"),
    Index("ix_likenesses_expires_at", "expires_at", postgresql_where=text("adapter_key IS NOT NULL")),
)

# Which likenesses a job has been sent to its generator with, or the job that it starts from. A row outlives the
# likeness: pictures of one that was deleted are taken down, by a trigger, and are not published any more.
likeness_uses = Table(
    "likeness_uses",
    metadata,
    owner("jobs", primary_key=True),
    Column("likeness_id", UUID, primary_key=True, index=True),
)
