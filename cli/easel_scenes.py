"""`easel scenes`: the catalogue of places and actions."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode
from cli.output import Column, add_json, print_json, print_table
from cli.terminal_text import printable

if TYPE_CHECKING:
    from shared.services import Services

IMPORT = """\
Adds the places and actions of a folder to the site's catalogue, or brings those that are there to what the folder
says. docs/scenes.md describes the folder. All of it is checked before anything is written; importing it again changes
nothing. Without a folder the set that comes with Easel is imported; with --if-empty only if there is no entry yet.
"""
REMOVE = """\
Removes a place or an action from the catalogue. Jobs that were submitted with it are still made; its pictures are
deleted once no job has them.
"""


@dataclass(frozen=True)
class Line:
    """An entry of the catalogue in the list."""

    kind: str
    key: str
    name: str
    pictures: int
    size: str


COLUMNS: tuple[Column[Line], ...] = (
    Column("KIND", lambda line: line.kind),
    Column("KEY", lambda line: line.key),
    Column("NAME", lambda line: printable(line.name)),
    Column("PICTURES", lambda line: line.pictures, right=True),
    Column("SIZE", lambda line: line.size),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("scenes", help="places and actions of scenes", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    importer = arguments.add_command(commands, "import", _import, "add or change places and actions", IMPORT)
    importer.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="with scenes.toml and its pictures")
    importer.add_argument("--if-empty", action="store_true", help="do nothing if the catalogue has an entry")
    add_json(arguments.add_command(commands, "list", _list, "list places and actions"))
    remover = arguments.add_command(commands, "remove", _remove, "remove a place or an action", REMOVE)
    remover.add_argument("kind", choices=("place", "action"))
    remover.add_argument("key", metavar="KEY", help="as list prints it")


def _import(services: "Services", options: argparse.Namespace) -> int:
    from shared.scenes import catalogue
    from shared.scenes.folder import FolderError, read_folder
    from shared.scenes.starter_set import STARTER, is_empty

    if options.if_empty and not is_empty(services):
        print("The catalogue has entries; nothing has changed.")
        return ExitCode.DONE
    try:
        done = catalogue.import_folder(services, read_folder(options.folder or STARTER))
    except FolderError as error:
        raise CommandError(ExitCode.FAILED, printable(str(error))) from None
    print(f"{done.added} places and actions are added, {done.changed} changed, {done.same} as they were.")
    return ExitCode.DONE


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.scenes import store

    with services.db.statement() as connection:
        places, actions = store.list_places(connection), store.list_actions(connection)
    lines = [
        *(Line("place", one.key, one.names.en, len(one.pictures), _size(one.pictures[0].size)) for one in places),
        *(Line("action", one.key, one.names.en, len(one.shots), _size(one.shots[0].size)) for one in actions),
    ]
    if options.json:
        print_json(vars(line) for line in lines)
    else:
        print_table(lines, COLUMNS, if_empty="The catalogue is empty; `easel scenes import` fills it.")
    return ExitCode.DONE


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _remove(services: "Services", options: argparse.Namespace) -> int:
    from shared.core.errors import NotFound
    from shared.scenes import catalogue

    try:
        catalogue.remove(services, options.kind, options.key)
    except NotFound:
        raise CommandError(ExitCode.FAILED, f"There is no {options.kind} {printable(options.key)}.") from None
    print(f"The {options.kind} {options.key} is removed.")
    return ExitCode.DONE
