"""`easel likenesses`: list likenesses, and delete one with everything public that shows it."""

import argparse
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode
from cli.output import Column, add_json, print_json, print_table

if TYPE_CHECKING:
    from shared.admin.likenesses import LikenessOverview
    from shared.services import Services

LIST = """\
The latest likenesses, newest first, without their codes. JOBS is the number of jobs that were made with one. With --job
only those that the pictures of this job show, so that a reported picture leads to its likeness.
"""
REMOVE = """\
Deletes a likeness with its file and its training: its code stops working. The pictures that were made with it, by its
owner or by others, leave the gallery, and their links stop working; their makers keep them, and cannot publish them
again. Nothing undoes this.
"""
COLUMNS: "tuple[Column[LikenessOverview], ...]" = (
    Column("LIKENESS", lambda one: one.id),
    Column("USER", lambda one: one.email),
    Column("SUBJECT", lambda one: one.subject),
    Column("SINCE", lambda one: one.consented_at),
    Column("WORKS", lambda one: "yes" if one.works else "no"),
    Column("SHARED", lambda one: "yes" if one.shared else "no"),
    Column("JOBS", lambda one: one.jobs, right=True),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("likenesses", help="likenesses of people, animals and objects", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lister = arguments.add_command(commands, "list", _list, "list the latest likenesses", LIST)
    lister.add_argument(
        "--job", type=arguments.job_id, metavar="JOB_ID", help="only those that this job's pictures show"
    )
    arguments.add_limit(lister, "likenesses")
    add_json(lister)
    remover = arguments.add_command(commands, "remove", _remove, "delete a likeness, and hide its pictures", REMOVE)
    remover.add_argument("likeness_id", type=arguments.job_id, metavar="LIKENESS", help="as list prints it")


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import likenesses

    found = likenesses.list_likenesses(services, job_id=options.job, limit=options.limit)
    if options.json:
        print_json(_as_json(one) for one in found)
    else:
        print_table(found, COLUMNS, if_empty="There is no such likeness.")
    return ExitCode.DONE


def _as_json(one: "LikenessOverview") -> dict[str, object]:
    return {
        "likeness_id": one.id,
        "email": one.email,
        "subject": one.subject,
        "consented_at": one.consented_at,
        "works": one.works,
        "shared": one.shared,
        "jobs": one.jobs,
    }


def _remove(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import likenesses
    from shared.core.errors import NotFound, StillRunning

    try:
        hidden = likenesses.remove(services, options.likeness_id)
    except NotFound:
        raise CommandError(ExitCode.FAILED, f"There is no likeness {options.likeness_id}.") from None
    except StillRunning:
        message = f"It is still being trained; `easel jobs cancel {options.likeness_id}` first."
        raise CommandError(ExitCode.FAILED, message) from None
    print(f"The likeness {options.likeness_id} is deleted, and its code no longer works.")
    print(f"Jobs whose pictures cannot be public any more: {hidden}.")
    return ExitCode.DONE
