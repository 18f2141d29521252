"""`python -m bench [name ...]`: run all benchmarks, or those named, and print their table."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from bench import cold_start, generator, imports, jobs_through, presigning, web_requests
from bench.ground import Ground, prepared
from bench.table import Row, markdown

BENCHMARKS: dict[str, Callable[[Ground], Iterator[Row]]] = {
    "submit": web_requests.submit,
    "status": web_requests.status,
    "list": web_requests.list_jobs,
    "presign": presigning.presign,
    "poller": jobs_through.poller,
    "generator": generator.generator,
    "imports": imports.imports,
    "first-answer": imports.first_answer,
    "cold-start": cold_start.cold_start,
}


def main() -> None:
    """Measure, telling of each row on stderr as it comes; the table goes to stdout. Ctrl-C ends it and cleans up."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Easel beside its like.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of: {', '.join(BENCHMARKS)} (default: all)")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    signal.signal(signal.SIGTERM, _interrupt)
    rows: list[Row] = []
    try:
        with prepared() as ground:
            for name in names:
                print(f"bench: {name} ...", file=sys.stderr, flush=True)
                for row in BENCHMARKS[name](ground):
                    rows.append(row)
                    print(f"bench: {_in_short(row)}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; everything it started has ended")
    print(markdown(rows))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _in_short(row: Row) -> str:
    ratio = "" if row.ratio is None else f", ratio {row.ratio:.2f}"
    return f"{row.name}: {row.ours:.4g} {row.unit}{ratio}{' MISSED' if row.missed else ''}"


if __name__ == "__main__":
    main()
