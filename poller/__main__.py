"""`python -m poller worker [--concurrency 2]`."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import celery.apps.worker
from billiard.process import current_process
from celery import Celery, signals

from poller.app import create_app, end_within
from shared.clients.broker import check_mode
from shared.core import log
from shared.core.settings import SettingsError
from shared.metrics.process import StepBoard
from shared.polling.pump import AT_ONCE, MOST_AT_ONCE, STOP_S
from shared.services import Services

_log = logging.getLogger(__name__)


def main() -> None:
    """Run a worker until a signal; SIGTERM lets running steps end first."""
    parser = argparse.ArgumentParser(prog="python -m poller", description="Moves jobs through the generators.")
    parser.add_argument("part", choices=("worker",))
    parser.add_argument("--concurrency", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"jobs in hand of each process ({AT_ONCE})")
    parser.add_argument("--heartbeat", type=Path, metavar="FILE", help="a file to touch as a sign of life (none)")
    arguments = parser.parse_args()
    if not 1 <= arguments.at_once <= MOST_AT_ONCE:
        parser.error(f"--at-once must be 1 to {MOST_AT_ONCE}")
    alive = arguments.heartbeat.touch if arguments.heartbeat else None
    try:
        services = Services.from_environment()
        log.configure(services.settings.log_level)
        app = _measured_app(services, arguments.concurrency, arguments.at_once, alive)
        check_mode(app)
    except SettingsError as error:
        sys.exit(f"easel poller: {error}")
    # A child that is frozen, or a broker that no longer answers, would hold up the end. Children end with this process.
    signals.worker_shutting_down.connect(lambda **_: end_within(STOP_S + 4), weak=False)
    celery.apps.worker.safe_say = _say  # type: ignore[attr-defined]
    worker = app.Worker(
        pool="prefork",
        concurrency=arguments.concurrency,
        without_mingle=True,
        without_gossip=True,
        quiet=True,
        # kombu's event loop speaks to SQS through pycurl, a C library; its blocking loop does with boto3.
        use_eventloop=False if services.settings.broker_url.startswith("sqs") else None,
    )
    worker.start()
    sys.exit(worker.exitcode)


def _say(message: str, *_: object) -> None:
    """Log what Celery would print without a logger: that it is shutting down."""
    _log.info(message.strip())


def _measured_app(services: Services, processes: int, at_once: int, alive: Callable[[], object] | None) -> Celery:
    """Return the worker's app; this process, the pool's parent, serves its metrics if a port is set."""
    if services.settings.metrics_port is None:
        return create_app(services, at_once=at_once, alive=alive)
    from shared.metrics.prometheus import Steps, serve  # the metrics library, only if it is needed

    board = StepBoard(processes)
    app = create_app(services, board.measure, at_once, alive=alive)
    server = serve(services.settings, Steps(board))

    def begin_child(**_: object) -> None:
        board.use(current_process().index)  # type: ignore[attr-defined]
        if server is not None:
            server.server_close()

    signals.worker_process_init.connect(begin_child, weak=False)
    return app


if __name__ == "__main__":
    main()
