"""Scraping of metrics as Prometheus does it: over HTTP, with the library's parser."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sqlalchemy import text

from local.ports import free_port
from shared.metrics.prometheus import Requests, serve
from shared.services import Services
from tests.support.world import with_settings


class Scrape:
    """The metrics at one moment."""

    def __init__(self, port: int) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            self.families = list(text_string_to_metric_families(answer.read().decode()))
        self.samples = [sample for family in self.families for sample in family.samples]

    @property
    def names(self) -> set[str]:
        """Return the names of the metrics in a scrape; those of counters end with _total."""
        return {family.name + ("_total" if family.type == "counter" else "") for family in self.families}

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the samples that have these labels."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return a metric's values by the value of a label."""
        found: dict[str, float] = {}
        for sample in self.samples:
            if sample.name == name:
                found[sample.labels[label]] = found.get(sample.labels[label], 0) + sample.value
        return found


def scrape(port: int) -> Scrape | None:
    """Read the metrics; None if nothing serves them on this port."""
    try:
        return Scrape(port)
    except (urllib.error.URLError, ConnectionError):
        return None


@contextmanager
def served(services: Services, process: Collector | None = None) -> Iterator[int]:
    """Serve the metrics of this process; yield the port."""
    port = free_port()
    settings = with_settings(services, metrics_port=port).settings
    server = serve(settings, process or Requests())
    assert server is not None
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()


def check_equal_to_the_database(seen: Scrape, services: Services) -> None:
    """Compare the counts with a scan of the tables. Nothing may have been deleted, and no job put back."""

    def rows(query: str) -> dict[str, float]:
        with services.db.begin() as connection:
            return {row[0]: float(row[1]) for row in connection.execute(text(query))}

    def one(query: str) -> Any:
        with services.db.begin() as connection:
            return float(connection.execute(text(query)).scalar_one())

    ended = rows("SELECT state, count(*) FROM jobs WHERE finished_at IS NOT NULL GROUP BY state")
    nothing = dict.fromkeys(("succeeded", "failed", "cancelled"), 0.0)
    assert seen.by("easel_jobs_finished_total", "outcome") == nothing | ended
    failures = rows("SELECT error_code, count(*) FROM jobs WHERE state = 'failed' GROUP BY 1")
    assert seen.by("easel_job_failures_total", "error_code") == failures
    sums = "SELECT coalesce(sum({}), 0) FROM jobs WHERE finished_at IS NOT NULL"
    assert seen.value("easel_job_attempts_total") == one(sums.format("attempts"))
    assert seen.value("easel_job_crashes_total") == one(sums.format("crashes"))
    queued = rows("SELECT protocols, count(*) FROM jobs WHERE state = 'queued' GROUP BY 1")
    assert {kind: n for kind, n in seen.by("easel_queued_jobs", "protocols").items() if n} == queued
    assert seen.value("easel_generating_jobs") == one("SELECT count(*) FROM jobs WHERE state = 'generating'")
    succeeded = "FROM jobs WHERE state = 'succeeded'"
    assert seen.value("easel_job_duration_seconds_count") == one(f"SELECT count(*) {succeeded}")
    seconds = one(f"SELECT coalesce(sum(extract(epoch FROM finished_at - created_at)), 0) {succeeded}")
    assert abs(seen.value("easel_job_duration_seconds_sum") - seconds) < 0.001
    for name in ("easel_pictures", "easel_stored_pictures_total"):
        assert seen.value(name) == one("SELECT count(*) FROM images")
    for name in ("easel_picture_bytes", "easel_stored_picture_bytes_total"):
        assert seen.value(name) == one("SELECT coalesce(sum(size_bytes), 0) FROM images")
    for name, table in (("users", "users"), ("waiting_mails", "mails"), ("waiting_garbage", "garbage")):
        assert seen.value(f"easel_{name}") == one(f"SELECT count(*) FROM {table}")
    assert seen.value("easel_open_reports") == one("SELECT count(*) FROM reports WHERE closed_at IS NULL")
    places = rows("SELECT name, max_in_flight FROM generators")
    assert seen.by("easel_generator_places", "generator") == places
    assert seen.by("easel_generator_up", "generator") == rows("SELECT name, (failures = 0)::int FROM generators")
    flying = rows("SELECT generator, count(*) FROM jobs WHERE state = 'generating' GROUP BY 1")
    assert seen.by("easel_generator_in_flight", "generator") == dict.fromkeys(places, 0.0) | flying
