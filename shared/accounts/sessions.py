"""The sessions of a user: listing and ending them, and changing the password, which ends the others."""

from uuid import UUID

from shared.accounts import account_mails, session_store
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.auth import Credential, require_user
from shared.accounts.session_store import StoredSession
from shared.core.errors import BadCredentials, NotFound
from shared.core.paging import page
from shared.services import Services


def list_sessions(
    services: Services, credential: Credential, *, before: UUID | None, limit: int
) -> tuple[list[StoredSession], str | None]:
    """Return a page of the user's sessions, newest first, and the id to continue after."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        found = session_store.list_page(connection, user.id, credential.token_hash, before=before, limit=limit + 1)
    return page(found, limit)


def end_session(services: Services, credential: Credential, session_id: UUID) -> None:
    """End one session of the user, which may be the caller's own.

    Raises:
        NotFound: The user has no session with this id.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        user_store.lock(connection, user.id)  # so that two sessions that end each other take turns
        if not session_store.delete(connection, user.id, session_id):
            raise NotFound


def end_other_sessions(services: Services, credential: Credential) -> None:
    """End all sessions of the user except the caller's own. API tokens stay."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        user_store.lock(connection, user.id)
        session_store.delete_others(connection, user.id, credential.token_hash)


def change_password(services: Services, credential: Credential, password: str | None, new_password: str) -> None:
    """Replace the password and end all other sessions. API tokens stay, since the caller knows the old password.

    Raises:
        BadCredentials: The old password is wrong.
        InvalidRequest: The new one is easy to guess.
        SignInAgain: There is no old one, and the sign-in at the provider is too old.
        NotOffered: This site has no local accounts.
    """
    accounts.require_local_accounts(services)
    found = accounts.check_password(services, credential, password)
    user = found.user
    password_hash = accounts.hash_new_password(new_password, user.email, "new_password")
    with services.db.begin() as connection:
        user_store.lock(connection, user.id)
        if not user_store.keeps_password(connection, user.id, found.password_hash):
            raise BadCredentials("The password is wrong.")  # it was replaced meanwhile
        user_store.set_password_hash(connection, user.id, password_hash)
        session_store.delete_others(connection, user.id, credential.token_hash)
        account_mails.delete_links(connection, user.id)
        if services.may_mail(confirmed=user.confirmed):
            account_mails.add(connection, "password_changed", user.email, user.id)
