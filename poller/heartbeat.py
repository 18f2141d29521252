"""A heartbeat file of worker and beat: `python -m poller.heartbeat FILE` exits with 0 while it is fresh.

The process touches the file from the loop that does its work, so the file grows old when a worker has lost the broker
or hangs, or a beat no longer ticks; the existence of a process shows less. Checking a file costs almost nothing, while
`celery inspect ping` loads all of Celery and asks every worker through the broker each time.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery.beat import Scheduler
    from celery.bootsteps import StartStopStep

INTERVAL_S = 5.0
OLD_S = 30.0


def worker_step(file: Path) -> "type[StartStopStep]":
    """Return a step of Celery's worker that touches the file while the worker is connected and its loop runs."""
    from celery.bootsteps import StartStopStep  # the check has no use for Celery

    class Heartbeat(StartStopStep):
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def start(self, parent: Any) -> None:
            file.touch()
            self._timer = parent.timer.call_repeatedly(INTERVAL_S, file.touch)

        def stop(self, _parent: Any) -> None:
            self._timer.cancel()

    return Heartbeat


def beat_scheduler(file: Path) -> "type[Scheduler]":
    """Return a scheduler that touches the file whenever it has sent what was due."""
    from poller.patient_scheduler import PatientScheduler

    class Heartbeat(PatientScheduler):
        def tick(self, *args: Any, **options: Any) -> float:
            wait_s: float = super().tick(*args, **options)
            file.touch()
            return wait_s

    return Heartbeat


def is_fresh(file: Path) -> bool:
    """Return whether the file was touched within the last 30 s."""
    try:
        return time.time() - file.stat().st_mtime < OLD_S
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(not is_fresh(Path(sys.argv[1])))
