"""`easel jobs`: look at anybody's jobs, put one back into the queue, cancel one."""

import argparse
import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from cli import arguments
from cli.exits import Ended, Exit
from cli.listing import Column, add_json, in_words, print_facts, print_json, print_rows, size, span
from cli.printable import printable

if TYPE_CHECKING:
    from sqlalchemy import Row

    from shared.services import Services

STATES = ("queued", "generating", "succeeded", "failed", "cancelled")

LIST = """\
The latest jobs, the latest first. Nobody's prompt is among it: `jobs show` tells that of one job.

PLACE is a waiting job's number in the queue, else the generator that has or had it. ATTEMPTS counts those of the job's
present life. REASON says why a job waits, or why it has failed.
"""
SHOW = """\
Everything that is known of one job, its prompt too: where it stands, its timeline, its recipe, and the objects that
lie under its name in the storage.
"""
REQUEUE = """\
Puts a job back into the queue, with all its attempts and behind its user's other jobs.

  failed       can be put back. Its unit of the quota, which was given back, is taken again.
  generating   can be put back, as when it is stuck. Its place at the generator is free at once and the generator is
               told to stop; whatever worker still has it can write nothing more, so there is never a second set of
               pictures.
  queued       waits already; nothing changes.
  succeeded    cannot: it has its pictures, and would get a second set.
  cancelled    cannot: its user took it back.

A job whose cancellation has been asked for cannot be put back, nor one of a disabled account.
"""
CANCEL = """\
Cancels a job as its user could: a waiting one now, a generating one within its next step, mostly a second or two. Its
unit of the quota is given back, and its timeline says that the operators did it.
"""

