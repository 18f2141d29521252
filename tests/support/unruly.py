"""Wake-ups as a bad broker delivers them."""

import random
import threading

from shared.clients.broker import WakeUps

LATEST_S = 2.0


class Unruly:
    """Sends wake-ups of which a third each is lost, comes twice, or comes late and so in another order."""

    def __init__(self, wake_ups: WakeUps, seed: int) -> None:
        self._wake_ups = wake_ups
        self._random = random.Random(seed)
        self._late: list[threading.Timer] = []

    def wake(self) -> None:
        """Lose, double or delay one wake-up."""
        fate = self._random.randrange(3)
        if fate == 1:
            self._wake_ups.wake()
            self._wake_ups.wake()
        elif fate == 2:
            timer = threading.Timer(self._random.uniform(0, LATEST_S), self._wake_ups.wake)
            timer.daemon = True
            timer.start()
            self._late.append(timer)

    def close(self) -> None:
        """Send no more of those that come late."""
        for timer in self._late:
            timer.cancel()
        for timer in self._late:
            timer.join()
