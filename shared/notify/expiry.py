"""Giving up the messages that could not be sent for a day."""

import logging

from shared.notify import delivery_errors, outbox_rows
from shared.notify.delivery_errors import Kind
from shared.notify.outbox_rows import Outbox
from shared.services import Services

GIVEN_UP_AT_ONCE = 500

_OUTBOXES: tuple[tuple[Kind, Outbox], ...] = (
    ("mail", "mails"),
    ("mail", "group_mails"),
    ("mail", "account_mails"),
    ("webhook", "webhooks"),
    ("push", "pushes"),
)

_log = logging.getLogger(__name__)


def give_up_old(services: Services) -> None:
    """Drop and count mails, webhooks and pushes that could not be sent for a day, at most GIVEN_UP_AT_ONCE of each."""
    for kind, outbox in _OUTBOXES:
        with services.db.begin() as connection:
            dropped = outbox_rows.drop_old(connection, outbox, GIVEN_UP_AT_ONCE)
            if dropped:
                delivery_errors.record(connection, kind, f"{kind}_expired", failures=0, given_up=len(dropped))
        for row_id in dropped:
            what = {"group_mails": "group", "account_mails": "request"}.get(outbox, "job")
            _log.warning("a %s is given up after a day: that of %s %s", kind, what, row_id)
