"""The tables of mail about accounts and of accounts elsewhere, beside the others in `shared.core.tables`."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import NOW, ROW_ID, metadata, outbox, owner, when

KINDS = "kind IN ('reset', 'password_changed', 'email_change', 'email_changed')"

# Mail about accounts, to be sent. Without a user it is for the one with this address, if any has it by then.
account_mails = Table(
    "account_mails",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    Column("kind", Text, CheckConstraint(KINDS, name="kind"), nullable=False),
    Column("email", Text, nullable=False),
    Column("user_id", UUID, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    *outbox(),
    UniqueConstraint("email", "kind"),
)

# Hashes of the secrets in the links of such mail. Each is good once.
account_links = Table(
    "account_links",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("kind", Text, CheckConstraint("kind IN ('reset', 'email')", name="kind"), nullable=False),
    owner("users", index=True),
    Column("email", Text, nullable=False),
    Column("mail_id", UUID, nullable=False, index=True),
    when("expires_at", nullable=False, index=True),
)

# Accounts of users at OpenID Connect providers: the subject is the provider's name for a person, `email` the address
# that the person had there when it was connected.
identities = Table(
    "identities",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users", index=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("email", Text),
    when("created_at", nullable=False, server_default=NOW),
    when("last_used_at", nullable=False, server_default=NOW),
    UniqueConstraint("issuer", "subject"),
)
