"""The program `easel-generator`: the service on a port."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence

import uvicorn

from generator.engine_pool import ProcessEnginePool
from generator.engines.base import BadSetting, named
from generator.engines.registry import NoSuchEngine, find_engine
from generator.engines.upscaling import upscaler
from generator.jobs import Bounds
from generator.service import TRAIN_BOUNDS, create_app


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        # Only to report what is wrong immediately; the engine itself is loaded in the workers' processes.
        getattr(find_engine(options.engine), "check", _nothing)()
        with named("EASEL_UPSCALER"):
            upscaler.check()
    except (NoSuchEngine, BadSetting) as error:
        sys.stderr.write(f"easel-generator: {error}.\n")
        return 2
    try:
        listener = socket.create_server((options.host, options.port), family=_family(options.host), backlog=1024)
    except OSError as error:
        # A failed name lookup has no errno of the operating system.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        sys.stderr.write(f"easel-generator cannot listen on {options.host} port {options.port}: {reason}.\n")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        # Before uvicorn installs its own handlers, and after its shutdown, when it restores these.
        signal.signal(number, _exit)
    with listener:
        pool = ProcessEnginePool(options.engine)
        workers = options.workers or pool.workers
        bounds = Bounds(workers=workers, max_queue=options.max_queue, job_timeout_s=options.job_timeout)
        train_bounds = Bounds(max_queue=options.max_trainings, job_timeout_s=options.training_timeout)
        try:
            app = create_app(pool, bounds, train_bounds)
        except BadSetting as error:
            sys.stderr.write(f"easel-generator: {error}.\n")
            return 2
        # With httptools, a request that offers HTTP/2 would lose its body (Java's client, `curl --http2`).
        config = uvicorn.Config(app, http="h11", log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        _Server(config, f"engine {options.engine}", app.state.queues.close).run(sockets=[listener])
    return 0


class _Server(uvicorn.Server):
    """Prints its address once it accepts connections, and ends the jobs before it shuts down."""

    def __init__(self, config: uvicorn.Config, remark: str, end_jobs: Callable[[], None]) -> None:
        super().__init__(config)
        self._remark = remark
        self._end_jobs = end_jobs

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"easel-generator listens on http://{host}:{port} ({self._remark})\n")
        sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # The server waits for open calls, and some of them wait for an image.
        self._end_jobs()
        await super().shutdown(sockets)


def _nothing() -> None:
    return


def _exit(*_: object) -> None:
    raise SystemExit(0)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="easel-generator", description="The reference generator of Easel.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_between(0, 65535), default=2020, help="0 picks a free one (%(default)s)")
    parser.add_argument(
        "--workers", type=_between(1, 64), help="jobs at a time (1, or 32 for an engine that shares its steps)"
    )
    parser.add_argument(
        "--engine", default="painter", metavar="NAME", help="an installed engine or package.module:Class (%(default)s)"
    )
    parser.add_argument(
        "--max-queue", type=_between(1, 100_000), default=100, help="requests that may wait (%(default)s)"
    )
    parser.add_argument(
        "--job-timeout", type=_between(1, 86_400), default=600, metavar="S", help="seconds for a request (%(default)s)"
    )
    parser.add_argument(
        "--max-trainings",
        type=_between(1, 1000),
        default=TRAIN_BOUNDS.max_queue,
        help="trainings that may wait (%(default)s)",
    )
    parser.add_argument(
        "--training-timeout",
        type=_between(1, 86_400),
        default=int(TRAIN_BOUNDS.job_timeout_s),
        metavar="S",
        help="seconds for a training (%(default)s)",
    )
    return parser


def _between(low: int, high: int) -> Callable[[str], int]:
    """Return a parser for a whole number within limits."""

    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}")
        return int(text)

    return number
