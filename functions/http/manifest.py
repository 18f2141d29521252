"""The table of routes, functions/manifest.json, which also says what right of an API token each route needs."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from shared.core.rights import Right

MANIFEST = Path(__file__).parent.parent / "manifest.json"


@cache
def manifest() -> list[dict[str, Any]]:
    """Return the table of routes, the busiest first: name, method, path, timeout_s, memory_mb.

    Those that need an account have a `right`; it is None where every token will do.
    """
    routes: list[dict[str, Any]] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return routes


@cache
def _rights() -> dict[tuple[str, str], Right | None]:
    return {(route["method"], route["path"]): route["right"] for route in manifest() if "right" in route}


def needed_right(method: str, path: str) -> Right | None:
    """Return what right the route of this method and template needs, None for no particular one."""
    return _rights()[method, path]
