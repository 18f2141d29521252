"""MiniStack as the tests run it, configured by its own variables: `python lambda_server.py`.

Two things are changed. Functions run in the interpreter without this environment's packages, so that they have only
their bundle's; and MiniStack does not wait 50 ms after each call for lines of a log, which it emulates too.
"""

import sys

from ministack.app import main
from ministack.core.lambda_runtime import Worker

sys.executable = sys._base_executable  # type: ignore[attr-defined]
Worker._drain_stderr_bounded = Worker._drain_stderr
main()
