"""How far the database's clock, by which everything is due, is from this machine's."""

import time

from sqlalchemy import Connection

SUSPECT_S = 2.0
"""A difference of clocks that are not synchronised."""


def measure_skew_s(connection: Connection) -> float:
    """Return how many seconds the database's clock is ahead of this machine's, not counting the way of the answer."""
    before = time.time()
    there = float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())::float").scalar_one())
    return max(there - time.time(), 0.0) or min(there - before, 0.0)
