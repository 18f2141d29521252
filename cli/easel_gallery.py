"""`easel gallery`: list published jobs and those that await a look, and decide about them."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode
from cli.output import add_json, format_value, print_json
from cli.terminal_text import printable, shorten

if TYPE_CHECKING:
    from uuid import UUID

    from shared.admin.gallery import AwaitingJob, Decision
    from shared.services import Services

WHAT_WAITS = {"waiting": "waits to be public", "listed": "is public, not looked at"}
NO_PICTURE = "It has no pictures any more."
SEED = """\
Submits about ten example pictures as ordinary jobs; the gallery shows each as soon as it is done. They belong to an
account that cannot log in. Running it again submits nothing, even if some were removed.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("gallery", help="published pictures, and those that await a look", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    arguments.add_command(commands, "seed", _seed, "submit example pictures", SEED)
    for name, command, summary in (
        ("list", _list, "list the latest published jobs"),
        ("waiting", _waiting, "list publications and appeals to decide about, the longest waiting first"),
    ):
        lister = arguments.add_command(commands, name, command, summary)
        arguments.add_limit(lister, "jobs")
        add_json(lister)
    for name, command, summary in (
        ("approve", _approve, "publish what waits, or restore what was refused or removed"),
        ("refuse", _remove, "refuse a publication or, finally, an appeal; or remove what is public"),
        ("remove", _remove, "the same"),
        ("restore", _approve, "the same as approve; the reports stay closed"),
    ):
        decider = arguments.add_command(commands, name, command, summary)
        decider.add_argument("job_id", type=arguments.job_id, metavar="JOB_ID", help="as list and waiting print it")
        if command is _remove:
            add_reason(decider, required=name == "refuse")


def add_reason(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Add the option for the reason that the pictures' owner reads."""
    text = "what the owner reads as the reason"
    parser.add_argument("--reason", type=_reason, required=required, metavar="TEXT", help=text)


def _reason(given: str) -> str:
    from shared.admin.gallery import MAX_REASON_CHARACTERS

    words = " ".join(given.split())
    if not words or len(words) > MAX_REASON_CHARACTERS or not words.isprintable():
        raise argparse.ArgumentTypeError(f"a reason is a line of 1 to {MAX_REASON_CHARACTERS} characters")
    return words


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
        print(f"{job.id}  {format_value(job.published_at)}  {shorten(job.prompt)}")
    if not jobs:
        print("Nothing is published.")
    return ExitCode.DONE


def _waiting(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery

    jobs = gallery.list_awaiting(services, limit=options.limit)
    if options.json:
        print_json(_as_json(job) for job in jobs)
        return ExitCode.DONE
    for job in jobs:
        what = "appeal" if job.appeal else WHAT_WAITS[job.review]
        count = f", {count_reports(job.open_reports)}" if job.open_reports else ""
        print(f"{job.id}  {format_value(job.since)}  {what}{count}")
        print(f"    {shorten(job.prompt)}")
        print(f"    {job.link or NO_PICTURE}")
        if job.appeal:
            print(f"    removed because: {printable(job.reason or 'no reason was given')}")
            print(f"    the owner: {printable(job.appeal)}")
    if not jobs:
        print("Nothing awaits a decision.")
    return ExitCode.DONE


def count_reports(count: int) -> str:
    """Return a number of reports in words."""
    return "1 report" if count == 1 else f"{count} reports"


def _as_json(job: "AwaitingJob") -> dict[str, object]:
    found = asdict(job)
    return {"job_id": found.pop("id"), **found}


def _remove(services: "Services", options: argparse.Namespace) -> int:
    return take_down(services, options.job_id, options.reason)


def take_down(services: "Services", job_id: "UUID", reason: str | None) -> int:
    """Take a job down and print what that did."""
    from shared.admin import gallery

    with arguments.known_job(job_id):
        decision = gallery.take_down(services, job_id, reason)
    if decision.changed:
        minutes = -(-services.settings.url_ttl_s // 60)
        print(
            f"{job_id} is out of the gallery, its owner cannot publish it again, and the /i/ links of its pictures do "
            f"not work. Presigned URLs issued before work for {minutes} minutes more."
        )
    else:
        print(f"{job_id} was removed before; nothing has changed.")
    print_closed(decision)
    return ExitCode.DONE


def _approve(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery
    from shared.core.errors import TakenDown

    try:
        with arguments.known_job(options.job_id):
            decision = gallery.approve(services, options.job_id)
    except TakenDown:
        message = f"The pictures of {options.job_id} show a likeness that was deleted; they stay out of the gallery."
        raise CommandError(ExitCode.FAILED, message) from None
    if decision.changed:
        print(
            f"{options.job_id} is approved: the links of its pictures work, and it is in the gallery, unless its owner "
            "has taken it back."
        )
    else:
        print(f"{options.job_id} neither waits nor was removed; nothing has changed.")
    return ExitCode.DONE


def print_closed(decision: "Decision") -> None:
    """Print how many reports a decision closed."""
    closed = {0: "No report was open.", 1: "One report is closed."}
    print(closed.get(decision.closed, f"{decision.closed} reports are closed."))
