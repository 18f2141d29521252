"""Authentication: which user a request comes from. A module by itself, since most functions need only this."""

from dataclasses import dataclass

from sqlalchemy import Connection

from shared.accounts import token_store
from shared.accounts.store import User
from shared.accounts.token_store import Caller
from shared.core.errors import AccountDisabled, NotConfirmed, NotPermitted, NotSignedIn
from shared.core.rights import Right
from shared.services import Services


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request sent to identify its user: the hash of its token. `right` is what its route needs, if any."""

    token_hash: bytes
    right: Right | None = None


def require_user(connection: Connection, credential: Credential) -> User:
    """Return the user who sent the request. Raises what `require_caller` raises."""
    return require_caller(connection, credential).user


def require_caller(connection: Connection, credential: Credential) -> Caller:
    """Return the user who sent the request, and with which token.

    Raises:
        NotSignedIn: The request has no valid token.
        AccountDisabled: An operator has disabled the account.
        NotPermitted: The token does not have the right that the route needs.
    """
    caller = find_caller(connection, credential)
    if caller.user.disabled:
        raise AccountDisabled
    require_right(caller, credential.right)
    return caller


def require_right(caller: Caller, right: Right | None) -> None:
    """Raise NotPermitted unless the caller's token has this right."""
    if right is not None and right not in caller.rights:
        raise NotPermitted(f"This API token does not have the right '{right}'.")


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


def find_caller(connection: Connection, credential: Credential) -> Caller:
    """Return whose token was sent, even if the account is disabled or the token lacks the route's right.

    Raises:
        NotSignedIn: The request has no valid token.
    """
    caller = token_store.find_caller(connection, credential.token_hash)
    if caller is None:
        raise NotSignedIn
    return caller
