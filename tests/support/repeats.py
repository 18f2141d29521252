"""Cases that only repeat another one: `make test` leaves them out, `make test-all` does not."""

from typing import Any

import pytest


def repeats(*values: Any) -> list[Any]:
    """Return values of a parameter with which a test repeats what another value shows, each at some cost."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]
