"""Celery's consumer, for which every error is one of the broker's: it pauses, connects again and goes on."""

import contextlib
import logging
import time
from typing import Any

from celery.worker.consumer import Consumer

from shared.core.log import Rarely

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 4.0
CALM_S = 30.0
"""After so long without an error the pauses begin again."""


class PatientConsumer(Consumer):
    """Outlasts every state of the broker, with a pause after each error, longer each time.

    kombu answers a broker that restarts, refuses or sends what it should not with errors of many kinds, and one that
    Celery does not take for the connection's would end the worker. Celery pauses only while it cannot connect.
    """

    _pause_s, _failed_at = 0.0, 0.0

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 # Celery's
        super().__init__(*args, **options)
        self.connection_errors = (Exception,)
        rarely = Rarely()
        logging.getLogger("celery.worker.consumer.consumer").addFilter(lambda record: rarely.allows(str(record.msg)))

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Log the error and pause."""
        super().on_connection_error_before_connected(exc)
        self._pause()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Log the error, drop the connection and pause."""
        with contextlib.suppress(Exception):  # kombu fails to close what it has closed before; it is dropped already
            super().on_connection_error_after_connected(exc)
        self._pause()

    def _pause(self) -> None:
        now = time.monotonic()
        calm = now - self._failed_at > CALM_S
        self._pause_s = FIRST_PAUSE_S if calm else min(2 * self._pause_s, LONGEST_PAUSE_S)
        time.sleep(self._pause_s)
        self._failed_at = time.monotonic()
