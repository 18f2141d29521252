"""The keys by which push services know this site (VAPID, RFC 8292), kept in the database as webhooks' secrets are."""

from shared.notify import push_store
from shared.notify.push_store import PushKeys
from shared.services import Services


def ensure(services: Services) -> PushKeys:
    """Return the site's keys; the first call of all processes makes them.

    They stay: with other keys every browser would have to subscribe again.
    """
    with services.db.statement() as connection:
        found = push_store.find_keys(connection)
    if found is None:
        from webpush.vapid import VAPID  # only here and for sending, and it takes 100 ms

        made = PushKeys(*VAPID.generate_keys())
        with services.db.begin() as connection:
            found = push_store.keep_keys(connection, made)
    return found
