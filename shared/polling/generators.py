"""The generators in the database: how many jobs each may hold, and which failed and is paused until when."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.generators.abilities import TRAINING, all_kinds, offers
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Model, loading_message
from shared.jobs.reasons import NO_ABLE_GENERATOR, NO_GENERATOR, Reason

PROBE_LEASE_S = 40.0
"""Longer than the longest health call: one that hangs blocks one worker, not all of them."""

LOADING_PROBE_S = 1.0
"""How often a generator is asked whether its model is loaded."""

LOOK_S = 60.0
"""How often one that is well is asked for its model, if its protocol has that."""


TRAININGS = 1
"""How many trainings a generator gets at once, beside its pictures: it runs one at a time."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many more jobs a healthy generator whose model is loaded may hold, of some kinds.

    `offers` is its protocol, and the extended kinds of pictures that it makes; or only TRAINING, for which it has
    others. `timelapses`: it may get jobs with a time-lapse, as it makes frames, or no generator does.
    """

    name: str
    offers: tuple[str, ...]
    free: int
    timelapses: bool = True


def register(connection: Connection, addresses: Sequence[GeneratorAddress]) -> None:
    """Make the table list the configured generators; their recorded health is kept.

    Each statement locks one generator, so the caller must not be in a transaction.
    """
    for address in addresses:
        connection.execute(
            text("""
                INSERT INTO generators (name, protocol, max_in_flight) VALUES (:name, :protocol, :places)
                ON CONFLICT (name) DO UPDATE SET protocol = excluded.protocol, max_in_flight = excluded.max_in_flight
                WHERE (generators.protocol, generators.max_in_flight) <> (excluded.protocol, excluded.max_in_flight)
            """),
            {"name": address.name, "protocol": address.protocol, "places": address.max_in_flight},
        )
    names = [address.name for address in addresses]
    connection.execute(text("DELETE FROM generators WHERE NOT name = ANY(:names)"), {"names": names})


def list_rooms(connection: Connection, names: Sequence[str]) -> list[Room]:
    """Return the room of the healthy ones of these generators, in order of their names; one that trains has two.

    One that loads its model is left out: its jobs wait here, where they may go to another generator.
    One that refuses every job has none until its pause is over.

    Only the dispatcher calls this. Room is counted each time, so that it cannot drift.
    """
    query = text("""
        SELECT g.name, g.protocol, coalesce(g.has_frames, true) OR NOT EXISTS (
            SELECT FROM generators o WHERE o.protocol = 'img_generator' AND coalesce(o.has_frames, true)
        ) AS timelapses, g.has_adapters, g.has_training, g.has_scenes, held.pictures, held.trainings, g.max_in_flight,
            coalesce(g.refusing_until > clock_timestamp(), false) AS refuses
        FROM generators g CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE j.protocols <> :training) AS pictures,
                count(*) FILTER (WHERE j.protocols = :training) AS trainings
            FROM jobs j WHERE j.state = 'generating' AND j.generator = g.name
        ) held
        WHERE g.failures = 0 AND g.loading_s IS NULL AND g.name = ANY(:names) ORDER BY g.name
    """)
    rooms = []
    for row in connection.execute(query, {"names": list(names), "training": TRAINING}):
        offered = offers(row.protocol, adapters=bool(row.has_adapters), scenes=bool(row.has_scenes))
        rooms.append(Room(row.name, offered, 0 if row.refuses else row.max_in_flight - row.pictures, row.timelapses))
        if row.has_training:
            rooms.append(Room(row.name, (TRAINING,), 0 if row.refuses else TRAININGS - row.trainings))
    return rooms


def claim_probes(connection: Connection) -> list[str]:
    """Return the names of generators that may be asked for their health now; no other worker asks them meanwhile.

    They have failed, are loading, or are due for another look at their model.
    """
    query = text("""
        UPDATE generators SET look_at = clock_timestamp() + make_interval(secs => :look_s),
            retry_at = CASE WHEN failures > 0 OR loading_s IS NOT NULL
                THEN clock_timestamp() + make_interval(secs => :lease_s) END
        WHERE CASE WHEN failures > 0 OR loading_s IS NOT NULL THEN retry_at <= clock_timestamp()
            ELSE protocol = 'img_generator' AND look_at <= clock_timestamp() END
        RETURNING name
    """)
    return list(connection.execute(query, {"lease_s": PROBE_LEASE_S, "look_s": LOOK_S}).scalars())


def record_success(connection: Connection, name: str) -> None:
    """Record that a generator answered, is healthy and has loaded its model."""
    query = text("""
        UPDATE generators SET failures = 0, retry_at = NULL, last_error = NULL, loading_s = NULL
        WHERE name = :name AND (failures > 0 OR loading_s IS NOT NULL)
    """)
    connection.execute(query, {"name": name})


def record_model(connection: Connection, name: str, model: Model | None) -> None:
    """Record the model that a generator reports."""
    query = text("""
        UPDATE generators SET model = CAST(:model AS jsonb)
        WHERE name = :name AND model IS DISTINCT FROM CAST(:model AS jsonb)
    """)
    connection.execute(query, {"name": name, "model": None if model is None else json.dumps(asdict(model))})


def record_extensions(connection: Connection, name: str, extensions: Collection[str]) -> None:
    """Record which of the extensions that decide about jobs' places a generator has."""
    query = text("""
        UPDATE generators SET has_frames = :frames, has_adapters = :adapters, has_training = :train, has_scenes = :scene
        WHERE name = :name AND (has_frames, has_adapters, has_training, has_scenes)
            IS DISTINCT FROM (:frames, :adapters, :train, :scene)
    """)
    has = {extension: extension in extensions for extension in ("frames", "adapters", "train", "scene")}
    connection.execute(query, has | {"name": name})


