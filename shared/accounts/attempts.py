"""How often a caller may try to log in and sign up. It is counted before a password costs anything."""

from shared.core.errors import Capacity
from shared.core.rate_limits import Limit, take
from shared.services import Services

_DETAIL = "Too many attempts to log in. Try again later."


def count_log_in(services: Services, address: str, network: str | None = None) -> None:
    """Count an attempt with the password of an account, from a network unless that is None.

    Whether the password is right plays no part, nor whether there is such an account.

    Raises:
        RateLimited: There were too many of this account, or from this network.
    """
    limits = services.settings
    with services.db.statement() as connection:
        if network is not None:
            take(connection, Limit("log-in by network", limits.logins_per_address, detail=_DETAIL), network)
        if address:
            take(connection, Limit("log-in by account", limits.logins_per_account, detail=_DETAIL), address)


def count_sign_up(services: Services, network: str | None) -> None:
    """Count an attempt to sign up, from a network unless that is None.

    Raises:
        RateLimited: There were too many from this network.
    """
    if network is None:
        return
    with services.db.statement() as connection:
        take(connection, Limit("sign-up by network", services.settings.signups_per_address), network)


def new_accounts(services: Services) -> Limit:
    """Return the limit on new accounts of the site, of which each is taken in the transaction that makes it."""
    detail = "This site takes no more new accounts at the moment. Try again later."
    return Limit("accounts", services.settings.max_accounts_per_hour, error=Capacity, detail=detail)
