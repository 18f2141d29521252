"""What the poller found out about the generators, for processes that never call one: models, frames, scenes."""

import time
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from shared.core.db import Database, DatabaseFault
from shared.core.errors import Unavailable
from shared.generators.base import Model

KEPT_S = 10.0


@dataclass(frozen=True, slots=True)
class Known:
    """What one generator has reported: its model, whether it makes frames and scenes; None before it was asked."""

    protocol: str
    model: Model | None
    has_frames: bool | None
    has_scenes: bool | None


@dataclass
class KnownModels:
    """The models, read at most every ten seconds. Threads may share it."""

    db: Database
    _found: tuple[Known, ...] = ()
    _until: float = field(default=float("-inf"))

    def find(self) -> tuple[Model | None, ...]:
        """Return the model of each generator, None for one that reports none; what was read last if that fails."""
        return tuple(known.model for known in self._read())

    def may_make_frames(self) -> bool:
        """Return whether a generator makes frames, or may, as long as it was not asked."""
        known = self._read()
        return not known or any(one.protocol == "img_generator" and one.has_frames is not False for one in known)

    def may_make_scenes(self) -> bool:
        """Return whether a generator paints persons into places, or may, as long as it was not asked."""
        known = self._read()
        return not known or any(one.protocol == "img_generator" and one.has_scenes is not False for one in known)

    def _read(self) -> tuple[Known, ...]:
        now = time.monotonic()
        if now >= self._until:
            self._until = now + KEPT_S
            with suppress(Unavailable, DatabaseFault), self.db.statement() as connection:
                self._found = read_known(connection)
        return self._found


def read_known(connection: Connection) -> tuple[Known, ...]:
    """Return what is known of each generator in the database, by the generators' names."""
    rows = connection.execute(text("SELECT protocol, model, has_frames, has_scenes FROM generators ORDER BY name"))
    return tuple(
        Known(row.protocol, None if row.model is None else Model(**row.model), row.has_frames, row.has_scenes)
        for row in rows
    )
