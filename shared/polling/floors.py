"""Where the living part of the queue's indexes begins.

While any old transaction is open, Postgres keeps the index entries of jobs that have started or ended since, and a scan
from the beginning passes over all of them. So each process finds the beginning once a second, and scans from there.
What has come below it since, a job that is retried or whose worker died, is found a second later.
"""

import math
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.core.db import Database
from shared.polling.claims import UNHELD
from shared.polling.dispatch import FIRST, Place

KEPT_S = 1.0

# New jobs get no turn before that of the clock, and ids that grow with time. A second is left for transactions that
# began before this one.
_FIND = text(f"""
WITH front AS (
    (SELECT turn, id FROM jobs WHERE state = 'queued' ORDER BY turn, id LIMIT 1)
    UNION ALL SELECT turn, uuidv7(interval '-1 second') FROM queue_clock
    ORDER BY turn, id LIMIT 1
)
SELECT turn, id, least((
    SELECT next_step_at FROM jobs j WHERE state = 'generating'
        AND {UNHELD}
    ORDER BY next_step_at LIMIT 1
), now() - interval '1 second') AS due_at
FROM front
""")


@dataclass
class Floors:
    """The place of the first queued job, and the earliest time at which a job that can be claimed is due.

    `due_at` is None before the first look, which is due at once.
    """

    place: Place = FIRST
    due_at: datetime | None = None
    _looked: float = -math.inf

    def refresh(self, db: Database) -> None:
        """Find both again if they are older than a second."""
        now = time.monotonic()
        if now - self._looked < KEPT_S:
            return
        with db.statement() as connection:
            found = connection.execute(_FIND).one()
        self.place, self.due_at, self._looked = (found.turn, found.id), found.due_at, now

    def expire(self) -> None:
        """Make the next `refresh` look: a job has come into the queue with an old turn."""
        self._looked = -math.inf
