"""The sweep: what every worker does about once a second, so that no job depends on a message."""

import time
from concurrent.futures import wait
from uuid import UUID

from sqlalchemy import Connection, text

from shared.generators.base import GeneratorError
from shared.jobs import depth
from shared.polling import dispatch, generator_errors, wait_reasons
from shared.polling import generators as generator_store
from shared.polling.claims import UNHELD
from shared.polling.client_pool import ClientPool
from shared.services import Services

DUE_AT_ONCE = 100
PROBES_WAIT_S = 1.0
"""How long a sweep waits for the generators that it asks."""
OVERDUE_S = 0.5
"""How late a step is before the sweep takes it for forgotten; until then its own message may still come."""


def sweep(services: Services, pool: ClientPool) -> list[UUID]:
    """Find jobs whose step is due without a worker, and start queued jobs; return the ids of both."""
    with services.db.statement() as connection:
        generator_store.register(connection, pool.list_addresses())
    pool.forget_removed()
    _probe(services, pool)
    with services.db.statement() as connection:
        due = list_due(connection, DUE_AT_ONCE)
    started = dispatch.start(services, pool.count_ignored(), avoided=pool.latency.list_avoided())
    wait_reasons.update(services)
    with services.db.statement() as connection:
        record_sweep(connection)
        depth.fold(connection)
    return due + started


def _probe(services: Services, pool: ClientPool) -> None:
    """Ask failed generators whose pause is over whether they work again, so that no job is risked on it.

    Those that load their models are asked, too, whether they are done, and the others now and then for their models.
    They are asked side by side. What has not answered soon is written down when it does; the sweep goes on.
    """
    with services.db.statement() as connection:
        names = generator_store.claim_probes(connection)
    probes = [pool.probes.submit(_ask, services, pool, name) for name in names]
    for probe in wait(probes, PROBES_WAIT_S).done:
        probe.result()


def _ask(services: Services, pool: ClientPool, name: str) -> None:
    """Ask one generator for its health, and write it down."""
    found = pool.find(name)
    if found is None:
        return
    began = time.monotonic()
    try:
        health = found[0].health()
    except GeneratorError as error:
        with services.db.statement() as connection:
            generator_store.record_failure(connection, name, error.message, probed=True)
            generator_errors.record(connection, {(name, error.code): 1})
        return
    pool.latency.record(name, time.monotonic() - began)
    with services.db.statement() as connection:
        if health.loading_s is not None:
            generator_store.record_loading(connection, name, health.loading_s)
        else:
            generator_store.record_success(connection, name)
            generator_store.record_model(connection, name, health.model)
            generator_store.record_extensions(connection, name, health.extensions)


def list_due(connection: Connection, limit: int) -> list[UUID]:
    """Return generating jobs whose step is overdue without a worker, or whose worker died."""
    query = text(f"""
        SELECT id FROM jobs j WHERE state = 'generating'
            AND next_step_at < clock_timestamp() - make_interval(secs => :overdue_s)
            AND {UNHELD}
        ORDER BY next_step_at LIMIT :limit
    """)
    return list(connection.execute(query, {"limit": limit, "overdue_s": OVERDUE_S}).scalars())


def record_sweep(connection: Connection) -> None:
    """Record that a worker has just swept."""
    connection.execute(text("UPDATE queue_clock SET swept_at = clock_timestamp()"))
