"""The metrics for Prometheus, served on their own port. Imported only if EASEL_METRICS_PORT is set.

Metrics of the database are read at each scrape, so every process that serves metrics reports the same ones, also after
a restart. Metrics of a process begin at 0 with each start, as Prometheus expects of counters.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate
from wsgiref.simple_server import WSGIServer

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from shared.core.clock import measure_skew_s
from shared.core.db import Database, DatabaseFault
from shared.core.errors import Unavailable
from shared.core.settings import Settings
from shared.generators.abilities import all_kinds
from shared.metrics import store as metrics_store
from shared.metrics.process import BOUNDS_S, StepBoard
from shared.metrics.store import Count
from shared.services import Services

DATABASE_TIMEOUT_S = 5.0
"""Time limit of a scrape for the database; Prometheus waits 10 s by default."""

_log = logging.getLogger(__name__)


def serve(settings: Settings, process: Collector) -> WSGIServer | None:
    """Serve the metrics of the database and of this process on EASEL_METRICS_PORT, in a thread.

    If the port is not available, it logs that and returns None, since Easel works without metrics. A process that is
    forked afterwards must close the server, so that it does not keep the port when its parent has ended.
    """
    assert settings.metrics_port is not None
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    registry.register(_Database(settings))
    registry.register(process)
    try:
        server, _ = start_http_server(settings.metrics_port, settings.host, registry)
    except OSError as error:
        where = f"port {settings.metrics_port} of {settings.host}"
        _log.warning("no metrics are served: %s is not available (%s); set EASEL_METRICS_PORT", where, error.strerror)
        return None
    return server


class Requests(Collector):
    """The gateway's metrics: requests by function, method and status."""

    def __init__(self) -> None:
        self._count = Counter(
            "easel_http_requests_total",
            "Requests answered by this process; function 'site' is what is no function, 'none' what no route took.",
            ("function", "method", "status"),
            registry=None,
        )
        self._seconds = Histogram(
            "easel_http_request_duration_seconds",
            "From a request to the end of its answer. A status that is held (?wait=) counts with the time it was held.",
            ("function",),
            buckets=BOUNDS_S,
            registry=None,
        )

    def measure(self, function: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._count.labels(function, method, str(status)).inc()
        self._seconds.labels(function).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as the library's interface demands."""
        yield from self._count.collect()
        yield from self._seconds.collect()


class Steps(Collector):
    """The metrics of the poller's processes: steps by what they did and their outcome."""

    def __init__(self, board: StepBoard) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as the library's interface demands."""
        help_text = (
            "Steps of jobs done by this worker, from claim to outcome. A fetch includes the last ask and the storing."
        )
        family = HistogramMetricFamily("easel_step_duration_seconds", help_text, labels=("step", "outcome"))
        for step, outcome, counts, seconds in self._board.read():
            family.add_metric((step, outcome), _cumulated(BOUNDS_S, counts), seconds)
        yield family


def _cumulated(bounds: Iterable[float], counts: Iterable[int]) -> list[tuple[str, float]]:
    """Return the cumulative buckets of a histogram."""
    names = [*map(str, bounds), "+Inf"]
    return list(zip(names, accumulate(counts), strict=True))


class _Reading(threading.Thread):
    """One reading of the database, in a thread, since a lost network may keep it waiting for long."""

    def __init__(self, db: Database) -> None:
        super().__init__(name="metrics", daemon=True)
        self.rows: list[Count] | None = None
        self.skew_s = 0.0
        self._db = db

    def run(self) -> None:
        """Read the metrics into `rows`; an error leaves None there."""
        try:
            with self._db.begin() as connection:
                self.skew_s = measure_skew_s(connection)
                self.rows = metrics_store.read(connection)
        except Unavailable as error:
            _log.warning("metrics without the database: %s", error.detail)
        except DatabaseFault as error:
            _log.error("metrics without the database: %s", error)


class _Database(Collector):
    """The metrics of the database. Concurrent scrapes share one reading."""

    def __init__(self, settings: Settings) -> None:
        # A separate connection: a scrape neither takes one from the requests nor waits for them.
        self._db = Services(settings.model_copy(update={"database_pool": 1})).db
        self._lock = threading.Lock()
        self._reading: _Reading | None = None

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, as the library's interface demands."""
        reading = self._read()
        rows = reading.rows
        yield _gauge("easel_database_up", "Whether the database answered this scrape.", 0 if rows is None else 1)
        if rows is not None:
            ahead = "Seconds by which the database's clock is ahead of this machine's."
            yield _gauge("easel_clock_skew_seconds", ahead, reading.skew_s)
            yield from _families(rows)

    def _read(self) -> _Reading:
        with self._lock:
            if self._reading is None or not self._reading.is_alive():
                self._reading = _Reading(self._db)
                self._reading.start()
            reading = self._reading
        reading.join(DATABASE_TIMEOUT_S)
        return reading


def _families(rows: list[Count]) -> Iterator[Metric]:
    """Yield every metric of the database, from the rows of `metrics_store.read`."""
    counts: dict[str, dict[str, float]] = defaultdict(dict)
    amounts: dict[str, dict[str, float]] = defaultdict(dict)
    for name, label, number, amount in rows:
        counts[name][label] = number
        amounts[name][label] = amount

    def total(name: str) -> float:
        return sum(counts[name].values())

    yield from _queue(counts, amounts)
    ended = "Jobs that ended, ever: deleted ones too, and one that was put back each time that it ended."
    outcomes = {outcome: total(outcome) for outcome in ("succeeded", "failed", "cancelled")}
    yield _counter("easel_jobs_finished", ended, outcomes, "outcome")
    yield _counter(
        "easel_job_failures", "Jobs that failed, by the code of their error.", counts["failed"], "error_code"
    )
    yield _counter("easel_job_attempts", "Attempts that ended jobs took at generators.", total("attempts"))
    yield _counter("easel_job_crashes", "Workers that died under jobs that ended.", total("crashes"))
    bounds = metrics_store.JOB_BOUNDS_S
    duration = HistogramMetricFamily("easel_job_duration_seconds", "From submit to success, of all that succeeded.")
    in_buckets = [int(counts["succeeded"].get(str(bound), 0)) for bound in (*bounds, "+Inf")]
    duration.add_metric((), _cumulated(bounds, in_buckets), sum(amounts["succeeded"].values()))
    yield duration
    bytes_stored, bytes_deleted = sum(amounts["stored"].values()), sum(amounts["deleted"].values())
    yield _counter("easel_stored_pictures", "Pictures ever stored.", total("stored"))
    yield _counter("easel_stored_picture_bytes", "Bytes of the pictures ever stored, without thumbnails.", bytes_stored)
    yield _gauge("easel_pictures", "Pictures that jobs have now.", total("stored") - total("deleted"))
    yield _gauge("easel_picture_bytes", "Bytes of these pictures, without thumbnails.", bytes_stored - bytes_deleted)
    yield _gauge("easel_users", "Accounts now.", total("users"))
    yield _gauge("easel_waiting_mails", "Mails about finished jobs that are still to be sent.", total("mails"))
    yield _gauge("easel_waiting_garbage", "Prefixes in the storage that are still to be deleted.", total("garbage"))
    yield _gauge("easel_open_reports", "Reports of visitors that are not decided yet.", total("reports"))


def _queue(counts: dict[str, dict[str, float]], amounts: dict[str, dict[str, float]]) -> Iterator[Metric]:
    """Yield the metrics of waiting and running jobs and of the generators."""
    queued = dict.fromkeys(all_kinds(), 0.0) | counts["queued"]
    yield _gauge("easel_queued_jobs", "Queued jobs, by the protocols that can make them.", queued, "protocols")
    oldest = max(amounts["queued"].values(), default=0)
    yield _gauge(
        "easel_oldest_queued_job_age_seconds",
        "Seconds since the oldest queued job was submitted; 0 if none waits.",
        oldest,
    )
    generating = counts["generating"]
    yield _gauge("easel_generating_jobs", "Jobs that have a place at a generator.", sum(generating.values()))
    for since in amounts["swept"].values():
        yield _gauge("easel_last_sweep_age_seconds", "Seconds since a worker last swept for due work.", since)
    up, places = counts["generator"], amounts["generator"]
    in_flight = {name: generating.get(name, 0) for name in up}
    yield _gauge("easel_generator_up", "Whether a generator takes jobs: 0 since a call failed.", up, "generator")
    yield _gauge("easel_generator_in_flight", "Jobs that have a place at it.", in_flight, "generator")
    yield _gauge("easel_generator_places", "Jobs that it may hold at once.", places, "generator")
    refused = "Jobs that it did not accept although it is well: a wrong password, a redirect, or no room."
    yield _counter("easel_generator_refusals", refused, counts["refusals"], "generator")


def _gauge(name: str, help_text: str, value: float | dict[str, float], label: str | None = None) -> Metric:
    return _filled(GaugeMetricFamily(name, help_text, labels=(label,) if label else ()), value)


def _counter(name: str, help_text: str, value: float | dict[str, float], label: str | None = None) -> Metric:
    return _filled(CounterMetricFamily(name, help_text, labels=(label,) if label else ()), value)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, value: float | dict[str, float]) -> Metric:
    for label, one in sorted(value.items()) if isinstance(value, dict) else [(None, value)]:
        family.add_metric((label,) if label is not None else (), one)
    return family
