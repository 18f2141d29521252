"""The models of the generators as the poller found them, for processes that never call a generator."""

import time
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from shared.core.db import Database, DatabaseFault
from shared.core.errors import Unavailable
from shared.generators.base import Model

KEPT_S = 10.0


@dataclass
class KnownModels:
    """The models, read at most every ten seconds. Threads may share it."""

    db: Database
    _found: tuple[Model | None, ...] = ()
    _until: float = field(default=float("-inf"))

    def find(self) -> tuple[Model | None, ...]:
        """Return the model of each generator, None for one that reports none; what was read last if that fails."""
        now = time.monotonic()
        if now >= self._until:
            self._until = now + KEPT_S
            with suppress(Unavailable, DatabaseFault), self.db.statement() as connection:
                self._found = read_models(connection)
        return self._found


def read_models(connection: Connection) -> tuple[Model | None, ...]:
    """Return the model of each generator in the database, by the generators' names."""
    rows = connection.execute(text("SELECT model FROM generators ORDER BY name")).scalars()
    return tuple(None if model is None else Model(**model) for model in rows)
