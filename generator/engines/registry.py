"""The engines by name."""

import re
from collections.abc import Callable
from importlib import import_module

from generator.engines.base import Engine


def _painter() -> Engine:
    from easel_painter import Painter

    return Painter()


# An engine is imported only when it is chosen: another one may need libraries that are not installed.
ENGINES: dict[str, Callable[[], Engine]] = {"painter": _painter}

_ELSEWHERE = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_]\w*)")


class NoSuchEngine(Exception):
    """There is no engine of that name, or it cannot be loaded here; the message says which."""


def load_engine(name: str) -> Engine:
    """The engine of that name, or the one that `package.module:Class` makes. Raises NoSuchEngine and whatever the
    engine raises."""
    return find_engine(name)()


def find_engine(name: str) -> Callable[[], Engine]:
    """What makes the engine of that name, which may take long. Raises NoSuchEngine."""
    if name in ENGINES:
        return ENGINES[name]
    elsewhere = _ELSEWHERE.fullmatch(name)
    if elsewhere is None:
        raise NoSuchEngine(f"{name} is no engine: take one of {', '.join(sorted(ENGINES))} or package.module:Class")
    try:
        make: Callable[[], Engine] = getattr(import_module(elsewhere["module"]), elsewhere["name"])
    except (ImportError, AttributeError) as error:
        raise NoSuchEngine(f"the engine {name} cannot be loaded: {error}") from error
    return make
