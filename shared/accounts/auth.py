"""Authentication: which user a request comes from. A module by itself, since most functions need only this."""

from dataclasses import dataclass

from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.accounts.store import User
from shared.core.errors import AccountDisabled, NotConfirmed, NotSignedIn
from shared.services import Services


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request sent to identify its user: the hash of its token."""

    token_hash: bytes


def require_user(connection: Connection, credential: Credential) -> User:
    """Return the user who sent the request.

    Raises:
        NotSignedIn: The request has no valid token.
        AccountDisabled: An operator has disabled the account.
    """
    user = require_token_owner(connection, credential)
    if user.disabled:
        raise AccountDisabled
    return user


def require_mail(services: Services, credential: Credential) -> None:
    """Check that a site that sends mail sends it to the user who sent the request.

    Raises:
        NotConfirmed: The site confirms addresses, and the user's is not confirmed.
    """
    if not services.settings.confirms_addresses:
        return
    with services.db.statement() as connection:
        if not require_user(connection, credential).confirmed:
            raise NotConfirmed


def require_token_owner(connection: Connection, credential: Credential) -> User:
    """Return the user whose token was sent, even if the account is disabled.

    Raises:
        NotSignedIn: The request has no valid token.
    """
    user = user_store.find_by_token(connection, credential.token_hash)
    if user is None:
        raise NotSignedIn
    return user
