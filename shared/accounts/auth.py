"""Who is asking. Apart from `accounts`, because most functions need this and nothing else of it."""

from dataclasses import dataclass

from sqlalchemy import Connection

from shared.accounts import store as user_store
from shared.accounts.store import User
from shared.core.errors import AccountDisabled, BadToken, NotSignedIn

SESSION_S = 30 * 24 * 3600


@dataclass(frozen=True)
class Credential:
    """What a request brought to say who is asking: whether it sent a token, and the hash of what may be one."""

    sent: bool
    token_hash: bytes | None


def require_user(connection: Connection, credential: Credential) -> User:
    """The user who is asking. Raises NotSignedIn without a token, BadToken with one that is not valid, AccountDisabled
    where the operators have disabled the account."""
    user = find_holder(connection, credential)
    if user.disabled:
        raise AccountDisabled
    return user


def find_holder(connection: Connection, credential: Credential) -> User:
    """The user whose token was sent, whether or not their account is disabled. Raises NotSignedIn, BadToken."""
    if not credential.sent:
        raise NotSignedIn
    user = user_store.find_by_token(connection, credential.token_hash) if credential.token_hash else None
    if user is None:
        raise BadToken
    return user
