"""The identities of a user: listing them, and disconnecting one."""

from dataclasses import dataclass
from uuid import UUID

from shared.accounts import identity_store
from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_user
from shared.accounts.identity_store import StoredIdentity
from shared.core.errors import LastIdentity, NotFound
from shared.services import Services


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How a user can sign in: with a password or not, and with which identities."""

    has_password: bool
    identities: list[StoredIdentity]


def list_ways_in(services: Services, credential: Credential) -> WaysIn:
    """Return how the user can sign in."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        has_password = identity_store.has_password(connection, user.id)
        return WaysIn(has_password, identity_store.list_all(connection, user.id))


def disconnect(services: Services, credential: Credential, identity_id: UUID) -> None:
    """Disconnect an identity of the user.

    Raises:
        NotFound: The user has no identity with this id.
        LastIdentity: The user could not sign in any more.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        user_store.lock(connection, user.id)  # one at a time, so that two requests cannot disconnect the last two
        if not identity_store.delete(connection, user.id, identity_id):
            raise NotFound
        by_password = services.settings.has_local_accounts and identity_store.has_password(connection, user.id)
        if not by_password and not identity_store.list_all(connection, user.id):
            raise LastIdentity
