"""`easel gallery`: look at what is published and what is reported, and decide about it."""

import argparse
from collections import Counter
from datetime import UTC
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cli.exits import Ended, Exit
from cli.printable import beginning, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.moderation import Decision
    from shared.services import Services

DEFAULT_LINES, MOST_LINES = 20, 1000


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("gallery", help="published pictures and reports about them", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_list(commands, "list", _list, "the latest published jobs")
    _add_list(commands, "reports", _reports, "jobs with open reports, the longest waiting first")
    _add_decision(commands, "remove", _remove, "take a job out of the gallery for good; its picture links die")
    _add_decision(commands, "restore", _restore, "undo remove; the reports stay closed")
    _add_decision(commands, "dismiss", _dismiss, "close a job's reports and leave the job as it is")


def _add_list(commands: Any, name: str, command: "Callable[..., int]", words: str) -> None:
    parser = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
    parser.add_argument("--limit", type=_lines, default=DEFAULT_LINES, metavar="N", help="jobs (%(default)s)")
    parser.set_defaults(command=command)


def _add_decision(commands: Any, name: str, command: "Callable[..., int]", words: str) -> None:
    parser = commands.add_parser(name, help=words, description=words, allow_abbrev=False)
    parser.add_argument("job_id", type=_job_id, metavar="JOB_ID", help="as list and reports print it")
    parser.set_defaults(command=command)


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared import moderation

    rows = moderation.list_shown(services, limit=options.limit)
    for row in rows:
        print(f"{row.id}  {row.published_at.astimezone(UTC):%Y-%m-%d %H:%M}  {beginning(row.prompt)}")
    if not rows:
        print("Nothing is published.")
    return Exit.DONE


def _reports(services: "Services", options: argparse.Namespace) -> int:
    from shared import moderation

    rows = moderation.list_reported(services, limit=options.limit)
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


def _remove(services: "Services", options: argparse.Namespace) -> int:
    from shared import moderation

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
    from shared import moderation

    if _decided(moderation.restore, services, options.job_id).changed:
        print(
            f"{options.job_id} is restored: the links of its pictures work again, and it stands in the gallery where "
            "it stood, unless its owner has taken it back."
        )
    else:
        print(f"{options.job_id} was not removed; nothing has changed.")
    return Exit.DONE


def _dismiss(services: "Services", options: argparse.Namespace) -> int:
    from shared import moderation

    decision = _decided(moderation.dismiss, services, options.job_id)
    print(f"{options.job_id} stays as it is.")
    _tell_closed(decision)
    return Exit.DONE


def _decided(decide: "Callable[[Services, UUID], Decision]", services: "Services", job_id: UUID) -> "Decision":
    from shared.errors import NotFound

    try:
        return decide(services, job_id)
    except NotFound:
        raise Ended(Exit.FAILED, f"There is no job {job_id}; perhaps its owner has deleted it.") from None


def _tell_closed(decision: "Decision") -> None:
    closed = {0: "No report was open.", 1: "One report is closed."}
    print(closed.get(decision.closed, f"{decision.closed} reports are closed."))


def _lines(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= MOST_LINES):
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {MOST_LINES}")
    return int(text)


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not the id of a job") from None
