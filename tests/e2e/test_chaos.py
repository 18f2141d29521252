"""A minute of chaos: every process of a site is killed, frozen and restarted under load, and no promise is broken."""

import tempfile
from pathlib import Path

from tests.reliability.chaos.__main__ import run

SECONDS, PAUSE_S, SEED = 45, 0.5, 17


def test_no_promise_is_broken() -> None:
    with tempfile.TemporaryDirectory(prefix="easel-chaos-") as folder:
        figures = run(Path(folder) / "home", SECONDS, PAUSE_S, SEED)
    print(figures.table())  # noqa: T201 (figures, shown with -rP)
    assert list(figures.violations) == []
    assert figures.succeeded > 0
    assert len(figures.faults) > 0
