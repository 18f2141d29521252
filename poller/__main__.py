"""`python -m poller worker [--concurrency 2]` and `python -m poller beat`."""

import argparse
import sys

from poller.app import create_app
from shared.services import Services
from shared.settings import SettingsError


def main() -> None:
    """Run one part of the poller until it is told to stop; SIGTERM lets running steps end first."""
    parser = argparse.ArgumentParser(prog="python -m poller", description="Moves jobs through the generators.")
    parser.add_argument("part", choices=("worker", "beat"))
    parser.add_argument("--concurrency", type=int, default=2, help="worker processes (2)")
    arguments = parser.parse_args()
    try:
        services = Services.from_environment()
        app = create_app(services)
    except SettingsError as error:
        sys.exit(f"easel poller: {error}")
    if arguments.part == "worker":
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
    else:
        # In memory: a sweep of every second needs no record of the last one, and a file could be shared by two beats.
        app.Beat(scheduler_cls="celery.beat:Scheduler", quiet=True).run()


if __name__ == "__main__":
    main()