def record_loading(connection: Connection, name: str, seconds: float) -> None:
    """Record that a generator answered, and loads its model, which takes about so many seconds (0: not known).

    The first number is kept until it is loaded, so that the reason for waiting stays the same.
    """
    query = text("""
        UPDATE generators SET failures = 0, last_error = NULL, loading_s = coalesce(loading_s, :seconds),
            retry_at = clock_timestamp() + make_interval(secs => :probe_s)
        WHERE name = :name
    """)
    connection.execute(query, {"name": name, "seconds": seconds, "probe_s": LOADING_PROBE_S})


def record_failure(connection: Connection, name: str, reason: str, *, probed: bool = False) -> None:
    """Record that a generator failed: it is paused for half a second, and after each failed probe twice as long.

    The longest pause is a minute. An outage counts once, however many jobs meet it. With `probed` it counts only if the
    generator was not well before: a look at its model is no job that fails.
    """
    query = text("""
        UPDATE generators SET failures = failures + 1, last_error = :reason, loading_s = NULL,
            retry_at = clock_timestamp() + make_interval(secs => least(60, power(2, least(failures, 10)) / 2))
        WHERE name = :name AND :probed = (failures > 0 OR loading_s IS NOT NULL)
    """)
    connection.execute(query, {"name": name, "reason": reason, "probed": probed})


def record_refusal(connection: Connection, name: str, job_id: UUID, reason: str) -> None:
    """Record that a generator that is well refused a job.

    A job that is refused again and again pauses alone. When different jobs are refused and none is accepted in between,
    the generator itself gets no jobs for 2 s, and for twice as long with each more, at most a minute.
    """
    query = text("""
        UPDATE generators SET refusals = refusals + 1, last_refusal = :reason, refused_at = clock_timestamp(),
            refused_job = :job_id,
            refusals_in_row = refusals_in_row + (refused_job IS DISTINCT FROM :job_id)::int,
            refusing_until = CASE WHEN refused_job <> :job_id AND refusals_in_row > 0
                THEN clock_timestamp() + make_interval(secs => least(60, power(2, least(refusals_in_row, 10)))) END
        WHERE name = :name
    """)
    connection.execute(query, {"name": name, "job_id": job_id, "reason": reason})


def record_acceptance(connection: Connection, name: str) -> None:
    """Record that a generator accepted a job after it had refused others."""
    query = text("""
        UPDATE generators SET refusals_in_row = 0, refused_job = NULL, refusing_until = NULL
        WHERE name = :name AND refusals_in_row > 0
    """)
    connection.execute(query, {"name": name})


def list_reasons_for_waiting(connection: Connection) -> dict[str, Reason]:
    """Return why jobs cannot start now, for each kind of job that is held up.

    Kinds that a healthy generator supports, even a full one, are not included. Of several failed generators the first
    by name gives the reason, so that it changes only when that one's error does. One that is loading is named first,
    because it is the one that will take the jobs.
    """
    query = text("""
        SELECT protocol, has_adapters, has_training, has_scenes, last_error, failures, loading_s
        FROM generators ORDER BY name
    """)
    rows = connection.execute(query).all()
    if not rows:
        return dict.fromkeys(all_kinds(), NO_GENERATOR)
    reasons: dict[str, Reason] = {}
    for kind in all_kinds():
        fitting = [row for row in rows if not _offered(row).isdisjoint(kind.split(","))]
        if not fitting:
            reasons[kind] = NO_ABLE_GENERATOR
        elif all(row.failures or row.loading_s is not None for row in fitting):
            loading = [row.loading_s for row in fitting if row.loading_s is not None]
            if loading:
                reasons[kind] = Reason("generator_loading", loading_message(loading[0]))
                continue
            message = f"No generator can take jobs now: {fitting[0].last_error}"
            reasons[kind] = Reason("no_healthy_generator", message)
    return reasons


def _offered(row: Row[tuple[str, bool | None, bool | None, bool | None]]) -> set[str]:
    """Return what a generator may offer; one that was never asked may have every extension of its protocol."""
    adapters, training, scenes = (has is not False for has in (row.has_adapters, row.has_training, row.has_scenes))
    return {*offers(row.protocol, adapters=adapters, scenes=scenes, training=training)}
