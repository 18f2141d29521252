"""What the poller found out about the generators, for processes that never call one: models and extensions."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from shared.core.db import Database, DatabaseFault
from shared.core.errors import Unavailable
from shared.generators.base import Model

KEPT_S = 10.0


@dataclass(frozen=True, slots=True)
class Known:
    """What one generator has reported: its model, and whether it has extensions, None before it was asked."""

    protocol: str
    model: Model | None
    has_frames: bool | None
    has_adapters: bool | None
    has_training: bool | None
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
        return self._may(lambda one: one.has_frames)

    def may_take_adapters(self) -> bool:
        """Return whether a generator takes adapters, or may."""
        return self._may(lambda one: one.has_adapters)

    def may_train(self) -> bool:
        """Return whether a generator trains, or may."""
        return self._may(lambda one: one.has_training)

    def may_make_scenes(self, *, adapted: bool = False) -> bool:
        """Return whether a generator paints persons into places, or may; with `adapted` one that takes adapters too."""
        return self._may(lambda one: False if adapted and one.has_adapters is False else one.has_scenes)

    def _may(self, has: Callable[[Known], bool | None]) -> bool:
        known = self._read()
        return not known or any(one.protocol == "img_generator" and has(one) is not False for one in known)

    def _read(self) -> tuple[Known, ...]:
        now = time.monotonic()
        if now >= self._until:
            self._until = now + KEPT_S
            with suppress(Unavailable, DatabaseFault), self.db.statement() as connection:
                self._found = read_known(connection)
        return self._found


def read_known(connection: Connection) -> tuple[Known, ...]:
    """Return what is known of each generator in the database, by the generators' names."""
    query = text(
        "SELECT protocol, model, has_frames, has_adapters, has_training, has_scenes FROM generators ORDER BY name"
    )
    rows = connection.execute(query)
    return tuple(Known(protocol, None if model is None else Model(**model), *has) for protocol, model, *has in rows)
