"""What a process makes of its settings before the first request."""

from shared.services import Services
from tests.support.world import with_settings


def test_a_prepared_process_has_what_a_submit_needs_and_asked_nobody(services: Services) -> None:
    nowhere = "127.0.0.1:9"
    prepared = with_settings(
        services, database_url=f"postgresql+psycopg2://{nowhere}/easel", broker_url=f"redis://{nowhere}/0"
    )
    made = {"db", "models", "celery", "wake_ups"}
    assert made.isdisjoint(vars(prepared))
    prepared.prepare()
    assert made <= set(vars(prepared))
