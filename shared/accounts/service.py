"""Account use cases: sign-up, log-in, log-out, the quota, and deleting an account."""

import time
from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection

from shared.accounts import (
    factor_store,
    freshness,
    identity_store,
    new_sessions,
    passkey_store,
    push_subscriptions,
    token_store,
)
from shared.accounts import store as user_store
from shared.accounts.attempts import count_log_in, count_sign_up, new_accounts
from shared.accounts.auth import Credential, find_caller, require_user
from shared.accounts.factor_codes import require_code
from shared.accounts.store import User, UserWithPassword
from shared.accounts.strength import is_well_known
from shared.accounts.webhook_urls import find_webhook_refusal
from shared.api.account_schemas import AccountChange
from shared.core.errors import (
    NO_MAIL,
    NO_PASSWORD,
    AccountDisabled,
    BadCredentials,
    FieldError,
    InvalidRequest,
    NotConfirmed,
    NotOffered,
    SignInAgain,
)
from shared.core.rate_limits import take
from shared.core.words import address_key, password_spellings, prepared_password
from shared.services import Services

# OWASP's smallest recommended setting for Argon2id, 19 MiB each. Functions call what hashes in a bounded pool.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A user who has just signed in, with the session token."""

    user: User
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """How many jobs a user may submit in a day and how many of those are left, how many run and how many may run."""

    per_day: int
    left_today: int
    running: int
    max_running: int


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """A user with their quota, in how many browsers they are notified, and whether log-in needs a code."""

    user: User
    quota: Quota
    push_browsers: int
    second_factor: bool


def sign_up(
    services: Services,
    email: str,
    password: str,
    network: str | None = None,
    device: str | None = None,
    language: str = "en",
) -> Session:
    """Create an account and sign in, on a site that does not confirm addresses.

    network: where the request comes from, None if that is not limited; device: how the list of sessions names it;
    language: that of the account's mail.

    Raises:
        InvalidRequest: The address is not valid, or the password is easy to guess.
        EmailTaken: The address has an account.
        RateLimited: There were too many attempts from this network.
        Capacity: The site has as many new accounts as it takes in an hour.
        NotOffered: This site has no local accounts.
    """
    require_local_accounts(services)
    count_sign_up(services, network)
    address = normalise_email(email)
    password_hash = hash_new_password(password, address)
    with services.db.begin() as connection:
        user = user_store.create(connection, address, password_hash, language)
        session = _open_session(services, connection, user, device)
        take(connection, new_accounts(services), "")  # last: everybody's row is locked until the transaction ends
        return session


def log_in(
    services: Services,
    email: str,
    password: str,
    network: str | None = None,
    device: str | None = None,
    code: str | None = None,
) -> Session:
    """Sign in. An unknown address takes the same work as a known one. network, device: as for `sign_up`.

    code: of the second factor, used up with it; accounts without one ignore it.

    Raises:
        CodeRequired: Both are right, but the account has a second factor and there is no code.
        RateLimited: There were too many attempts with this address, or from this network.
        BadCredentials: The address, the password or the code is wrong.
        AccountDisabled: Both are right, but an operator has disabled the account.
        NotOffered: This site has no local accounts.
    """
    require_local_accounts(services)
    try:
        address = normalise_email(email)
    except InvalidRequest:
        address = ""
    count_log_in(services, address, network)
    with services.db.statement() as connection:
        found = user_store.find_by_email(connection, address)
    password_hash = (found.password_hash if found else "") or _unusable_hash()
    spelling = _matching_spelling(password_hash, password)
    if spelling is None or found is None or not found.password_hash:
        raise BadCredentials
    user = found.user
    if user.disabled:
        raise AccountDisabled
    require_code(services, user.id, code)
    is_old = spelling != prepared_password(password) or _hasher.check_needs_rehash(password_hash)
    new_hash = _hash(password) if is_old else None  # before the connection is taken, because it takes long
    with services.db.begin() as connection:
        if not user_store.keeps_password(connection, user.id, password_hash):
            raise BadCredentials  # it was replaced meanwhile, which ends all sessions
        if new_hash is not None:
            user_store.set_password_hash(connection, user.id, new_hash)
        return _open_session(services, connection, user, device)


def log_out(services: Services, credential: Credential) -> None:
    """Revoke the token that the request sent, also that of a disabled account.

    Raises:
        NotSignedIn: The request has no valid token.
    """
    with services.db.begin() as connection:
        find_caller(connection, credential)
        token_store.delete_token(connection, credential.token_hash)


def delete_account(services: Services, credential: Credential, password: str | None) -> None:
    """Delete the account with its jobs, pictures and tokens.

    The account is gone at once. Of one with very many jobs the poller deletes what is left after two seconds.

    Raises:
        BadCredentials: The password is wrong.
        RateLimited: There were too many attempts with this account's password.
        SignInAgain: There is no password, and the sign-in at the provider is too old.
    """
    user = check_password(services, credential, password).user
    with services.db.begin() as connection:
        user_store.close(connection, user.id)
        identity_store.delete_all(connection, user.id)
        passkey_store.delete_all(connection, user.id)
    delete_rows(services, [user.id])


