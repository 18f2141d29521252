"""`easel gc`: deletes what nobody refers to any more."""

import argparse
from typing import TYPE_CHECKING, Any

from cli import arguments
from cli.exits import Ended, Exit
from cli.listing import Column, add_json, print_rows, size

if TYPE_CHECKING:
    from shared.polling.garbage import Removed
    from shared.services import Services

GC = """\
Deletes what nobody refers to any more: objects in the storage that no picture and no upload of the database names and
that are at least an hour old, expired sessions and tokens, uploads of more than a day ago that no job uses, and what
was written down as garbage. What a running job may still write is never among it, and neither is anything that lies
outside of jobs/, uploads/ and conformance/ in the bucket.

The poller does all but the first of these by itself. The first is for what was never written down: after a database was
restored from a backup, say, or after a crash. It walks the whole bucket, a thousand objects at a time.
"""
MANY = 100

COLUMNS = (
    Column("WHAT", "what"),
    Column("COUNT", "count", right=True),
    Column("SIZE", "size_bytes", lambda held: "-" if held is None else size(held), right=True),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command's parser."""
    parser = arguments.add_command(groups, "gc", _collect, "delete what nobody refers to any more", GC)
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be deleted")
    parser.add_argument(
        "--even-most", action="store_true", help="delete even if that is more than half of all objects in the bucket"
    )
    add_json(parser)


def _collect(services: "Services", options: argparse.Namespace) -> int:
    from shared.polling import garbage as collection

    lost, walked = _walk(services, dry_run=True)
    found = sum(removed.objects for removed in lost.values())
    if options.dry_run:
        waste = collection.count_waste(services)
        rows = [_row(f"objects in {folder}", removed) for folder, removed in lost.items()]
        rows += [
            {"what": "expired tokens", "count": waste.tokens, "size_bytes": None},
            {"what": "uploads without a job", "count": waste.uploads, "size_bytes": None},
            {"what": "prefixes of due garbage", "count": waste.prefixes, "size_bytes": None},
        ]
        print_rows(rows, COLUMNS, as_json=options.json, otherwise="")
        return Exit.DONE
    if found >= MANY and 2 * found > walked and not options.even_most:
        raise Ended(
            Exit.FAILED,
            f"{found} of the {walked} objects in the bucket would be deleted, which is more than half. Do this database"
            " and this bucket belong together? If they do, say --even-most.",
        )
    if found:
        lost, _ = _walk(services, dry_run=False)
    tokens, uploads = collection.retire(services)
    garbage = collection.Removed()
    while collection.count_waste(services).prefixes:
        garbage += collection.empty_garbage(services)
    rows = [_row(f"objects in {folder}", removed) for folder, removed in lost.items()]
    rows += [
        {"what": "expired tokens", "count": tokens, "size_bytes": None},
        {"what": "uploads without a job", "count": uploads, "size_bytes": None},
        _row("objects of garbage", garbage),
    ]
    print_rows(rows, COLUMNS, as_json=options.json, otherwise="")
    return Exit.DONE


def _walk(services: "Services", *, dry_run: bool) -> tuple[dict[str, "Removed"], int]:
    """What was found in each folder, and how many objects there are in all."""
    from shared.polling import garbage as collection

    lost, walked = {folder: collection.Removed() for folder in collection.FOLDERS}, 0
    for folder, page, removed in collection.collect_orphans(services, dry_run=dry_run):
        lost[folder] += removed
        walked += page
    return lost, walked


def _row(what: str, removed: "Removed") -> dict[str, Any]:
    return {"what": what, "count": removed.objects, "size_bytes": removed.size_bytes}
