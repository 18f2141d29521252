"""The tables of mail about accounts and of second factors, beside the others in `shared.core.tables`."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import ROW_ID, metadata, outbox, owner, when

KINDS = """kind IN (
    'reset', 'password_changed', 'email_change', 'email_changed', 'second_factor_on', 'second_factor_off'
)"""

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

# One for an account, which counts once it is confirmed. The secret is kept as it is: each code is computed from it.
# `last_step` is the period of the last code that was used, so that none works twice.
second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", UUID, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),
    Column("last_step", BigInteger, nullable=False, server_default="0"),
    when("confirmed_at"),
)

# Hashes of the codes that work instead, once each, and are deleted with the factor.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", UUID, ForeignKey("second_factors.user_id", ondelete="CASCADE"), primary_key=True),
    Column("hash", LargeBinary, primary_key=True),
)
