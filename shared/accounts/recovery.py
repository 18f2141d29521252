"""A new password for a user who has forgotten theirs, by a link in a mail."""

from shared.accounts import (
    account_mails,
    address_store,
    identity_store,
    known_devices,
    passkey_store,
    push_subscriptions,
)
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.attempts import count_log_in
from shared.accounts.tokens import token_hash
from shared.core.errors import NO_RESET, AlreadyUsed, InvalidRequest
from shared.services import Services


def request_reset(services: Services, email: str, network: str | None = None) -> None:
    """Send a link for a new password to an address that has an account. network: as for `service.sign_up`.

    Every address takes the same work here; whether it has an account is looked up when the mail is sent.

    Raises:
        NotOffered: This site has no local accounts.
        InvalidRequest: This site sends no mail, or the address is not valid.
        RateLimited: There were too many attempts to log in from this network, which this is one of.
    """
    accounts.require_local_accounts(services)
    if not services.sends_mail:
        raise InvalidRequest(fields=(NO_RESET,))
    address = accounts.normalise_email(email)
    count_log_in(services, "", network)
    with services.db.statement() as connection:
        account_mails.add(connection, "reset", address)


def reset_password(services: Services, token: str, password: str) -> None:
    """Replace the password of the account that a link is for, and end everything that has access to it.

    Sessions and API tokens end, identities are disconnected, passkeys are removed, and browsers and the account's
    webhook are notified no more: they may belong to the person because of whom the password is replaced. For the same
    reason no device is known any more. The link also confirms the address.

    Raises:
        NotOffered: This site has no local accounts.
        AlreadyUsed: The link was used, is too old, or never existed.
        InvalidRequest: The password is easy to guess.
    """
    accounts.require_local_accounts(services)
    link_hash = token_hash(token) or b""
    with services.db.statement() as connection:
        link = account_mails.find_link(connection, link_hash, "reset")
    if link is None or link.user_id is None:
        raise AlreadyUsed
    password_hash = accounts.hash_new_password(password, link.email)  # before the connection is taken: it takes long
    with services.db.begin() as connection:
        # One at a time for an account, so that a link is used once, and no log-in with the old password comes after.
        user_store.lock(connection, link.user_id)
        if account_mails.find_link(connection, link_hash, "reset") is None:
            raise AlreadyUsed
        account_mails.delete_links(connection, link.user_id)
        user_store.set_password_hash(connection, link.user_id, password_hash)
        address_store.set_confirmed(connection, link.user_id)
        # Before the tokens: signing in with one of these makes a token.
        identity_store.delete_all(connection, link.user_id)
        passkey_store.delete_all(connection, link.user_id)
        user_store.delete_tokens(connection, link.user_id)
        known_devices.delete_all(connection, link.user_id)
        user_store.set_webhook_url(connection, link.user_id, None)
        push_subscriptions.remove_all(connection, link.user_id)
        if services.sends_mail:
            account_mails.add(connection, "password_changed", link.email, link.user_id)