def require_local_accounts(services: Services) -> None:
    """Raise NotOffered if people have no passwords on this site."""
    if not services.settings.has_local_accounts:
        raise NotOffered("This site has no passwords: sign in at its provider.")


def check_password(services: Services, credential: Credential, password: str | None) -> UserWithPassword:
    """Return the user who sent the request with their password, or without it after a fresh sign-in at the provider.

    Raises:
        BadCredentials: The password is wrong.
        RateLimited: There were too many attempts with this account's password.
        InvalidRequest: The password is missing.
        SignInAgain: There is no password, and the sign-in at the provider is too old.
    """
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        found = user_store.find_by_email(connection, user.email)
        is_fresh = password is None and freshness.is_fresh(connection, credential)
    if password is None:
        if found is None or not is_fresh:
            has_password = found is not None and found.password_hash
            raise InvalidRequest(fields=(NO_PASSWORD,)) if has_password else SignInAgain()
        return found
    count_log_in(services, user.email)
    if found is None or not is_password_of(found, password):
        raise BadCredentials("The password is wrong.")
    return found


def is_password_of(user: UserWithPassword, password: str) -> bool:
    """Return whether it is the user's password, in any spelling."""
    return _matching_spelling(user.password_hash, password) is not None


def delete_rows(services: Services, closed: Collection[UUID], limit_s: float = 2.0) -> None:
    """Delete the rows of closed accounts, in small transactions, for at most about so many seconds."""
    end = time.monotonic() + limit_s
    for user_id in closed:
        left = True
        while left:
            if time.monotonic() > end:
                return
            with services.db.begin() as connection:
                left = user_store.delete_some(connection, user_id)


def get_account(services: Services, credential: Credential) -> AccountOverview:
    """Return the user with what is left of the quota, the number of their browsers, and whether log-in needs a code."""
    limits = services.settings
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        counts = user_store.get_counts(connection, user.id)
        browsers = push_subscriptions.count(connection, user.id)
        second_factor = factor_store.is_on(connection, user.id)
    per_day = counts.jobs_per_day or limits.jobs_per_day
    quota = Quota(per_day, max(per_day - counts.used_today, 0), counts.running, limits.max_running)
    return AccountOverview(user, quota, browsers, second_factor)


def change_account(services: Services, credential: Credential, change: AccountChange) -> User:
    """Set the default notification of new jobs, the language of mail, or the account's webhook.

    Raises:
        InvalidRequest: This site sends no mail, or no webhooks to this address.
        NotConfirmed: Mail is asked for, and the address is not confirmed.
    """
    if change.notify == "email" and not services.sends_mail:
        raise InvalidRequest(fields=(NO_MAIL,))
    refusal = find_webhook_refusal(services.settings, change.webhook_url or "")
    if refusal is not None:
        raise InvalidRequest(fields=(refusal,))
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if change.notify == "email" and not services.may_mail(confirmed=user.confirmed):
            raise NotConfirmed
        if change.notify is not None:
            user = user_store.set_notify(connection, user.id, change.notify)
        if change.language is not None:
            user = user_store.set_language(connection, user.id, change.language)
        if change.webhook_url is not None:
            user = user_store.set_webhook_url(connection, user.id, change.webhook_url or None)
    return user


def get_webhook_secret(services: Services, credential: Credential, *, renew: bool = False) -> str:
    """Return the secret of the user's webhooks as Standard Webhooks writes it; `renew` replaces it first."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        secret = user_store.get_webhook_secret(connection, user.id, renew=renew)
    return f"whsec_{b64encode(secret).decode()}"


def _open_session(services: Services, connection: Connection, user: User, device: str | None) -> Session:
    token, expires_at = new_sessions.open_session(services, connection, user, device)
    return Session(user, token, expires_at)


def normalise_email(email: str) -> str:
    """Return an address as accounts store theirs. Raises InvalidRequest if it is none."""
    try:
        checked = validate_email(address_key(email), check_deliverability=False, test_environment=False)
        return address_key(checked.normalized)
    except EmailNotValidError:
        raise InvalidRequest(fields=(FieldError("email", "is not an e-mail address", "no_address"),)) from None


def hash_new_password(password: str, email: str, field: str = "password") -> str:
    """Return the hash of a password that an account gets. Raises InvalidRequest if it is easy to guess.

    field: where the request has it.
    """
    _refuse_well_known(password, email, field)
    return _hash(password)


def _refuse_well_known(password: str, email: str, field: str) -> None:
    if is_well_known(prepared_password(password), email):
        message = "is too easy to guess: it is a common password, a sequence, or your address. Use four unusual words"
        raise InvalidRequest(fields=(FieldError(field, message, "well_known"),))


def _hash(password: str) -> str:
    return _hasher.hash(prepared_password(password))


def _matching_spelling(password_hash: str, password: str) -> str | None:
    """Return the spelling of the password that the hash is of, None if it is of none; only ASCII has a single one."""
    return next((spelling for spelling in password_spellings(password) if _matches(password_hash, spelling)), None)


def _matches(password_hash: str, spelling: str) -> bool:
    try:
        return _hasher.verify(password_hash, spelling)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _unusable_hash() -> str:
    return _hasher.hash("no account has this password")
