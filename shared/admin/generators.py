"""What operators see of the generators: as the poller knows them, and as they answer now."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from shared.generators import connect
from shared.generators.addresses import GeneratorAddress
from shared.generators.base import ForgottenId, Generator, GeneratorError
from shared.generators.discovery import Discovery
from shared.services import Services

CONCURRENT_CALLS = 16


@dataclass(frozen=True, slots=True)
class GeneratorOverview:
    """A generator as the poller knows it. `retry_at` is when it is tried again after a failure.

    `refusals` counts jobs that it did not accept although it is well; `last_refusal` is why, in the last ten minutes.
    """

    name: str
    protocol: str
    max_in_flight: int
    failures: int
    retry_at: datetime | None
    last_error: str | None
    in_flight: int
    refusals: int
    last_refusal: str | None
    is_loading: bool


@dataclass(frozen=True, slots=True)
class GeneratorHealth:
    """A generator's answer to a health check: its engine, its model and its extensions, or the error."""

    address: GeneratorAddress
    error: str | None = None
    engine: str | None = None
    model: str | None = None
    extensions: frozenset[str] = frozenset()


_GENERATORS = text("""
SELECT g.name, g.protocol, g.max_in_flight, g.failures, g.retry_at, g.last_error,
    (SELECT count(*) FROM jobs j WHERE j.state = 'generating' AND j.generator = g.name) AS in_flight, g.refusals,
    CASE WHEN g.refused_at > clock_timestamp() - interval '10 minutes' THEN g.last_refusal END AS last_refusal,
    g.loading_s IS NOT NULL AS is_loading
FROM generators g ORDER BY g.name
""")


def list_generators(services: Services) -> list[GeneratorOverview]:
    """Return the generators as the poller knows them, by name."""
    with services.db.statement() as connection:
        return [GeneratorOverview(*row) for row in connection.execute(_GENERATORS)]


def configured_addresses(services: Services) -> tuple[GeneratorAddress, ...]:
    """Return the configured generators; several behind one host name are listed separately.

    Raises:
        SettingsError: A key that EASEL_GENERATORS names is missing.
    """
    return Discovery().expand(services.generators)


def check_generators(
    services: Services, connect: Callable[[GeneratorAddress], Generator] = connect
) -> list[GeneratorHealth]:
    """Check the health of every configured generator now, several at a time; return them in the setting's order.

    What the poller knows of them does not change.
    """

    def check(address: GeneratorAddress) -> GeneratorHealth:
        with closing(connect(address)) as client:
            try:
                health = client.health()
                if not health.extensions:
                    # A service without the health call answers nothing useful to it; every service knows this call.
                    with suppress(ForgottenId):
                        client.status("0")
            except GeneratorError as error:
                return GeneratorHealth(address, error.message)
            model = health.model.name if health.model else None
            return GeneratorHealth(address, None, health.engine, model, health.extensions)

    with ThreadPoolExecutor(CONCURRENT_CALLS, thread_name_prefix="health") as pool:
        return list(pool.map(check, configured_addresses(services)))
