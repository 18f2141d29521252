"""`python -m bench [--against DIR] [name ...]`: run all benchmarks, or those named, and print their table."""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from bench import (
    cold_start,
    decoding,
    estimates,
    generator,
    hand_over,
    imports,
    jobs_through,
    presigning,
    previews,
    slow_partners,
    submit_latency,
    web_requests,
)
from bench.ground import Build, Ground, prepared
from bench.table import Row, markdown

AGAINST_A_BUILD = ("submit", "status", "list", "gallery", "poller", "imports")
"""The benchmarks that can compare with another build of Easel."""

BENCHMARKS: dict[str, Callable[[Ground], Iterator[Row]]] = {
    "submit": web_requests.submit,
    "status": web_requests.status,
    "list": web_requests.list_jobs,
    "gallery": web_requests.gallery,
    "submit-p99": submit_latency.submit_p99,
    "group": submit_latency.group,
    "presign": presigning.presign,
    "poller": jobs_through.poller,
    "previews": previews.previews,
    "slow-partners": slow_partners.slow_partners,
    "decode": decoding.decode,
    "estimates": estimates.estimates,
    "hand-over": hand_over.hand_over,
    "generator": generator.generator,
    "imports": imports.imports,
    "first-answer": imports.first_answer,
    "cold-start": cold_start.cold_start,
}


def main() -> None:
    """Run the benchmarks: progress goes to stderr, the table to stdout. Ctrl-C ends the run and cleans up."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Easel beside comparable software.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--against", type=Path, metavar="DIR", help="a checkout of another build to compare with")
    arguments = parser.parse_args()
    known = AGAINST_A_BUILD if arguments.against else tuple(BENCHMARKS)
    names = arguments.names or known
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no such benchmark: {unknown[0]}; choose from {', '.join(known)}")
    try:
        rival = Build.at(arguments.against) if arguments.against else None
    except FileNotFoundError as error:
        parser.error(str(error))
    signal.signal(signal.SIGTERM, _interrupt)
    rows: list[Row] = []
    try:
        with prepared(rival) as ground:
            for name in names:
                print(f"bench: {name} ...", file=sys.stderr, flush=True)
                for row in BENCHMARKS[name](ground):
                    rows.append(row)
                    print(f"bench: {_in_short(row)}", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; everything it started has stopped")
    print(markdown(rows))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _in_short(row: Row) -> str:
    ratio = "" if row.ratio is None else f", ratio {row.ratio:.2f}"
    return f"{row.name}: {row.ours:.4g} {row.unit}{ratio}{' MISSED' if row.missed else ''}"


if __name__ == "__main__":
    main()
