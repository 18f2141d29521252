"""`easel gc`: garbage collection of everything that nothing refers to any more."""

import argparse
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode
from cli.output import Column, add_json, format_size, print_json, print_table

if TYPE_CHECKING:
    from shared.polling.garbage import Removed, Retired
    from shared.services import Services

GC = """\
Deletes everything that nothing refers to any more: objects in the storage that belong to no picture and no upload of
the database and are at least an hour old, expired sessions and tokens, uploads of more than a day ago that no job uses,
the files of expired likenesses, replaced pictures of scenes that no job uses, and recorded garbage. It never deletes
what a running job may still write, nor anything outside of jobs/, uploads/, archives/, exports/, scenes/ and
conformance/ in the bucket.

The poller does all but the first of these by itself. The first finds what was never recorded, for example after a
database was restored from a backup, or after a crash. It lists the whole bucket, a thousand objects at a time.
"""
MANY = 100


@dataclass(frozen=True)
class Line:
    """A line of the list: what was or would be deleted, how many, and their size where it is known."""

    what: str
    count: int
    size_bytes: int | None = None


COLUMNS: tuple[Column[Line], ...] = (
    Column("WHAT", lambda line: line.what),
    Column("COUNT", lambda line: line.count, right=True),
    Column("SIZE", lambda line: format_size(line.size_bytes), right=True),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = arguments.add_command(groups, "gc", _collect, "delete what nothing refers to any more", GC)
    parser.add_argument("--dry-run", action="store_true", help="only list what would be deleted")
    parser.add_argument(
        "--even-most", action="store_true", help="delete even if that is more than half of all objects in the bucket"
    )
    add_json(parser)


def _collect(services: "Services", options: argparse.Namespace) -> int:
    from shared.polling import garbage

    orphans, total = _walk(services, dry_run=True)
    if options.dry_run:
        waste = garbage.count_waste(services)
        _print(
            orphans,
            *_retired(waste.retired),
            Line("prefixes of due garbage", waste.prefixes),
            as_json=options.json,
        )
        return ExitCode.DONE
    found = sum(removed.objects for removed in orphans.values())
    if found >= MANY and 2 * found > total and not options.even_most:
        raise CommandError(
            ExitCode.FAILED,
            f"{found} of the {total} objects in the bucket would be deleted, which is more than half. Do this database"
            " and this bucket belong together? If they do, add --even-most.",
        )
    if found:
        orphans, _ = _walk(services, dry_run=False)
    retired = garbage.retire(services)
    emptied = garbage.Removed()
    while garbage.count_waste(services).prefixes:
        emptied += garbage.empty_garbage(services)
    _print(
        orphans,
        *_retired(retired),
        _line("objects of garbage", emptied),
        as_json=options.json,
    )
    return ExitCode.DONE


def _walk(services: "Services", *, dry_run: bool) -> "tuple[dict[str, Removed], int]":
    """Return the orphans found in each folder, and how many objects there are in all."""
    from shared.polling import garbage

    orphans, total = {folder: garbage.Removed() for folder in garbage.FOLDERS}, 0
    for folder, page, removed in garbage.collect_orphans(services, dry_run=dry_run):
        orphans[folder] += removed
        total += page
    return orphans, total


def _print(orphans: "dict[str, Removed]", *more: Line, as_json: bool) -> None:
    lines = [*(_line(f"objects in {folder}", removed) for folder, removed in orphans.items()), *more]
    if as_json:
        print_json(map(asdict, lines))
    else:
        print_table(lines, COLUMNS, if_empty="")


def _retired(found: "Retired") -> list[Line]:
    return [
        Line("expired tokens", found.tokens),
        Line("uploads without a job", found.uploads),
        Line("expired likenesses", found.likenesses),
        Line("replaced pictures of scenes", found.scene_pictures),
    ]


def _line(what: str, removed: "Removed") -> Line:
    return Line(what, removed.objects, removed.size_bytes)
