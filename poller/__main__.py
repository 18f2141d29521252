"""`python -m poller worker [--concurrency 2]` and `python -m poller beat`."""

import argparse
import sys
from pathlib import Path

from poller import pulse
from poller.app import create_app
from shared.services import Services
from shared.settings import SettingsError


def main() -> None:
    """Run one part of the poller until it is told to stop; SIGTERM lets running steps end first."""
    parser = argparse.ArgumentParser(prog="python -m poller", description="Moves jobs through the generators.")
    parser.add_argument("part", choices=("worker", "beat"))
    parser.add_argument("--concurrency", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--pulse", type=Path, metavar="FILE", help="a file to touch as a sign of life (none)")
    arguments = parser.parse_args()
    try:
        services = Services.from_environment()
        app = create_app(services)
    except SettingsError as error:
        sys.exit(f"easel poller: {error}")
    if arguments.part == "worker":
        if arguments.pulse:
            app.steps["consumer"].add(pulse.worker_step(arguments.pulse))
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
        scheduler = pulse.beat_scheduler(arguments.pulse) if arguments.pulse else "celery.beat:Scheduler"
        app.Beat(scheduler_cls=scheduler, quiet=True).run()  # type: ignore[arg-type] # a class will do


if __name__ == "__main__":
    main()
