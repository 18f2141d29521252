"""What the database knows of the generators: how many jobs each may hold, and which is to be left alone until when."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from shared.generators.abilities import all_kinds
from shared.generators.base import GeneratorAddress
from shared.jobs.reasons import NO_ABLE_GENERATOR, NO_GENERATOR, Reason


def register(connection: Connection, addresses: Sequence[GeneratorAddress]) -> None:
    """Make the table hold the configured generators; what it knows of their health stays."""
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


def list_rooms(connection: Connection, names: Sequence[str]) -> list[Row[Any]]:
    """Those of these generators that are well, and how many more jobs each may hold (name, protocol, room). Only the
    dispatcher asks.

    Room is counted, not kept: a count cannot drift.
    """
    query = text("""
        SELECT g.name, g.protocol, g.max_in_flight
            - (SELECT count(*) FROM jobs j WHERE j.state = 'generating' AND j.generator = g.name) AS room
        FROM generators g WHERE g.failures = 0 AND g.name = ANY(:names) ORDER BY g.name
    """)
    return list(connection.execute(query, {"names": list(names)}))


def claim_probes(connection: Connection) -> list[str]:
    """Names of failed generators that may be asked now whether they are back; nobody else asks them meanwhile.

    The 40 s outlast the longest health call: one that hangs holds up one worker, not all of them.
    """
    query = text("""
        UPDATE generators SET retry_at = clock_timestamp() + interval '40 s'
        WHERE failures > 0 AND retry_at <= clock_timestamp() RETURNING name
    """)
    return list(connection.execute(query).scalars())


def note_success(connection: Connection, name: str) -> None:
    """A generator answered: it is well."""
    query = text(
        "UPDATE generators SET failures = 0, retry_at = NULL, last_error = NULL WHERE name = :name AND failures > 0"
    )
    connection.execute(query, {"name": name})


def note_failure(connection: Connection, name: str, reason: str, *, probed: bool = False) -> None:
    """A generator failed: leave it alone for half a second, and after each probe that fails twice as long, up to a
    minute. However many jobs meet one outage, it counts once."""
    query = text("""
        UPDATE generators SET failures = failures + 1, last_error = :reason,
            retry_at = clock_timestamp() + make_interval(secs => least(60, power(2, least(failures, 10)) / 2))
        WHERE name = :name AND (failures = 0 OR :probed)
    """)
    connection.execute(query, {"name": name, "reason": reason, "probed": probed})


def list_reasons_for_waiting(connection: Connection) -> Iterator[tuple[Reason, list[str]]]:
    """Why jobs cannot start now, each reason with the kinds of jobs that it holds up (see
    `abilities.able`). Kinds that some healthy generator can make, though all of these may be full, are not told."""
    rows = connection.execute(
        text("SELECT protocol, last_error, failures FROM generators ORDER BY failures DESC")
    ).all()
    if not rows:
        yield NO_GENERATOR, list(all_kinds())
        return
    for kind in all_kinds():
        fit = [row for row in rows if row.protocol in kind.split(",")]
        if not fit:
            yield NO_ABLE_GENERATOR, [kind]
        elif all(row.failures for row in fit):
            yield Reason("no_healthy_generator", f"No generator can take jobs now: {fit[0].last_error}"), [kind]
