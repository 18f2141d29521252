"""The engines by name."""

from collections.abc import Callable

from generator.engines.base import Engine


def _painter() -> Engine:
    from generator.engines.painter import Painter

    return Painter()


# An engine is imported only when it is chosen: another one may need libraries that are not installed.
ENGINES: dict[str, Callable[[], Engine]] = {"painter": _painter}


def load_engine(name: str) -> Engine:
    """The engine of that name. KeyError if there is none."""
    return ENGINES[name]()
