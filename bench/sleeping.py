"""A Celery task to compare the poller with: it stays with its job, polls once a second and sleeps in between.

`python -m bench.sleeping` runs its workers, in two processes. Generator, storage and database are Easel's.
"""

import base64
import time
from functools import cache

import requests
from celery import Celery
from sqlalchemy import Engine, create_engine, text

from shared.core.settings import Settings
from shared.services import Services

QUEUE = "sleeping"
PAINT = "sleeping.paint"
POLL_S = 1.0
WORKERS = 2
MAKE_TABLE = """
CREATE TABLE IF NOT EXISTS paintings (
    id uuid PRIMARY KEY DEFAULT uuidv7(), key text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), finished_at timestamptz
)
"""


def create_app(settings: Settings) -> Celery:
    """Create a Celery app as in its manual: one task, one queue."""
    app = Celery("sleeping", broker=settings.broker_url, set_as_current=False)
    app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, worker_hijack_root_logger=False)
    services = Services(settings)
    generator = settings.generators.removeprefix("img_generator+").partition("?")[0]

    @cache
    def engine() -> Engine:
        return create_engine(settings.database_url)

    @app.task(name=PAINT)
    def paint(painting_id: str, side_px: int) -> None:
        fields = {"prompt": "a lighthouse at night", "ups": 1, "n": 1, "width": side_px, "height": side_px}
        number = _post(f"{generator}/initiate_processing", fields)
        while True:
            time.sleep(POLL_S)
            if _post(f"{generator}/check_status", {"id": number}) == "finished":
                break
        results = _post(f"{generator}/get_results", {"id": number})
        assert isinstance(results, dict)
        key = f"paintings/{painting_id}.png"
        services.storage.put(key, base64.b64decode(results["imgs"][0]), "image/png")
        with engine().begin() as connection:
            connection.execute(
                text("UPDATE paintings SET key = :key, finished_at = clock_timestamp() WHERE id = :id"),
                {"id": painting_id, "key": key},
            )

    return app


def _post(url: str, fields: dict[str, object]) -> object:
    answer = requests.post(url, json=fields, timeout=30)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    create_app(Settings.from_environment()).Worker(
        pool="prefork", concurrency=WORKERS, without_mingle=True, without_gossip=True, quiet=True
    ).start()
