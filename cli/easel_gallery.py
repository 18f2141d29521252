"""`easel gallery`: look at what is published and what is reported, and decide about it."""

import argparse
from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any

from cli import arguments
from cli.exits import Exit
from cli.listing import add_json, print_json
from cli.printable import beginning, printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy import Row

    from shared.admin.gallery import Decision
    from shared.services import Services

SEED = """\
Queues about ten example pictures through the ordinary pipeline; the gallery shows each as soon as it is done. They
belong to an account into which nobody can log in. Doing it again queues nothing, even where some were removed.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("gallery", help="published pictures and reports about them", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    arguments.add_command(commands, "seed", _seed, "queue example pictures", SEED)
    for name, listing, words in (
        ("list", _list, "the latest published jobs"),
        ("reports", _reports, "jobs with open reports, the longest waiting first"),
    ):
        listed = arguments.add_command(commands, name, listing, words)
        arguments.add_limit(listed, "jobs")
        add_json(listed)
    for name, decision, words in (
        ("remove", _remove, "take a job out of the gallery for good; its picture links die"),
        ("restore", _restore, "undo remove; the reports stay closed"),
        ("dismiss", _dismiss, "close a job's reports and leave the job as it is"),
    ):
        decided = arguments.add_command(commands, name, decision, words)
        decided.add_argument("job_id", type=arguments.job_id, metavar="JOB_ID", help="as list and reports print it")


def _seed(services: "Services", _options: argparse.Namespace) -> int:
    from shared.gallery.service import seed_examples

    queued = seed_examples(services)
    print(
        f"{queued} example pictures are queued." if queued else "The examples were queued before; nothing has changed."
    )
    return Exit.DONE


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery as moderation

    rows = moderation.list_shown(services, limit=options.limit)
    if options.json:
        print_json({"job_id": row.id, "published_at": row.published_at, "prompt": row.prompt} for row in rows)
        return Exit.DONE
    for row in rows:
        print(f"{row.id}  {row.published_at.astimezone(UTC):%Y-%m-%d %H:%M}  {beginning(row.prompt)}")
    if not rows:
        print("Nothing is published.")
    return Exit.DONE


def _reports(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery as moderation

    rows = moderation.list_reported(services, limit=options.limit)
    if options.json:
        print_json(_report(row, services.settings.public_url) for row in rows)
        return Exit.DONE
    for row in rows:
        reasons = Counter(reason for _, reason, _ in row.reports).most_common()
        counted = ", ".join(f"{reason} {count}" for reason, count in reasons)
        word = "report" if len(row.reports) == 1 else "reports"
        print(f"{row.id}  {len(row.reports)} {word} ({counted})")
        print(f"    {beginning(row.prompt)}")
        # The picture itself: this link works whether the job is still shown or not.
        print(f"    {services.settings.public_url}/i/{row.image_id}")
        if not row.shown:
            print("    Its owner has taken it back; the links of its pictures still work.")
        for at, reason, detail in row.reports:
            print(f"    {at}  {reason}{': ' if detail else ''}{printable(detail)}")
    if not rows:
        print("No report is open.")
    return Exit.DONE


def _report(row: "Row[Any]", public_url: str) -> dict[str, Any]:
    return {
        "job_id": row.id,
        "prompt": row.prompt,
        "link": f"{public_url}/i/{row.image_id}",
        "shown": row.shown,
        "reports": [{"at": at, "reason": reason, "detail": detail} for at, reason, detail in row.reports],
    }


def _remove(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery as moderation

    decision = _decided(moderation.take_down, services, options.job_id)
    if decision.changed:
        minutes = -(-services.settings.url_ttl_s // 60)
        print(
            f"{options.job_id} is out of the gallery, its owner cannot publish it again, and the /i/ links of its "
            f"pictures are dead. Addresses of the storage that were handed out before work for {minutes} minutes more."
        )
    else:
        print(f"{options.job_id} was removed before; nothing has changed.")
    _tell_closed(decision)
    return Exit.DONE


def _restore(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery as moderation

    if _decided(moderation.restore, services, options.job_id).changed:
        print(
            f"{options.job_id} is restored: the links of its pictures work again, and it stands in the gallery where "
            "it stood, unless its owner has taken it back."
        )
    else:
        print(f"{options.job_id} was not removed; nothing has changed.")
    return Exit.DONE


def _dismiss(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import gallery as moderation

    decision = _decided(moderation.dismiss, services, options.job_id)
    print(f"{options.job_id} stays as it is.")
    _tell_closed(decision)
    return Exit.DONE


def _decided(decide: "Callable[[Services, UUID], Decision]", services: "Services", job_id: "UUID") -> "Decision":
    from shared.core.errors import NotFound

    try:
        return decide(services, job_id)
    except NotFound:
        raise arguments.no_job(job_id) from None


def _tell_closed(decision: "Decision") -> None:
    closed = {0: "No report was open.", 1: "One report is closed."}
    print(closed.get(decision.closed, f"{decision.closed} reports are closed."))
