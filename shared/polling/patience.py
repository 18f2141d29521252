"""Going on after an error: whatever fails, the next sweep finds the work again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from shared.core.errors import Unavailable

_log = logging.getLogger(__name__)


@contextmanager
def patient(what: str) -> Iterator[None]:
    """Log any error of the block; `what` failed, in the log's words."""
    try:
        yield
    except Unavailable as error:
        _log.warning("%s failed and is left for the next sweep: %s", what, error.detail)
    except Exception:
        _log.exception("%s failed; the next sweep finds the work again", what)
