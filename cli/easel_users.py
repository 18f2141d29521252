"""`easel users`: list accounts, set quota and weight, confirm an address, disable and enable, end a second factor."""

import argparse
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import ExitCode
from cli.output import Column, add_json, format_value, print_json, print_table
from shared.core.words import address_key

if TYPE_CHECKING:
    from shared.admin.accounts import UserOverview
    from shared.services import Services

MAX_JOBS_PER_DAY = 1_000_000

LIST = """\
The latest accounts, newest first. TODAY is the number of jobs that count for today (UTC) and how many are allowed; *
marks an account with its own quota.
"""
QUOTA = """\
Sets how many jobs a day an account may submit, from its next job on; `default` returns it to EASEL_JOBS_PER_DAY. Jobs
that count for today stay counted.
"""
WEIGHT = """\
Sets the weight of an account's next jobs in the fair queue: while jobs of several users wait, those with weight 2 start
twice as often as those with 1, with which every account begins. Jobs that already wait keep their places.
"""
CONFIRM = """\
Records that the address belongs to the account, as a link in a mail would. Where the site confirms addresses, only
confirmed ones get mail about jobs.
"""
DISABLE = """\
Disables an account: log-in, sessions and API tokens stop working, and every answer is 403 account_disabled. Queued jobs
are cancelled, generating ones within a step; their quota is returned. The account keeps its jobs and pictures, and
published pictures and their links stay; with --hide they are taken out of the gallery as `gallery remove` does, and
their links stop working.

Running it again completes a run that was interrupted, and can change the reason. `users enable` undoes it.
"""
ENABLE = """\
Undoes `disable`: log-in, sessions and API tokens work again. Cancelled jobs stay cancelled; pictures that were taken
out of the gallery come back with `gallery approve`, job by job.
"""
WITHOUT_SECOND_FACTOR = """\
Switches the second factor of an account off, for a user who has lost the app and the recovery codes: log-in needs only
the password again. Make sure first that the request comes from the account's owner, who is notified where the site
sends mail. Sessions and API tokens stay.
"""


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("users", help="accounts: quota, weight, access, address, codes", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lister = arguments.add_command(commands, "list", _list, "list the latest accounts", LIST)
    lister.add_argument("--search", type=arguments.text, metavar="TEXT", help="only addresses that contain this")
    arguments.add_limit(lister, "accounts")
    add_json(lister)
    quota = _add_for_account(commands, "quota", _quota, "set how many jobs a day an account may submit", QUOTA)
    quota.add_argument("jobs", type=_jobs_per_day, metavar="N|default", help="jobs a day")
    weight = _add_for_account(commands, "weight", _weight, "set an account's weight in the fair queue", WEIGHT)
    weight.add_argument("weight", type=arguments.weight, metavar="W", help="0.01 to 100; every account begins with 1")
    _add_for_account(commands, "confirm", _confirm, "record an address as confirmed", CONFIRM)
    disable = _add_for_account(commands, "disable", _disable, "disable an account and cancel its jobs", DISABLE)
    disable.add_argument("--reason", type=arguments.text, metavar="TEXT", help="for operators; users do not see it")
    disable.add_argument("--hide", action="store_true", help="also take published pictures out of the gallery")
    _add_for_account(commands, "enable", _enable, "enable a disabled account", ENABLE)
    _add_for_account(
        commands,
        "without-second-factor",
        _without_second_factor,
        "switch the second factor of an account off",
        WITHOUT_SECOND_FACTOR,
    )


def _add_for_account(
    commands: arguments.Commands, name: str, command: arguments.Command, summary: str, description: str
) -> argparse.ArgumentParser:
    parser = arguments.add_command(commands, name, command, summary, description)
    parser.add_argument("email", type=arguments.email, metavar="EMAIL", help="the account's address")
    return parser


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    site_quota = services.settings.jobs_per_day
    search = address_key(options.search) if options.search else None
    users = accounts.list_users(services, search=search, limit=options.limit)
    if options.json:
        print_json(_as_json(user, site_quota) for user in users)
    else:
        print_table(users, _columns(site_quota), if_empty="There is no such account.")
    return ExitCode.DONE


def _columns(site_quota: int) -> "tuple[Column[UserOverview], ...]":
    return (
        Column("USER", lambda user: user.email),
        Column("SINCE", lambda user: user.created_at),
        Column("TODAY", lambda user: _today(user, site_quota), right=True),
        Column("QUEUED", lambda user: user.queued, right=True),
        Column("RUNNING", lambda user: user.running, right=True),
        Column("WEIGHT", lambda user: f"{user.weight:g}", right=True),
        Column("CONFIRMED", lambda user: "yes" if user.confirmed_at else "no"),
        Column("DISABLED", _disabled),
    )


def _as_json(user: "UserOverview", site_quota: int) -> dict[str, object]:
    return {
        "user_id": user.id,
        "email": user.email,
        "created_at": user.created_at,
        "jobs_today": user.used_today,
        "jobs_per_day": user.jobs_per_day or site_quota,
        "own_quota": user.jobs_per_day is not None,
        "queued": user.queued,
        "running": user.running,
        "weight": user.weight,
        "confirmed_at": user.confirmed_at,
        "disabled_at": user.disabled_at,
        "disabled_reason": user.disabled_reason,
    }


def _today(user: "UserOverview", site_quota: int) -> str:
    return f"{user.used_today} of {user.jobs_per_day or site_quota}{'' if user.jobs_per_day is None else '*'}"


def _disabled(user: "UserOverview") -> str | None:
    if user.disabled_at is None:
        return None
    return f"{format_value(user.disabled_at)} {user.disabled_reason or ''}".rstrip()


def _quota(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    with arguments.known_account(options.email):
        accounts.set_jobs_per_day(services, options.email, options.jobs)
    if options.jobs is None:
        print(f"{options.email} may make {services.settings.jobs_per_day} jobs a day again, the site's quota.")
    else:
        print(f"{options.email} may make {options.jobs} jobs a day from now on.")
    return ExitCode.DONE


def _weight(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    with arguments.known_account(options.email):
        accounts.set_weight(services, options.email, options.weight)
    print(f"The next jobs of {options.email} have the weight {options.weight:g}.")
    return ExitCode.DONE


def _confirm(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    with arguments.known_account(options.email):
        changed = accounts.confirm(services, options.email)
    print(f"{options.email} {'is confirmed' if changed else 'was confirmed before; nothing has changed'}.")
    return ExitCode.DONE


def _disable(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    with arguments.known_account(options.email):
        result = accounts.disable(services, options.email, options.reason, hide=options.hide)
    print(f"{options.email} {'was disabled before' if result.was_disabled else 'is disabled'}.")
    print(
        f"Waiting jobs cancelled: {result.cancelled}. Running jobs that end with their next step: {result.cancelling}."
    )
    if options.hide:
        print(f"Jobs taken out of the gallery: {result.hidden}.")
    return ExitCode.DONE


def _enable(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    with arguments.known_account(options.email):
        changed = accounts.enable(services, options.email)
    if changed:
        print(f"{options.email} can log in again; their sessions and tokens work.")
    else:
        print(f"{options.email} was not disabled; nothing has changed.")
    return ExitCode.DONE


def _without_second_factor(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts

    with arguments.known_account(options.email):
        changed = accounts.remove_second_factor(services, options.email)
    if changed:
        print(f"{options.email} logs in with the password only.")
    else:
        print(f"{options.email} had no second factor; nothing has changed.")
    return ExitCode.DONE


def _jobs_per_day(text: str) -> int | None:
    return None if text == "default" else arguments.integer(1, MAX_JOBS_PER_DAY)(text)
