"""Confirmed addresses: a sign-up that counts once its owner has opened a link, and the same for an older account.

Such a link is good only together with a password, so that a stranger who opens it by mistake gives their address to
no account of another person.
"""

from shared.accounts import account_mails, address_store, addresses
from shared.accounts import service as accounts
from shared.accounts import store as user_store
from shared.accounts.account_mails import Link
from shared.accounts.attempts import count_log_in, count_sign_up, new_accounts
from shared.accounts.auth import Credential, require_user
from shared.accounts.tokens import token_hash
from shared.core.errors import NO_PASSWORD, NO_RESET, AlreadyUsed, BadCredentials, InvalidRequest
from shared.core.rate_limits import Limit, take
from shared.services import Services

CONFIRMATIONS_PER_HOUR = 5
_CONFIRMATIONS = Limit("confirmation mails", CONFIRMATIONS_PER_HOUR, detail="Several mails are on their way already.")


def request_account(services: Services, email: str, language: str, network: str | None = None) -> None:
    """Send a link that creates an account for an address, or, if it has one, a mail that says so.

    Every address takes the same work here; whether it has an account is looked up when the mail is sent. language: that
    of the mail and of the account; network: as for `service.sign_up`.

    Raises:
        InvalidRequest: The address is not valid.
        RateLimited: There were too many attempts from this network.
        Capacity: The site has as many sign-ups as it takes in an hour.
        NotOffered: This site has no local accounts.
    """
    accounts.require_local_accounts(services)
    count_sign_up(services, network)
    address = accounts.normalise_email(email)
    with services.db.begin() as connection:
        account_mails.add(connection, "signup", address, language=language)
        take(connection, new_accounts(services), "")  # last: everybody's row is locked until the transaction ends


def request_confirmation(services: Services, credential: Credential) -> None:
    """Send a link that confirms the address of the user's account, unless it is confirmed.

    Raises:
        InvalidRequest: This site sends no mail.
        RateLimited: There were too many for this account.
    """
    if not services.sends_mail:
        raise InvalidRequest(fields=(NO_RESET,))
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        if not user.confirmed:
            take(connection, _CONFIRMATIONS, str(user.id))
            account_mails.add(connection, "confirmation", user.email, user.id)


def confirm(services: Services, token: str, password: str | None = None) -> None:
    """Do what a link was sent for: create an account, confirm the address of one, or give it another.

    password: of a new account the one that it gets, of one whose address is confirmed its own.

    Raises:
        AlreadyUsed: The link was used, is too old, or never existed.
        InvalidRequest: The link needs a password, or that is easy to guess.
        BadCredentials: It is not the account's password.
        RateLimited: There were too many attempts with this account's password.
        EmailTaken: Another account has the address.
        NotOffered: The link is that of a sign-up, and this site has no local accounts any more.
    """
    link_hash = token_hash(token) or b""
    with services.db.statement() as connection:
        link = account_mails.find_link(connection, link_hash, "email", "signup", "confirm")
    if link is None:
        raise AlreadyUsed
    if link.kind == "email":
        addresses.change(services, link_hash)
    elif password is None:
        raise InvalidRequest(fields=(NO_PASSWORD,))
    elif link.kind == "signup":
        _create_account(services, link_hash, link, password)
    else:
        _confirm_account(services, link_hash, link, password)


def _create_account(services: Services, link_hash: bytes, link: Link, password: str) -> None:
    accounts.require_local_accounts(services)  # a link outlives the setting by up to a day
    password_hash = accounts.hash_new_password(password, link.email)  # before the connection is taken: it takes long
    with services.db.begin() as connection:
        # First: of two at a time, the second waits here until the address is taken.
        user_store.create(connection, link.email, password_hash, link.language, confirmed=True)
        if account_mails.find_link(connection, link_hash, "signup") is None:
            raise AlreadyUsed
        account_mails.delete_sign_ups(connection, link.email)


def _confirm_account(services: Services, link_hash: bytes, link: Link, password: str) -> None:
    count_log_in(services, link.email)
    with services.db.statement() as connection:
        found = user_store.find_by_email(connection, link.email)
    if found is None or not accounts.is_password_of(found, password):
        raise BadCredentials("The password is wrong.")
    with services.db.begin() as connection:
        user_store.lock(connection, found.user.id)
        if not user_store.keeps_password(connection, found.user.id, found.password_hash):
            raise BadCredentials("The password is wrong.")  # it was replaced meanwhile
        if account_mails.find_link(connection, link_hash, "confirm") is None:
            raise AlreadyUsed
        account_mails.delete_links(connection, found.user.id)
        address_store.set_confirmed(connection, found.user.id)
