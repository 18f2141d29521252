"""Where the tests' tracer lets a line of Easel fail."""

from celery import Celery

from shared.clients.broker import WakeUps
from tests.support import doomed, lines


def test_an_error_before_any_line_frees_every_lock() -> None:
    failed = 0
    for at in range(1, 6):
        wake_ups, traced = WakeUps(Celery()), lines.Lines(doomed._raise, at)
        try:
            with traced.traced():
                wake_ups.flush(0)
        except doomed.Unexpected:
            failed += 1
        assert wake_ups._changed.acquire(blocking=False)
    assert failed == 3
