"""The worker's heartbeat file: `python -m poller.heartbeat FILE` exits with 0 while it is fresh.

Each process of the pool touches the file from the loop that looks for work, so the file grows old when all of them
hang; the existence of a process shows less. It needs no broker, since the work goes on without one. Checking a file
costs almost nothing, while `celery inspect ping` loads all of Celery each time.
"""

import sys
import time
from pathlib import Path

OLD_S = 30.0


def is_fresh(file: Path) -> bool:
    """Return whether the file was touched within the last 30 s."""
    try:
        return time.time() - file.stat().st_mtime < OLD_S
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(not is_fresh(Path(sys.argv[1])))
