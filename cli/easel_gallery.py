"""`easel gallery`: list published and reported jobs, and decide about them."""

import argparse
from collections import Counter
from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode
from cli.output import add_json, print_json
from cli.terminal_text import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from shared.admin.gallery import Decision, ReportedJob
    from shared.services import Services

SEED = """\
Submits about ten example pictures as ordinary jobs; the gallery shows each as soon as it is done. They belong to an
account that cannot log in. Running it again submits nothing, even if some were removed.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("gallery", help="published pictures and reports about them", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    arguments.add_command(commands, "seed", _seed, "submit example pictures", SEED)
    for name, command, summary in (
        ("list", _list, "list the latest published jobs"),
        ("reports", _reports, "list jobs with open reports, the longest waiting first"),
    ):
        lister = arguments.add_command(commands, name, command, summary)
        arguments.add_limit(lister, "jobs")
        add_json(lister)
    for name, command, summary in (
        ("remove", _remove, "take a job out of the gallery and disable its picture links"),
        ("restore", _restore, "undo remove; the reports stay closed"),
        ("dismiss", _dismiss, "close a job's reports and leave the job as it is"),
    ):
        decider = arguments.add_command(commands, name, command, summary)
        decider.add_argument("job_id", type=arguments.job_id, metavar="JOB_ID", help="as list and reports print it")


def _seed(services: "Services", _options: argparse.Namespace) -> int:
    from shared.admin.examples import seed_examples

    count = seed_examples(services)
    print(f"{count} example pictures are queued." if count else "The examples were queued before; nothing has changed.")
    return ExitCode.DONE


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    jobs = gallery.list_published(services, limit=options.limit)
    if options.json:
        print_json({"job_id": job.id, "published_at": job.published_at, "prompt": job.prompt} for job in jobs)
        return ExitCode.DONE
    for job in jobs:
        print(f"{job.id}  {job.published_at.astimezone(UTC):%Y-%m-%d %H:%M}  {shorten(job.prompt)}")
    if not jobs:
        print("Nothing is published.")
    return ExitCode.DONE


def _reports(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    jobs = gallery.list_reported(services, limit=options.limit)
    if options.json:
        print_json(_as_json(job, services.settings.public_url) for job in jobs)
        return ExitCode.DONE
    for job in jobs:
        _print_reported(job, services.settings.public_url)
    if not jobs:
        print("No report is open.")
    return ExitCode.DONE


def _print_reported(job: "ReportedJob", public_url: str) -> None:
    counts = Counter(report.reason for report in job.reports).most_common()
    summary = ", ".join(f"{reason} {count}" for reason, count in counts)
    print(f"{job.id}  {len(job.reports)} {'report' if len(job.reports) == 1 else 'reports'} ({summary})")
    print(f"    {shorten(job.prompt)}")
    # This link to the picture works whether the job is still in the gallery or not.
    print(f"    {public_url}/i/{job.image_id}")
    if not job.shown:
        print("    Its owner has taken it back; the links of its pictures still work.")
    for report in job.reports:
        print(f"    {report.at}  {report.reason}{': ' if report.detail else ''}{printable(report.detail)}")


def _as_json(job: "ReportedJob", public_url: str) -> dict[str, object]:
    return {
        "job_id": job.id,
        "prompt": job.prompt,
        "link": f"{public_url}/i/{job.image_id}",
        "shown": job.shown,
        "reports": [asdict(report) for report in job.reports],
    }


def _remove(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    decision = _decide(gallery.take_down, services, options.job_id)
    if decision.changed:
        minutes = -(-services.settings.url_ttl_s // 60)
        print(
            f"{options.job_id} is out of the gallery, its owner cannot publish it again, and the /i/ links of its "
            f"pictures no longer work. Presigned URLs issued before work for {minutes} minutes more."
        )
    else:
        print(f"{options.job_id} was removed before; nothing has changed.")
    _print_closed(decision)
    return ExitCode.DONE


def _restore(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    if _decide(gallery.restore, services, options.job_id).changed:
        print(
            f"{options.job_id} is restored: the links of its pictures work again, and it is in the gallery where it "
            "was, unless its owner has taken it back."
        )
    else:
        print(f"{options.job_id} was not removed; nothing has changed.")
    return ExitCode.DONE


def _dismiss(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    decision = _decide(gallery.dismiss, services, options.job_id)
    print(f"{options.job_id} stays as it is.")
    _print_closed(decision)
    return ExitCode.DONE


def _decide(decide: "Callable[[Services, UUID], Decision]", services: "Services", job_id: "UUID") -> "Decision":
    from shared.core.errors import NotFound, TakenDown

    try:
        return decide(services, job_id)
    except NotFound:
        raise arguments.no_job(job_id) from None
    except TakenDown:
        message = f"The pictures of {job_id} show a likeness that was deleted; they stay out of the gallery."
        raise CommandError(ExitCode.FAILED, message) from None


def _print_closed(decision: "Decision") -> None:
    closed = {0: "No report was open.", 1: "One report is closed."}
    print(closed.get(decision.closed, f"{decision.closed} reports are closed."))
