"""Accounts: sign up, log in and out, tokens, the quota, and leaving."""

import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, Row

from shared.accounts import store as user_store
from shared.accounts.auth import SESSION_S, Credential, find_holder, require_user
from shared.accounts.store import User
from shared.accounts.tokens import new_token, token_hash
from shared.core.errors import NO_MAIL, AccountDisabled, BadCredentials, FieldError, InvalidRequest, NotFound
from shared.core.paging import page
from shared.services import Services

MAX_API_TOKENS = 100
MIN_GUESSES = 10**7
"""Below this many guesses a password counts as well known (zxcvbn's estimate, source: its 30,000 common passwords)."""

# OWASP's smallest recommended setting for Argon2id; 19 MiB each, and never more than four at once in a process.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_hashing = threading.BoundedSemaphore(4)


@dataclass(frozen=True)
class Session:
    """A user who has just signed in, with the token that proves it from now on."""

    user: User
    token: str
    expires_at: datetime


def sign_up(services: Services, email: str, password: str) -> Session:
    """Make an account and sign in. Raises InvalidRequest (no address, a well-known password), EmailTaken."""
    address = _normal_email(email)
    _refuse_well_known(password, address)
    with _hashing:
        password_hash = _hasher.hash(password)
    with services.db.begin() as connection:
        user = user_store.create(connection, address, password_hash)
        return _open_session(connection, user)


def log_in(services: Services, email: str, password: str) -> Session:
    """Sign in. Raises BadCredentials, after the same work whether the address is known or not, and AccountDisabled to
    whoever knows the password of a disabled account."""
    try:
        address = _normal_email(email)
    except InvalidRequest:
        address = ""
    with services.db.statement() as connection:
        found = user_store.find_by_email(connection, address)
    user, password_hash = found if found else (None, _hash_of_nobody())
    if not _matches(password_hash, password) or user is None:
        raise BadCredentials
    if user.disabled:
        raise AccountDisabled
    with services.db.begin() as connection:
        if _hasher.check_needs_rehash(password_hash):
            with _hashing:
                user_store.set_password_hash(connection, user.id, _hasher.hash(password))
        return _open_session(connection, user)


def log_out(services: Services, credential: Credential) -> None:
    """Make the token that was sent dead, that of a disabled account too."""
    with services.db.begin() as connection:
        find_holder(connection, credential)
        user_store.delete_token(connection, credential.token_hash or b"")


def leave(services: Services, credential: Credential, password: str) -> None:
    """Delete the account with its jobs, pictures and tokens. Raises BadCredentials for a wrong password."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        found = user_store.find_by_email(connection, user.email)
    if found is None or not _matches(found[1], password):
        raise BadCredentials("The password is wrong.")
    with services.db.begin() as connection:
        user_store.delete(connection, user.id)


def get_account(services: Services, credential: Credential) -> dict[str, Any]:
    """Who is asking, and what is left of the quota."""
    limits = services.settings
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        counts = user_store.get_counts(connection, user.id)
    per_day = counts.jobs_per_day or limits.jobs_per_day
    quota = {
        "per_day": per_day,
        "left_today": max(per_day - counts.used_today, 0),
        "running": counts.running,
        "max_running": limits.max_running,
    }
    return {"user": user, "quota": quota}


def set_notify(services: Services, credential: Credential, notify: str) -> User:
    """Choose the notification that new jobs begin with. Raises InvalidRequest for mail where none is set up."""
    if notify == "email" and not services.sends_mail:
        raise InvalidRequest(fields=(NO_MAIL,))
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        return user_store.set_notify(connection, user.id, notify)


def create_api_token(services: Services, credential: Credential, name: str) -> tuple[UUID, datetime, str]:
    """Make an API token; return (id, created_at, the secret, which is told this once)."""
    secret = new_token()
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if user_store.count_api_tokens(connection, user.id) >= MAX_API_TOKENS:
            message = f"at most {MAX_API_TOKENS} tokens; revoke one first"
            raise InvalidRequest(fields=(FieldError("name", message, "too_many", MAX_API_TOKENS),))
        row = user_store.create_token(
            connection, user.id, token_hash(secret) or b"", kind="api", name=name, lifetime_s=None
        )
    return row.id, row.created_at, secret


def list_api_tokens(
    services: Services, credential: Credential, *, before: UUID | None, limit: int
) -> tuple[list[Row[Any]], UUID | None]:
    """A page of API tokens (id, name, created_at), newest first, with the id to go on from."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        rows = user_store.list_api_tokens(connection, user.id, before=before, limit=limit + 1)
    return page(rows, limit)


def revoke_api_token(services: Services, credential: Credential, token_id: UUID) -> None:
    """Make an API token dead. Raises NotFound."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if not user_store.delete_api_token(connection, user.id, token_id):
            raise NotFound


def _open_session(connection: Connection, user: User) -> Session:
    token = new_token()
    row = user_store.create_token(
        connection, user.id, token_hash(token) or b"", kind="session", name=None, lifetime_s=SESSION_S
    )
    return Session(user, token, row.expires_at)


def _normal_email(email: str) -> str:
    try:
        return validate_email(email, check_deliverability=False, test_environment=False).normalized.casefold()
    except EmailNotValidError:
        raise InvalidRequest(fields=(FieldError("email", "is not an e-mail address", "no_address"),)) from None


def _refuse_well_known(password: str, email: str) -> None:
    from zxcvbn import zxcvbn  # its word lists take 30 ms to load, and only a sign-up needs them

    # zxcvbn takes at most 72 characters; a longer password is judged by its beginning.
    if zxcvbn(password[:72], user_inputs=[email, *email.split("@")])["guesses"] < MIN_GUESSES:
        message = "is too easy to guess: it is well known, a sequence, or your address. Take four unusual words"
        raise InvalidRequest(fields=(FieldError("password", message, "well_known"),))


def _matches(password_hash: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("nobody has this password")
