"""Switching an account's second factor on and off, and its recovery codes."""

from urllib.parse import urlsplit

from sqlalchemy import Connection

from shared.accounts import account_mails, factor_store
from shared.accounts.auth import Credential, require_user
from shared.accounts.factor_codes import (
    NewFactor,
    describe,
    new_recovery_codes,
    new_secret,
    recovery_hash,
    use_code,
)
from shared.accounts.factor_store import SecondFactor
from shared.accounts.service import check_password
from shared.accounts.store import User
from shared.core.errors import BadCredentials, NotFound, SecondFactorOn
from shared.services import Services


def begin(services: Services, credential: Credential, password: str) -> NewFactor:
    """Make a secret for the user's authenticator app. It counts once a code of it was sent to `confirm`.

    Raises:
        BadCredentials: The password is wrong.
        SecondFactorOn: The account has a second factor.
    """
    user = check_password(services, credential, password).user
    secret = new_secret()
    with services.db.statement() as connection:
        if not factor_store.begin(connection, user.id, secret):
            raise SecondFactorOn
    return describe(secret, user.email, urlsplit(services.settings.public_url).hostname or "")


def confirm(services: Services, credential: Credential, code: str) -> list[str]:
    """Switch the second factor on, which was begun, and return the recovery codes.

    Raises:
        NotFound: None was begun.
        SecondFactorOn: It is on already.
        BadCredentials: The code is wrong.
    """
    codes = new_recovery_codes()
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        factor = factor_store.find(connection, user.id)
        if factor is None:
            raise NotFound("No second factor was begun.")
        if factor.confirmed:
            raise SecondFactorOn
        use_code(connection, factor, code)
    with services.db.begin() as connection:
        if not factor_store.confirm(connection, factor):
            raise BadCredentials("The code is of a secret that was replaced meanwhile.")
        factor_store.replace_recovery_codes(connection, user.id, [recovery_hash(user.id, each) for each in codes])
        _notify(services, connection, "second_factor_on", user)
    return codes


def renew_recovery_codes(services: Services, credential: Credential, password: str, code: str) -> list[str]:
    """Replace the recovery codes and return the new ones. Raises what `switch_off` raises."""
    factor = _check(services, credential, password, code)[1]
    codes = new_recovery_codes()
    hashes = [recovery_hash(factor.user_id, each) for each in codes]
    with services.db.begin() as connection:
        if not factor_store.replace_recovery_codes(connection, factor.user_id, hashes):
            raise NotFound("This account has no second factor.")
    return codes


def switch_off(services: Services, credential: Credential, password: str, code: str) -> None:
    """Switch the second factor off; its recovery codes end with it.

    Raises:
        NotFound: It is not on.
        BadCredentials: The password or the code is wrong.
        RateLimited: There were too many attempts with this account's password, or too many wrong codes.
    """
    user, factor = _check(services, credential, password, code)
    with services.db.begin() as connection:
        if not factor_store.delete(connection, factor.user_id):
            raise NotFound("This account has no second factor.")
        _notify(services, connection, "second_factor_off", user)


def _check(services: Services, credential: Credential, password: str, code: str) -> tuple[User, SecondFactor]:
    user = check_password(services, credential, password).user
    with services.db.statement() as connection:
        factor = factor_store.find(connection, user.id)
        if factor is None or not factor.confirmed:
            raise NotFound("This account has no second factor.")
        use_code(connection, factor, code)
    return user, factor


def _notify(services: Services, connection: Connection, kind: account_mails.Kind, user: User) -> None:
    if services.sends_mail:
        account_mails.add(connection, kind, user.email, user.id)
