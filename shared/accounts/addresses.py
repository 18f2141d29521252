"""Another address for an account. It counts once its owner has opened the link that was sent to it."""

from shared.accounts import account_mails, address_store
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.auth import Credential
from shared.core.errors import NO_RESET, AlreadyUsed, InvalidRequest
from shared.services import Services


def request_change(services: Services, credential: Credential, password: str | None, email: str) -> None:
    """Send a link to the address that an account is to have. The answer does not show whether another account has it.

    Raises:
        BadCredentials: The password is wrong.
        SignInAgain: There is no password, and the sign-in at the provider is too old.
        InvalidRequest: This site sends no mail, or the address is not valid.
    """
    if not services.sends_mail:
        raise InvalidRequest(fields=(NO_RESET,))
    address = accounts.normalise_email(email)
    user = accounts.check_password(services, credential, password).user
    with services.db.statement() as connection:
        account_mails.add(connection, "email_change", address, user.id)


def change(services: Services, link_hash: bytes) -> None:
    """Give an account the address that the link was sent to, and notify the old one.

    Raises:
        AlreadyUsed: The link was used, is too old, or never existed.
        EmailTaken: Another account has the address.
    """
    with services.db.begin() as connection:
        link = account_mails.find_link(connection, link_hash, "email")
        if link is None or link.user_id is None:
            raise AlreadyUsed
        user_store.lock(connection, link.user_id)
        if account_mails.find_link(connection, link_hash, "email") is None:
            raise AlreadyUsed  # it was used in a transaction that has just ended
        account_mails.delete_links(connection, link.user_id)
        old = address_store.set_email(connection, link.user_id, link.email)
        if services.may_mail(confirmed=old.confirmed):
            account_mails.add(connection, "email_changed", old.email, link.user_id)
