"""API tokens: making them, listing them and revoking them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.accounts import store as user_store
from shared.accounts import token_store
from shared.accounts.auth import Credential, require_caller, require_right, require_user
from shared.accounts.token_store import StoredToken
from shared.accounts.tokens import new_token, token_hash
from shared.core.errors import FieldError, InvalidRequest, NotFound
from shared.core.limits import DAY_S
from shared.core.paging import page
from shared.core.rights import RIGHTS, Right
from shared.services import Services

MAX_API_TOKENS = 100


@dataclass(frozen=True, slots=True)
class NewApiToken:
    """An API token that has just been made, with its secret, which cannot be read again."""

    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    rights: list[Right]
    token: str


def create_api_token(
    services: Services,
    credential: Credential,
    name: str,
    *,
    expires_in_days: int | None = None,
    rights: Sequence[Right] | None = None,
) -> NewApiToken:
    """Create an API token, which never expires without `expires_in_days`.

    rights: at most the caller's, which are given if this is None.

    Raises:
        InvalidRequest: The account has as many API tokens as it may have.
        NotPermitted: The caller lacks one of the rights.
    """
    secret = new_token()
    with services.db.begin() as connection:
        caller = require_caller(connection, credential)
        given = [right for right in RIGHTS if right in (caller.rights if rights is None else rights)]
        for right in given:
            require_right(caller, right)
        if token_store.count_api_tokens(connection, caller.user.id) >= MAX_API_TOKENS:
            message = f"at most {MAX_API_TOKENS} tokens; revoke one first"
            raise InvalidRequest(fields=(FieldError("name", message, "too_many", MAX_API_TOKENS),))
        stored = token_store.create_token(
            connection,
            caller.user.id,
            token_hash(secret) or b"",
            kind="api",
            name=name,
            lifetime_s=None if expires_in_days is None else expires_in_days * DAY_S,
            rights=given,
        )
    return NewApiToken(
        stored.id, name, stored.created_at, stored.expires_at, stored.last_used_at, stored.rights, secret
    )


def list_api_tokens(
    services: Services, credential: Credential, *, before: UUID | None, limit: int
) -> tuple[list[StoredToken], str | None]:
    """Return a page of the user's API tokens, newest first, and the id to continue after."""
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        tokens = token_store.list_api_tokens(connection, user.id, before=before, limit=limit + 1)
    return page(tokens, limit)


def revoke_api_token(services: Services, credential: Credential, token_id: UUID) -> None:
    """Revoke an API token. A token may revoke itself without any right.

    Raises:
        NotFound: The user has no API token with this id.
    """
    with services.db.begin() as connection:
        caller = require_caller(connection, replace(credential, right=None))
        if token_id != caller.token_id:
            require_right(caller, credential.right)
        user_store.lock(connection, caller.user.id)  # so that two tokens that revoke each other take turns
        if not token_store.delete_api_token(connection, caller.user.id, token_id):
            raise NotFound
