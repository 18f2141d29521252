"""`easel reports`: reports of published pictures, and what is decided about them."""

import argparse
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from cli import arguments
from cli.easel_gallery import NO_PICTURE, add_reason, count_reports, print_closed, take_down
from cli.exit_codes import ExitCode
from cli.output import add_json, print_json
from cli.terminal_text import printable, shorten

if TYPE_CHECKING:
    from shared.admin.gallery import ReportedJob
    from shared.services import Services

OUTCOMES = {
    "dismissed": "dismissed",
    "taken_down": "taken down",
    "deleted": "its owner deleted it",
    None: "closed",
}


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("reports", help="reports of published pictures", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    summary = "list jobs with open reports: those with the most first, then the newest"
    lister = arguments.add_command(commands, "list", _list, summary)
    arguments.add_limit(lister, "jobs")
    add_json(lister)
    for name, command, summary in (
        ("show", _show, "show all reports of a job, also those that are closed"),
        ("dismiss", _dismiss, "close a job's reports and leave the job as it is"),
        ("takedown", _take_down, "take the job down and close its reports"),
    ):
        one = arguments.add_command(commands, name, command, summary)
        one.add_argument("job_id", type=arguments.job_id, metavar="JOB_ID", help="as list prints it")
        if command is _show:
            add_json(one)
        if command is _take_down:
            add_reason(one, required=False)


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    jobs = gallery.list_reported(services, limit=options.limit)
    if options.json:
        print_json(_as_json(job) for job in jobs)
        return ExitCode.DONE
    for job in jobs:
        _print(job)
    if not jobs:
        print("No report is open.")
    return ExitCode.DONE


def _show(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    with arguments.known_job(options.job_id):
        job = gallery.get_reported(services, options.job_id)
    if options.json:
        print_json([_as_json(job)])
    else:
        _print(job)
    return ExitCode.DONE


def _print(job: "ReportedJob") -> None:
    counts = Counter(report.reason for report in job.reports).most_common()
    summary = ", ".join(f"{reason} {count}" for reason, count in counts)
    print(f"{job.id}  {count_reports(len(job.reports))}{f' ({summary})' if summary else ''}")
    if job.prompt is None:
        print("    Its owner has deleted it.")
    else:
        print(f"    {shorten(job.prompt)}")
        # This link to the picture works whether the job is still in the gallery or not, until it is taken down.
        print(f"    {job.link or NO_PICTURE}")
        if not job.shown:
            print("    It is not in the gallery. If its owner has taken it back, the links of its pictures still work.")
    for report in job.reports:
        detail = f"{': ' if report.detail else ''}{printable(report.detail)}"
        ended = f"  [{OUTCOMES[report.outcome]} {report.closed_at}]" if report.closed_at else ""
        print(f"    {report.at}  {report.reason}{detail}{ended}")


def _as_json(job: "ReportedJob") -> dict[str, object]:
    return {
        "job_id": job.id,
        "prompt": job.prompt,
        "link": job.link,
        "shown": job.shown,
        "reports": [asdict(report) for report in job.reports],
    }


def _dismiss(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    with arguments.known_job(options.job_id):
        decision = gallery.dismiss(services, options.job_id)
    print(f"{options.job_id} stays as it is.")
    print_closed(decision)
    return ExitCode.DONE


def _take_down(services: "Services", options: argparse.Namespace) -> int:
    return take_down(services, options.job_id, options.reason)
