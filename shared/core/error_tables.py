"""The tables of failures that operators see with `easel errors`, beside the others in `shared.core.tables`.

Both have a row for each day (UTC) and code; old ones are deleted.
"""

from sqlalchemy import Column, Date, Integer, Table, Text

from shared.core.columns import NOW, metadata, when

# How often sending a notification failed, by kind (mail, webhook, push), and how many were given up.
delivery_errors = Table(
    "delivery_errors",
    metadata,
    Column("day", Date, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("given_up", Integer, nullable=False),
    when("last_at", nullable=False, server_default=NOW),
)

# How often a generator failed a step of a job, or a health check.
generator_errors = Table(
    "generator_errors",
    metadata,
    Column("day", Date, primary_key=True),
    Column("generator", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    when("last_at", nullable=False, server_default=NOW),
)
