"""The one-click unsubscribe of a mail."""

from shared.core.errors import NotFound
from shared.notify import store as mail_store
from shared.services import Services


def unsubscribe(services: Services, secret: bytes) -> None:
    """Send no more mail to the account with this secret.

    Raises:
        NotFound: No account has it.
    """
    with services.db.begin() as connection:
        if not mail_store.unsubscribe(connection, secret):
            raise NotFound
