"""Passkeys: adding and removing them, and logging in with one, without an address or a password.

A passkey verifies its user (by finger, face or PIN), so it stands for both factors of a log-in.
"""

import secrets
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from shared.accounts import account_mails, new_sessions, passkey_answers, passkey_store
from shared.accounts import store as user_store
from shared.accounts.attempts import count_log_in
from shared.accounts.auth import Credential, require_user
from shared.accounts.factor_codes import require_code
from shared.accounts.passkey_answers import Answer, BadAnswer
from shared.accounts.passkey_store import PasskeyKey, StoredPasskey
from shared.accounts.service import Session, check_password, require_local_accounts
from shared.accounts.store import User
from shared.core.errors import AccountDisabled, BadCredentials, FieldError, InvalidRequest, NotFound, NotOffered
from shared.services import Services

MOST_PASSKEYS = 10
_CHALLENGE_BYTES = 32
_USELESS = FieldError("credential", "is no answer to a challenge of the last five minutes on this site")
_TOO_MANY = FieldError("passkeys", "remove one first", "too_many", MOST_PASSKEYS)


def list_passkeys(services: Services, credential: Credential) -> list[StoredPasskey]:
    """Return the user's passkeys, newest first."""
    with services.db.statement() as connection:
        return passkey_store.list_all(connection, require_user(connection, credential).id)


def begin_adding(services: Services, credential: Credential, password: str | None, code: str | None) -> dict[str, Any]:
    """Return what the browser needs to make a passkey. Whoever has the account must confirm it.

    Raises:
        NotOffered: This site has no passkeys.
        InvalidRequest: The user has as many as an account may have, or the password is missing.
        BadCredentials, CodeRequired, RateLimited, SignInAgain: As for `_confirm`.
    """
    with services.db.statement() as connection:
        require_user(connection, credential)
    domain = _require_domain(services)
    user = _confirm(services, credential, password, code)
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    with services.db.begin() as connection:
        _lock(connection, credential, user)
        present = passkey_store.list_credential_ids(connection, user.id)
        if len(present) >= MOST_PASSKEYS:
            raise InvalidRequest(fields=(_TOO_MANY,))
        passkey_store.keep_challenge(connection, challenge, user.id)
    return passkey_answers.options_for_new(domain, user, challenge, present)


def add(services: Services, credential: Credential, name: str, answer: Answer) -> StoredPasskey:
    """Add the passkey that a browser has made.

    Raises:
        NotOffered: This site has no passkeys.
        InvalidRequest: It is no answer to the user's challenge, or the user has as many as an account may have.
    """
    with services.db.statement() as connection:
        user = require_user(connection, credential)
    domain = _require_domain(services)
    try:
        challenge = passkey_answers.read_challenge(answer)
        with services.db.statement() as connection:
            if not passkey_store.use_challenge(connection, challenge, user.id):
                raise BadAnswer
        key = passkey_answers.check_new(services.settings, domain, answer, challenge)
    except BadAnswer:
        raise InvalidRequest(fields=(_USELESS,)) from None
    with services.db.begin() as connection:
        _lock(connection, credential, user)
        if len(passkey_store.list_all(connection, user.id)) >= MOST_PASSKEYS:
            raise InvalidRequest(fields=(_TOO_MANY,))
        added = passkey_store.add(connection, user.id, name, key.credential_id, key.public_key, key.sign_count)
        if added is None:
            raise InvalidRequest(fields=(_USELESS,))
        _notify(services, connection, "passkey_added", user)
    return added


def remove(
    services: Services, credential: Credential, passkey_id: UUID, password: str | None, code: str | None
) -> None:
    """Remove a passkey of the user.

    Raises:
        NotFound: The user has no passkey with this id.
        BadCredentials, CodeRequired, InvalidRequest, RateLimited, SignInAgain: As for `_confirm`.
    """
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        if passkey_id not in [one.id for one in passkey_store.list_all(connection, user.id)]:
            raise NotFound
    user = _confirm(services, credential, password, code)
    with services.db.begin() as connection:
        _lock(connection, credential, user)
        if not passkey_store.delete(connection, user.id, passkey_id):
            raise NotFound
        _notify(services, connection, "passkey_removed", user)


def begin_log_in(services: Services, network: str | None = None) -> dict[str, Any]:
    """Return what the browser needs to sign in with any passkey of this site. network: as for `service.sign_up`.

    Raises:
        NotOffered: This site has no passkeys.
        RateLimited: There were too many attempts to log in from this network, which this is one of.
    """
    domain = _require_domain(services)
    count_log_in(services, "", network)
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    with services.db.begin() as connection:
        passkey_store.keep_challenge(connection, challenge)
    return passkey_answers.options_for_log_in(domain, challenge)


def log_in(services: Services, answer: Answer, device: str | None = None) -> Session:
    """Sign in with a passkey. device: as for `service.sign_up`.

    The attempt was counted when its challenge was made, which works once.

    Raises:
        NotOffered: This site has no passkeys.
        BadCredentials: The answer proves nothing, whatever is wrong with it.
        AccountDisabled: It is right, but an operator has disabled the account.
    """
    domain = _require_domain(services)
    try:
        key, sign_count = _check(services, domain, answer)
    except BadAnswer:
        raise BadCredentials from None
    with services.db.begin() as connection:
        user = passkey_store.use(connection, key, sign_count)
        if user is None:
            raise BadCredentials
        if user.disabled:
            raise AccountDisabled
        token, expires_at = new_sessions.open_session(services, connection, user, device)
    return Session(user, token, expires_at)


def _check(services: Services, domain: str, answer: Answer) -> tuple[PasskeyKey, int]:
    """Return the passkey that has signed, and its new count. Raises BadAnswer."""
    claim = passkey_answers.read_claim(answer)
    with services.db.statement() as connection:
        is_new = passkey_store.use_challenge(connection, claim.challenge)
        key = passkey_store.find_key(connection, claim.credential_id)
    if not is_new or key is None or not passkey_answers.is_of(claim, key.user_id):
        raise BadAnswer
    return key, passkey_answers.check_signature(services.settings, domain, answer, claim.challenge, key)


def _confirm(services: Services, credential: Credential, password: str | None, code: str | None) -> User:
    """Return the user who sent the request with what a log-in needs: a passkey stands for all of it from then on.

    Raises:
        BadCredentials: The password or the code is wrong.
        CodeRequired: The account has a second factor, and there is no code.
        InvalidRequest: The password is missing.
        RateLimited: There were too many attempts with this account's password, or too many wrong codes.
        SignInAgain: There is no password, and the sign-in at the provider is too old.
    """
    user = check_password(services, credential, password).user
    require_code(services, user.id, code)
    return user


def _lock(connection: Connection, credential: Credential, user: User) -> None:
    """Let one request change a user's passkeys at a time, none of them after the end of its session."""
    user_store.lock(connection, user.id)
    require_user(connection, credential)


def _require_domain(services: Services) -> str:
    require_local_accounts(services)
    domain = passkey_answers.find_domain(services.settings)
    if domain is None:
        raise NotOffered("This site has no passkeys: its address is no name with TLS.")
    return domain


def _notify(services: Services, connection: Connection, kind: account_mails.Kind, user: User) -> None:
    if services.may_mail(confirmed=user.confirmed):
        account_mails.add(connection, kind, user.email, user.id)
