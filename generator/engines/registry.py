"""Find engines by name.

An engine is built in, an entry point of the group `easel.engines`, or a `package.module:Class` on the path.
"""

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from generator.engines.base import Engine
from generator.engines.upscaling.upscaler import with_upscaler

ENTRY_POINT_GROUP = "easel.engines"

BUILT_IN = {"diffusion": "generator.engines.diffusion.engine:Diffusion"}
"""Engines of this package; their libraries may be missing."""

_MODULE_AND_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class NoSuchEngine(Exception):
    """The engine does not exist or cannot be imported; the message says which."""


def load_engine(name: str) -> Engine:
    """Create the engine of that name with its upscaler, which may take minutes if it loads a model.

    Raises:
        NoSuchEngine: It does not exist or cannot be imported.
        NoUpscaler: The same of the upscaler.
        Exception: Any error of the engine itself.
    """
    return with_upscaler(find_engine(name)())


def find_engine(name: str) -> Callable[[], Engine]:
    """Import the engine of that name and return its factory, without calling it.

    No other engine is imported, since it may need libraries that are not installed.

    Raises:
        NoSuchEngine: It does not exist or cannot be imported.
    """
    entry_point = _find_entry_point(name)
    try:
        factory: Callable[[], Engine] = entry_point.load()
    except (ImportError, AttributeError) as error:
        raise NoSuchEngine(f"the engine {name} cannot be loaded: {error}") from error
    return factory


def _find_entry_point(name: str) -> EntryPoint:
    installed = entry_points(group=ENTRY_POINT_GROUP)
    if name in installed.names:
        return installed[name]
    value = BUILT_IN.get(name, name)
    if _MODULE_AND_CLASS.fullmatch(value):
        return EntryPoint(name=name, value=value, group=ENTRY_POINT_GROUP)
    known = ", ".join([*sorted(installed.names | BUILT_IN.keys()), "package.module:Class"])
    raise NoSuchEngine(f"{name} is not an engine; choose one of {known}")
