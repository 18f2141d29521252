"""A request authenticated just before its account was deleted gets a proper answer."""

from uuid import uuid4

import pytest

from shared.accounts import store as user_store
from shared.accounts import token_store
from shared.core.errors import NotFound, NotSignedIn
from shared.jobs import upload_store
from shared.services import Services


def test_a_session_of_a_deleted_user_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound), services.db.begin() as connection:
        token_store.create_token(connection, uuid4(), b"x" * 32, kind="session", name=None, lifetime_s=1)


def test_an_upload_of_a_deleted_user_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound), services.db.begin() as connection:
        upload_store.create(connection, uuid4(), "uploads/a.png", "image/png", 1)


def test_the_token_of_a_deleted_user_is_invalid(services: Services) -> None:
    with services.db.begin() as connection:
        with pytest.raises(NotSignedIn):
            user_store.get_counts(connection, uuid4())
        with pytest.raises(NotSignedIn):
            user_store.set_notify(connection, uuid4(), "email")
