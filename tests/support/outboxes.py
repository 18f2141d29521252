"""Whether an outbox has something due, as the worker's rounds see it."""

from collections.abc import Sequence

from shared.notify.outbox_rows import Outbox
from shared.polling.rounds import Round, take
from shared.services import Services


def are_due(services: Services, outboxes: Sequence[Outbox]) -> bool:
    """Return whether a round of these outboxes would begin now."""
    with services.db.statement() as connection:
        return bool(take(connection, [Round("in a test", 0, lambda: None, tuple(outboxes))]))
