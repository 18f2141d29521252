"""`easel errors`: failed jobs, mails, webhooks and generators in one place, counted by code."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import ExitCode
from cli.output import Column, add_json, print_json, print_table

if TYPE_CHECKING:
    from shared.admin.error_counts import ErrorCount
    from shared.services import Services

LIST = """\
Jobs that failed in the last days, attempts at mails, webhooks and pushes that failed, and what generators failed: steps
of jobs, most of which are tried again, and health checks. GIVEN UP counts what will not be tried again. Deleted jobs
are not counted; the others are for 90 days.
"""

COLUMNS: tuple[Column["ErrorCount"], ...] = (
    Column("KIND", lambda count: count.kind),
    Column("CODE", lambda count: count.code),
    Column("FAILURES", lambda count: count.failures, right=True),
    Column("GIVEN UP", lambda count: count.given_up, right=True),
    Column("LAST", lambda count: count.last_at),
    Column("DETAIL", lambda count: count.detail),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    parser = arguments.add_command(groups, "errors", _list, "count what failed lately, by code", LIST)
    parser.add_argument("--days", type=arguments.integer(1, 90), default=7, metavar="N", help="1 to 90 (7)")
    add_json(parser)


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import error_counts

    counts = error_counts.count_errors(services, options.days)
    if options.json:
        print_json(asdict(count) for count in counts)
    else:
        print_table(counts, COLUMNS, if_empty=f"Nothing failed in the last {options.days} days.")
    return ExitCode.DONE
