"""How many requests look at photos at once: one that does takes a processor, and one that waits takes a thread."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.core.errors import Unavailable
from shared.core.turns import Turns

_TOO_MANY, _RETRY_AFTER_S = "Too many photos are being looked at.", 5


class UserTurns:
    """Turns of users, of which `at_once` are taken at the same time.

    `most` requests are here at once, with those that wait, and `most_of_user` of each user: two, since a page may have
    photos looked at while it submits them. Others are refused, because a process has few threads for all its requests.
    """

    def __init__(self, at_once: int = 2, most: int = 8, most_of_user: int = 2, wait_s: float = 10.0) -> None:
        self._turns = Turns(at_once)
        self._most, self._most_of_user, self._wait_s = most, most_of_user, wait_s
        self._lock = threading.Lock()
        self._here: Counter[UUID] = Counter()

    @contextmanager
    def turn(self, user_id: UUID) -> Iterator[None]:
        """Wait for a turn of this user, which ends with the block.

        Raises:
            Unavailable: Too many are waiting, or none became free in time.
        """
        self._enter(user_id)
        try:
            with self._turns.turn(self._wait_s, _TOO_MANY, retry_after_s=_RETRY_AFTER_S):
                yield
        finally:
            self._leave(user_id)

    def _enter(self, user_id: UUID) -> None:
        with self._lock:
            if self._here.total() >= self._most or self._here[user_id] >= self._most_of_user:
                raise Unavailable(_TOO_MANY, retry_after_s=_RETRY_AFTER_S)
            self._here[user_id] += 1

    def _leave(self, user_id: UUID) -> None:
        with self._lock:
            self._here[user_id] -= 1
            self._here += Counter()  # forgets who is not here any more


turns = UserTurns()
"""Those of this process."""
