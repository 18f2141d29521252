"""Celery's consumer, with pauses between its attempts to connect again."""

import time

from celery.worker.consumer import Consumer

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 4.0
CALM_S = 30.0
"""After so long without an error the pauses begin again."""


class PatientConsumer(Consumer):
    """Pauses after each error of the broker, longer each time.

    Celery pauses only while it cannot connect, and not if a broker accepts connections and refuses what is sent over
    them.
    """

    _pause_s, _failed_at = 0.0, 0.0

    def on_connection_error_before_connected(self, exc: Exception) -> None:
        """Log the error and pause."""
        super().on_connection_error_before_connected(exc)
        self._pause()

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Log the error, drop the connection and pause."""
        super().on_connection_error_after_connected(exc)
        self._pause()

    def _pause(self) -> None:
        now = time.monotonic()
        calm = now - self._failed_at > CALM_S
        self._pause_s = FIRST_PAUSE_S if calm else min(2 * self._pause_s, LONGEST_PAUSE_S)
        time.sleep(self._pause_s)
        self._failed_at = time.monotonic()
