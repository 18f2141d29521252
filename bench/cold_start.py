"""A cold start as on Lambda: the unpacked bundle, a new interpreter, the handler's first answer."""

import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from bench.ground import ROOT, Ground
from bench.imports import event
from bench.table import Row
from functions.http.manifest import manifest
from infra.bundle import build, compile_all, this_target

ROUNDS = 5
BARE = "a bare FastAPI + Mangum + psycopg2 + SQLAlchemy function"

# Lambda calls a handler in the same way.
_FIRST_ANSWER = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
answer = importlib.import_module(sys.argv[2]).handler(json.loads(sys.argv[3]), None)
assert answer["statusCode"] == int(sys.argv[4]), answer
"""

# First events that have a body, or whose expected status is not 200 (or 404 for a random id).
_BODIES: dict[str, dict[str, Any]] = {
    "submit": {"prompt": "a lighthouse at night"},
    "upload": {"content_type": "image/png", "size": 1000},
    "login": {"email": "nobody@example.com", "password": "seven green lanterns drift"},
    "tokens": {"name": "bench"},
    "report": {"reason": "other"},
}
_STATUSES = {"submit": 202, "upload": 201, "signup": 201, "login": 401, "logout": 204, "tokens": 201}


@dataclass(frozen=True)
class _Start:
    """One function's first event, and the expected status."""

    module: str
    event: str
    status: int


def cold_start(ground: Ground) -> Iterator[Row]:
    """Measure each function beside the bare one, with and without the bundle's byte-code.

    Each round measures every function once; the first round only warms the disk cache. Nothing may be written into the
    folder, since Lambda's is read-only.
    """
    folders = {shipped: _unpacked(ground.home / f"task-{shipped}", bytecode=shipped) for shipped in (True, False)}
    names = list(dict.fromkeys(route["name"] for route in manifest()))
    found: dict[tuple[str, bool], list[float]] = {}
    before = {shipped: _files(folder) for shipped, folder in folders.items()}
    for turn in range(ROUNDS + 1):
        for name in ("", *names):
            for shipped, folder in folders.items():
                took_s = _seconds(ground, folder, _bare() if not name else _first(ground, name))
                if turn:
                    found.setdefault((name, shipped), []).append(took_s * 1000)
    if before != {shipped: _files(folder) for shipped, folder in folders.items()}:
        raise RuntimeError("a cold start wrote into its folder")
    ground.clear_jobs()
    took_ms = {which: median(times) for which, times in found.items()}
    for name in names:
        yield Row(f"cold start of {name}", "ms", took_ms[name, True], took_ms["", True], BARE)
    for name in names:
        without = took_ms[name, False]
        yield Row(f"cold start of {name} without byte-code", "ms", without, took_ms[name, True], "with byte-code")
    yield Row("cold start of the bare function without byte-code", "ms", took_ms["", False], took_ms["", True], "with")


def _unpacked(folder: Path, *, bytecode: bool) -> Path:
    bundle = build(this_target(), folder.with_suffix(".zip"), bytecode=bytecode)
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(folder)
    shutil.copy(ROOT / "bench" / "bare_function.py", folder)
    if bytecode:
        compile_all(Path(sys.executable), folder, folder / "bare_function.py")
    return folder


def _files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def _bare() -> _Start:
    return _Start("bare_function", event("GET", "/notes/1", ""), 200)


def _first(ground: Ground, name: str) -> _Start:
    [(_, token)] = ground.users(1)
    route = next(route for route in manifest() if route["name"] == name)
    path = route["path"]
    for parameter in ("job_id", "image_id", "token_id"):
        path = path.replace(f"{{{parameter}}}", str(uuid4()))
    body = _BODIES.get(name)
    if name == "signup":
        body = {"email": f"{uuid4()}@example.com", "password": "seven green lanterns drift"}
    status = _STATUSES.get(name, 404 if "{" in route["path"] else 200)
    return _Start(f"functions.{name}", event(route["method"], path, token, body), status)


def _seconds(ground: Ground, folder: Path, start: _Start) -> float:
    """Return the run time in seconds of a process that has only the folder on its path."""
    argv = [sys.executable, "-I", "-S", "-B", "-c", _FIRST_ANSWER]
    argv += [str(folder), start.module, start.event, str(start.status)]
    begin = time.perf_counter()
    done = subprocess.run(argv, env=ground.env, cwd=folder, check=False, capture_output=True, timeout=120)
    took_s = time.perf_counter() - begin
    if done.returncode != 0:
        raise RuntimeError(f"the cold start of {start.module} failed:\n{json.dumps(done.stderr.decode())[-2000:]}")
    return took_s
