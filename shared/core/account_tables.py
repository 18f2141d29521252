"""The tables of mail about accounts, known devices, second factors, accounts elsewhere and passkeys, beside others."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from shared.core.columns import NOW, ROW_ID, metadata, outbox, owner, when

KINDS = """kind IN (
    'reset', 'password_changed', 'email_change', 'email_changed', 'second_factor_on', 'second_factor_off', 'signup',
    'confirmation', 'new_device', 'passkey_added', 'passkey_removed'
)"""
LINK_KINDS = "kind IN ('reset', 'email', 'signup', 'confirm')"

# Mail about accounts, to be sent. Without a user it is for the one with this address, if any has it by then. `language`
# is that of a mail without a user, `device` what a `new_device` is about.
account_mails = Table(
    "account_mails",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    Column("kind", Text, CheckConstraint(KINDS, name="kind"), nullable=False),
    Column("email", Text, nullable=False),
    Column("user_id", UUID, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    *outbox(),
    Column("language", Text),
    Column("device", Text),
    UniqueConstraint("email", "kind"),
)

# Hashes of the secrets in the links of such mail. Each is good once. That of a sign-up has no user yet.
account_links = Table(
    "account_links",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("kind", Text, CheckConstraint(LINK_KINDS, name="kind"), nullable=False),
    Column("user_id", UUID, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    Column("email", Text, nullable=False),
    Column("mail_id", UUID, nullable=False, index=True),
    when("expires_at", nullable=False, index=True),
    Column("language", Text),
    CheckConstraint("(user_id IS NULL) = (kind = 'signup')", name="user"),
    Index("ix_account_links_email", "email", postgresql_where=text("user_id IS NULL")),
)

# From which kinds of devices (browser and system) each account was signed in lately. Of an account few are kept.
known_devices = Table(
    "known_devices",
    metadata,
    owner("users", primary_key=True),
    Column("device", Text, primary_key=True),
    when("last_used_at", nullable=False, server_default=NOW),
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

# Public keys with which users sign in. `sign_count` is what the last signature had: authenticators that count go up.
passkeys = Table(
    "passkeys",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users", index=True),
    Column("name", Text, nullable=False),
    Column("credential_id", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    when("created_at", nullable=False, server_default=NOW),
    when("last_used_at"),
)

# Random bytes that a passkey is to sign, once. Those of a log-in have no user: the answer says who it is.
passkey_challenges = Table(
    "passkey_challenges",
    metadata,
    Column("challenge", LargeBinary, primary_key=True),
    Column("user_id", UUID, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    when("expires_at", nullable=False, index=True),
)