COLUMNS = (
    Column("JOB", "job_id"),
    Column("STATE", "state"),
    Column("USER", "user"),
    Column("AGE", "age_s", span, right=True),
    Column("PLACE", "place"),
    Column("ATTEMPTS", "attempts", right=True),
    Column("REASON", "reason"),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("jobs", help="jobs of everybody: look, put back, cancel", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listed = arguments.add_command(commands, "list", _list, "the latest jobs", LIST)
    listed.add_argument("--state", choices=STATES, help="only jobs in this state")
    listed.add_argument("--user", type=arguments.email, metavar="EMAIL", help="only jobs of this account")
    listed.add_argument("--generator", metavar="NAME", help="only jobs at this generator, as `generators` prints it")
    listed.add_argument(
        "--older-than", type=arguments.seconds, metavar="SPAN", help="only jobs accepted longer ago, such as 10m or 2h"
    )
    arguments.add_limit(listed, "jobs")
    add_json(listed)
    shown = arguments.add_command(commands, "show", _show, "everything that is known of one job", SHOW)
    add_json(shown)
    requeued = arguments.add_command(
        commands, "requeue", _requeue, "put a failed or stuck job back into the queue", REQUEUE
    )
    cancelled = arguments.add_command(commands, "cancel", _cancel, "cancel a job as its user could", CANCEL)
    for parser in (shown, requeued, cancelled):
        parser.add_argument("job_id", type=arguments.job_id, metavar="JOB_ID", help="as `jobs list` prints it")


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs as operation
    from shared.core.errors import NotFound
    from shared.jobs.states import State

    try:
        user_id = operation.find_user_id(services, options.user) if options.user else None
    except NotFound:
        raise arguments.no_account(options.user) from None
    rows = operation.list_jobs(
        services,
        state=State(options.state) if options.state else None,
        user_id=user_id,
        generator=options.generator,
        older_than_s=options.older_than,
        limit=options.limit,
    )
    told = [
        {
            "job_id": row.id,
            "state": row.state,
            "user": row.email,
            "created_at": row.created_at,
            "age_s": round(row.age_s, 1),
            "queue_position": row.position,
            "generator": row.generator,
            "attempts": row.attempts,
            "requeues": row.requeues,
            "reason": row.reason,
        }
        for row in rows
    ]
    placed = told if options.json else [row | {"place": row["queue_position"] or row["generator"]} for row in told]
    print_rows(placed, COLUMNS, as_json=options.json, otherwise="There is no such job.")
    return Exit.DONE


def _show(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs as operation
    from shared.core.errors import NotFound

    try:
        job, sizes = operation.get_job(services, options.job_id)
    except NotFound:
        raise arguments.no_job(options.job_id) from None
    if options.json:
        print_json([_as_object(job, sizes)])
        return Exit.DONE
    print_facts(f"{job.id} {job.state}", _facts(job))
    print("prompt")
    print(f"    {printable(job.prompt)}")
    print_facts("settings", ((name, _setting(value)) for name, value in sorted(job.settings.items())))
    print("timeline (UTC)")
    for at, event, detail, code in job.timeline:
        why = f"  {printable(detail or '')} ({code})" if code else ""
        print(f"    {at}  {event}{why}")
    _print_objects(job, sizes)
    return Exit.DONE


def _facts(job: "Row[Any]") -> list[tuple[str, Any]]:
    lease = None
    if job.lease_until is not None:
        lease = f"for {span(job.lease_s)} more" if job.lease_s > 0 else f"ran out {span(-job.lease_s)} ago"
    return [
        ("user", f"{job.email}{' (disabled)' if job.user_disabled else ''}"),
        ("accepted", _exact(job.created_at)),
        ("started", _exact(job.started_at)),
        ("finished", _exact(job.finished_at)),
        ("error", f"{job.error_message} ({job.error_code})" if job.error_code else None),
        ("waits because", job.waiting),
        ("queue position", job.position),
        ("can be made by", job.protocols.replace(",", ", ")),
        ("generator", job.generator),
        ("its number there", job.remote_id),
        ("sent", _exact(job.sent_at)),
        ("progress", None if job.progress is None else f"{job.progress:.0%}"),
        ("attempts", job.attempts),
        ("workers that died", job.crashes or None),
        ("times put back", job.requeues or None),
        ("claim of a worker", lease),
        ("next step", None if job.next_step_s is None else _due(job.next_step_s)),
        ("out of reach since", _exact(job.unreachable_since)),
        ("cancel asked for", _exact(job.cancel_requested_at)),
        ("published", _exact(job.published_at)),
        ("taken down", _exact(job.taken_down_at)),
        ("counts for the quota of", job.quota_day),
    ]


def _as_object(job: "Row[Any]", sizes: dict[str, int] | None) -> dict[str, Any]:
    """The job for programs. The token of a claim stands in keys anyway; nothing else of it is secret."""
    names = (
        "state created_at started_at finished_at error_code error_message waiting position generator remote_id sent_at"
        " progress attempts crashes requeues lease_until next_step_at unreachable_since cancel_requested_at"
        " published_at taken_down_at prompt settings"
    )
    parts = {image[1]: "picture" for image in job.images} | {image[2]: "thumbnail" for image in job.images}
    objects = [{"key": key, "size_bytes": held, "part": parts.get(key)} for key, held in (sizes or {}).items()]
    return {
        "job_id": job.id,
        "user": job.email,
        "user_disabled": job.user_disabled,
        **{name: getattr(job, name) for name in names.split()},
        "protocols": job.protocols.split(","),
        "quota_day": str(job.quota_day),
        "timeline": [dict(zip(("at", "event", "detail", "code"), entry, strict=True)) for entry in job.timeline],
        "objects": None if sizes is None else objects,
        "sources": [{"key": key, "size_bytes": announced} for key, announced in job.sources],
    }


def _print_objects(job: "Row[Any]", sizes: dict[str, int] | None) -> None:
    print("objects")
    if sizes is None:
        print("    The storage does not answer, so nobody knows.")
        return
    for _, key, thumbnail_key, width, height, seed in job.images:
        drawn = f"picture of {width}x{height}" + (f", seed {seed}" if seed is not None else "")
        for name, what in ((key, drawn), (thumbnail_key, "its thumbnail")):
            print(f"    {name}  {size(sizes[name]) if name in sizes else 'MISSING'}  {what}")
    kept = {key for image in job.images for key in image[1:3]}
    for name in sorted(sizes.keys() - kept):
        print(f"    {printable(name)}  {size(sizes[name])}  not part of the job")
    for name, announced in job.sources:
        print(f"    {printable(name)}  {size(announced)}  start picture")
    if not (sizes or job.sources):
        print("    none")


def _requeue(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs as operation
    from shared.admin.jobs import Requeued
    from shared.core.errors import NotFound

    try:
        outcome = operation.requeue(services, options.job_id)
    except NotFound:
        raise arguments.no_job(options.job_id) from None
    why_not = {
        Requeued.SUCCEEDED: "It has succeeded and has its pictures; put back, it would get a second set.",
        Requeued.CANCELLED: "It was cancelled, and stays so; its user can submit it again.",
        Requeued.CANCELLING: "Its cancellation was asked for, so it is not put back.",
        Requeued.USER_DISABLED: "The account of its user is disabled. `easel users enable` comes first.",
    }
    if outcome in why_not:
        raise Ended(Exit.FAILED, f"{options.job_id} is not put back. {why_not[outcome]}")
    if outcome == Requeued.WAITS_ALREADY:
        print(f"{options.job_id} waits in the queue already; nothing has changed.")
    else:
        print(f"{options.job_id} is back in the queue, with all its attempts.")
    return Exit.DONE


def _cancel(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs as operation
    from shared.core.errors import NotFound
    from shared.jobs.states import State

    try:
        was = operation.cancel(services, options.job_id)
    except NotFound:
        raise arguments.no_job(options.job_id) from None
    if was in (State.SUCCEEDED, State.FAILED):
        raise Ended(Exit.FAILED, f"{options.job_id} has {was.value}; there is nothing left to cancel.")
    said = {
        State.QUEUED: "is cancelled, and its unit of the quota given back.",
        State.GENERATING: "will be cancelled with its next step; `easel jobs show` tells when it is.",
        State.CANCELLED: "was cancelled before; nothing has changed.",
    }
    print(f"{options.job_id} {said[was]}")
    return Exit.DONE


def _exact(at: Any) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _due(in_s: float) -> str:
    return f"in {span(in_s)}" if in_s >= 0 else f"due for {span(-in_s)}"


def _setting(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else in_words(value)
