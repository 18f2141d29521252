"""A broker of the stage's own, with the faults of a Redis that is well reached."""

from collections.abc import Callable
from dataclasses import dataclass

import redis

from tests.support.own_redis import REFUSALS, OwnRedis, count_errors

FLUSHED, RESTARTED, KILLED = "flushed", "restarted", "killed"


@dataclass
class Broker:
    """A Redis, a client with a direct connection, and what makes it work again after a fault."""

    server: OwnRedis
    client: redis.Redis
    recover: Callable[[], object] | None = None

    def fail(self, fault: str) -> None:
        """Begin a fault: lose all messages, end, or refuse with an error of this code."""
        if fault == FLUSHED:
            self.client.flushall()
        elif fault == RESTARTED:
            self.server.restart()
        elif fault == KILLED:
            self.server.kill()
            self.recover = self.server.start
        else:
            self.recover = REFUSALS[fault](self.client)

    def refusals(self, fault: str) -> int:
        """Return how often it has refused with this fault's error."""
        return count_errors(self.client, fault) if fault in REFUSALS else 0

    def heal(self) -> None:
        """End the fault."""
        if self.recover is not None:
            self.recover()
            self.recover = None
