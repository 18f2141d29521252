"""The table of rate limits, beside the others in `shared.core.tables`."""

from sqlalchemy import Column, LargeBinary, Table

from shared.core.columns import metadata, when

# A bucket for each limit and whom it is about (`key`, a hash), until it is full again at `full_at`; then the row says
# nothing, and is deleted.
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    when("full_at", nullable=False, index=True),
)
