"""`easel users`: accounts, what each may do in a day, and who may come in."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cli import arguments
from cli.exits import Exit
from cli.listing import Column, add_json, in_words, print_rows

if TYPE_CHECKING:
    from shared.services import Services

MOST_JOBS_PER_DAY = 1_000_000

LIST = """\
The latest accounts, the latest first. TODAY is how many jobs count for today (UTC) of how many allowed; a * marks a
quota of one's own.
"""
QUOTA = """\
Gives an account another number of jobs a day than EASEL_JOBS_PER_DAY says, from its next job on; `default` takes that
back. What was used today stays used.
"""
WEIGHT = """\
Gives an account's next jobs another share of the generators where people wait for each other: with 2 they come twice as
often as those of somebody with 1, which everybody begins with. Jobs that wait already keep their places.
"""
DISABLE = """\
Keeps somebody out. From now on they cannot log in, and none of their sessions and tokens works: every answer is 403
account_disabled. Their waiting jobs are cancelled, those at a generator within a step; the quota is given back. The
account, its jobs and its pictures stay, and so does what is published, with its links; with --hide it is taken out of
the gallery as `gallery remove` does, and its links die.

Doing it again finishes what was broken off, and can change the reason. `users enable` lets them in again.
"""
ENABLE = """\
Undoes `disable`: the log-in, the sessions and the tokens work again. What was cancelled stays cancelled; what was taken
out of the gallery comes back with `gallery restore`, job by job.
"""

COLUMNS = (
    Column("USER", "email"),
    Column("SINCE", "created_at"),
    Column("TODAY", "today", right=True),
    Column("QUEUED", "queued", right=True),
    Column("RUNNING", "running", right=True),
    Column("WEIGHT", "weight", lambda weight: f"{weight:g}", right=True),
    Column("DISABLED", "disabled"),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("users", help="accounts: quota, weight, who may come in", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = arguments.add_command(commands, "list", _list, "the latest accounts", LIST)
    listed.add_argument("--search", type=arguments.words, metavar="TEXT", help="only addresses with this in them")
    arguments.add_limit(listed, "accounts")
    add_json(listed)
    quota = _of_account(commands, "quota", _quota, "how many jobs a day an account may make", QUOTA)
    quota.add_argument("jobs", type=_jobs_per_day, metavar="N|default", help="jobs a day")
    weight = _of_account(commands, "weight", _weight, "how large a share an account's jobs get", WEIGHT)
    weight.add_argument("weight", type=arguments.share, metavar="W", help="0.01 to 100; everybody begins with 1")
    disable = _of_account(commands, "disable", _disable, "keep somebody out, and cancel their jobs", DISABLE)
    disable.add_argument("--reason", type=arguments.words, metavar="TEXT", help="for operators; users are not told")
    disable.add_argument("--hide", action="store_true", help="also take what they published out of the gallery")
    _of_account(commands, "enable", _enable, "let somebody in again", ENABLE)


def _of_account(
    commands: Any, name: str, command: Callable[..., int], words: str, description: str
) -> argparse.ArgumentParser:
    parser = arguments.add_command(commands, name, command, words, description)
    parser.add_argument("email", type=arguments.email, metavar="EMAIL", help="the account's address")
    return parser


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts as admission

    site = services.settings.jobs_per_day
    search = options.search.casefold() if options.search else None
    rows = [
        {
            "user_id": row.id,
            "email": row.email,
            "created_at": row.created_at,
            "jobs_today": row.used_today,
            "jobs_per_day": row.jobs_per_day or site,
            "own_quota": row.jobs_per_day is not None,
            "queued": row.queued,
            "running": row.running,
            "weight": row.weight,
            "disabled_at": row.disabled_at,
            "disabled_reason": row.disabled_reason,
        }
        for row in admission.list_users(services, search=search, limit=options.limit)
    ]
    if not options.json:
        rows = [row | {"today": _today(row), "disabled": _disabled(row)} for row in rows]
    print_rows(rows, COLUMNS, as_json=options.json, otherwise="There is no such account.")
    return Exit.DONE


def _today(row: dict[str, Any]) -> str:
    return f"{row['jobs_today']} of {row['jobs_per_day']}{'*' if row['own_quota'] else ''}"


def _disabled(row: dict[str, Any]) -> str:
    if row["disabled_at"] is None:
        return "-"
    return f"{in_words(row['disabled_at'])} {row['disabled_reason'] or ''}".rstrip()


def _quota(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts as admission

    _found(admission.set_jobs_per_day, services, options.email, options.jobs)
    if options.jobs is None:
        print(f"{options.email} may make {services.settings.jobs_per_day} jobs a day again, like everybody.")
    else:
        print(f"{options.email} may make {options.jobs} jobs a day from now on.")
    return Exit.DONE


def _weight(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts as admission

    _found(admission.set_weight, services, options.email, options.weight)
    print(f"The next jobs of {options.email} have the weight {options.weight:g}.")
    return Exit.DONE


def _disable(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts as admission

    done = _found(admission.disable, services, options.email, options.reason, hide=options.hide)
    print(f"{options.email} {'was disabled before' if done.before else 'is disabled'}.")
    print(f"Waiting jobs cancelled: {done.cancelled}. Running jobs that end with their next step: {done.stopping}.")
    if options.hide:
        print(f"Jobs taken out of the gallery: {done.hidden}.")
    return Exit.DONE


def _enable(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts as admission

    if _found(admission.enable, services, options.email):
        print(f"{options.email} can log in again; their sessions and tokens work.")
    else:
        print(f"{options.email} was not disabled; nothing has changed.")
    return Exit.DONE


def _found(decide: Callable[..., Any], services: "Services", email: str, *more: Any, **options: Any) -> Any:
    """What the decision about this account answers. Raises Ended where there is no such account."""
    from shared.core.errors import NotFound

    try:
        return decide(services, email, *more, **options)
    except NotFound:
        raise arguments.no_account(email) from None


def _jobs_per_day(text: str) -> int | None:
    return None if text == "default" else arguments.whole(1, MOST_JOBS_PER_DAY)(text)
