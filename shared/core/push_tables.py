"""The tables of Web Push, beside the others in `shared.core.tables`."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import NOW, ROW_ID, metadata, outbox, owner, when

# The keys with which this site signs for push services (VAPID): one row, made by the poller.
push_keys = Table(
    "push_keys",
    metadata,
    Column("single", Boolean, CheckConstraint("single", name="single"), primary_key=True),
    Column("private_key", LargeBinary, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("application_key", Text, nullable=False),
)

# Browsers that are notified when a job of their user has ended: the address at their push service, and their keys.
push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users", index=True),
    Column("endpoint", Text, nullable=False, unique=True),
    Column("p256dh", Text, nullable=False),
    Column("auth", Text, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
)

# Notifications of browsers that are not sent yet; `due_at` is as in `mails`. The subject is a job, or the group that it
# belongs to.
pushes = Table(
    "pushes",
    metadata,
    Column("subject", UUID, primary_key=True),
    Column(
        "subscription_id",
        UUID,
        ForeignKey("push_subscriptions.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    owner("jobs", index=True),
    *outbox(),
)
