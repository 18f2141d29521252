"""Celery's scheduler in memory, with one line a minute about a broker that does not take messages."""

import logging
from time import monotonic
from typing import Any

from celery.beat import ScheduleEntry, Scheduler, SchedulingError

from shared.clients.broker import reason

REPEAT_S = 60.0

_log = logging.getLogger(__name__)


class PatientScheduler(Scheduler):
    """Goes on whatever the broker answers. Celery would log a stack for each message, several times a second."""

    _warned_at: float | None = None
    """When a refusal was last logged, by time.monotonic; None while messages are sent."""

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:  # noqa: ANN401 # Celery's
        """Send a task that is due; a message that is lost is replaced by the next one."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            now = monotonic()
            if self._warned_at is None or now - self._warned_at >= REPEAT_S:
                _log.warning("no message sent: the broker %s", reason(error))
                self._warned_at = now
        else:
            if self._warned_at is not None:
                _log.info("the broker takes messages again")
            self._warned_at = None
