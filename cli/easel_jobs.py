"""`easel jobs`: list all users' jobs, show one, put one back into the queue, cancel one."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cli import arguments
from cli.exit_codes import CommandError, ExitCode
from cli.output import (
    Column,
    add_json,
    format_duration,
    format_size,
    format_value,
    print_facts,
    print_json,
    print_table,
)
from cli.terminal_text import printable

if TYPE_CHECKING:
    from shared.admin.job_overview import JobDetail, JobOverview
    from shared.services import Services

STATES = ("held", "queued", "generating", "succeeded", "failed", "cancelled")

LIST = """\
The latest jobs, newest first, without their prompts; `jobs show` prints that of one job.

PLACE is a queued job's position in the queue (an estimate beyond 1,001), otherwise the generator that has or had it.
ATTEMPTS counts since the job was submitted or last put back. REASON is why a job waits or why it failed.
"""
SHOW = """\
Everything that is known of one job, including its prompt: its state, timeline and recipe, and the objects that are
stored under its name.
"""
REQUEUE = """\
Puts a job back into the queue, with all its attempts and behind its user's other jobs.

  failed       can be put back. It counts against the quota again.
  generating   can be put back, for example when it is stuck. Its place at the generator is free immediately and the
               generator is asked to stop; a worker that still holds it can write nothing more, so there is never a
               second set of pictures.
  queued, held is already waiting; nothing changes. A held job starts from the picture of one that has not finished.
  succeeded    cannot: it has its pictures, and would get a second set.
  cancelled    cannot: its user cancelled it.

A job whose cancellation was requested cannot be put back, nor one of a disabled account.
"""
CANCEL = """\
Cancels a job as its user could: a queued one now, a generating one within its next step, usually a second or two. It no
longer counts against the quota, and its timeline says that the operators did it.
"""

# The attributes of JobDetail that the JSON output repeats under their own names.
JSON_FIELDS = (
    "state",
    "created_at",
    "started_at",
    "finished_at",
    "error_code",
    "error_message",
    "waiting",
    "position",
    "generator",
    "remote_id",
    "sent_at",
    "progress",
    "attempts",
    "crashes",
    "requeues",
    "lease_until",
    "next_step_at",
    "unreachable_since",
    "cancel_requested_at",
    "published_at",
    "taken_down_at",
    "prompt",
    "settings",
    "protocols",
)

COLUMNS: "tuple[Column[JobOverview], ...]" = (
    Column("JOB", lambda job: job.id),
    Column("STATE", lambda job: job.state.value),
    Column("USER", lambda job: job.email),
    Column("AGE", lambda job: format_duration(job.age_s), right=True),
    Column("PLACE", lambda job: job.position or job.generator),
    Column("ATTEMPTS", lambda job: job.attempts, right=True),
    Column("REASON", lambda job: job.reason),
)


def add_to(groups: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the group's parser."""
    group = groups.add_parser("jobs", help="all users' jobs: list, show, put back, cancel", allow_abbrev=False)
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    lister = arguments.add_command(commands, "list", _list, "list the latest jobs", LIST)
    lister.add_argument("--state", choices=STATES, help="only jobs in this state")
    lister.add_argument("--user", type=arguments.email, metavar="EMAIL", help="only jobs of this account")
    lister.add_argument("--generator", metavar="NAME", help="only jobs at this generator, as `generators` prints it")
    lister.add_argument(
        "--older-than",
        type=arguments.seconds,
        metavar="DURATION",
        help="only jobs submitted longer ago, such as 10m or 2h",
    )
    arguments.add_limit(lister, "jobs")
    add_json(lister)
    show = arguments.add_command(commands, "show", _show, "show everything that is known of one job", SHOW)
    add_json(show)
    requeue = arguments.add_command(
        commands, "requeue", _requeue, "put a failed or stuck job back into the queue", REQUEUE
    )
    cancel = arguments.add_command(commands, "cancel", _cancel, "cancel a job as its user could", CANCEL)
    for parser in (show, requeue, cancel):
        parser.add_argument("job_id", type=arguments.job_id, metavar="JOB_ID", help="as `jobs list` prints it")


def _list(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import accounts, job_overview
    from shared.jobs.states import State

    with arguments.known_account(options.user):
        user_id = accounts.get_user_id(services, options.user) if options.user else None
    jobs = job_overview.list_jobs(
        services,
        state=State(options.state) if options.state else None,
        user_id=user_id,
        generator=options.generator,
        older_than_s=options.older_than,
        limit=options.limit,
    )
    if options.json:
        print_json(map(_overview_as_json, jobs))
    else:
        print_table(jobs, COLUMNS, if_empty="There is no such job.")
    return ExitCode.DONE


def _overview_as_json(job: "JobOverview") -> dict[str, object]:
    return {
        "job_id": job.id,
        "state": job.state,
        "user": job.email,
        "created_at": job.created_at,
        "age_s": round(job.age_s, 1),
        "queue_position": job.position,
        "generator": job.generator,
        "attempts": job.attempts,
        "requeues": job.requeues,
        "reason": job.reason,
    }


def _show(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import job_overview

    with arguments.known_job(options.job_id):
        job = job_overview.get_job(services, options.job_id)
    if options.json:
        print_json([_detail_as_json(job)])
        return ExitCode.DONE
    print_facts(f"{job.id} {job.state.value}", _facts(job))
    print("prompt")
    print(f"    {printable(job.prompt)}")
    print_facts("settings", ((name, _setting(value)) for name, value in sorted(job.settings.items())))
    print("timeline (UTC)")
    for entry in job.timeline:
        repeated = f" ({entry.count} times since {entry.first_at})" if entry.count > 1 else ""
        why = f"  {printable(entry.detail or '')} ({entry.code})" if entry.code else ""
        print(f"    {entry.at}  {entry.event}{repeated}{why}")
    _print_objects(job)
    return ExitCode.DONE


def _facts(job: "JobDetail") -> list[tuple[str, object]]:
    lease = None
    if job.lease_s is not None:
        left = format_duration(abs(job.lease_s))
        lease = f"for {left} more" if job.lease_s > 0 else f"ran out {left} ago"
    return [
        ("user", f"{job.email}{' (disabled)' if job.user_disabled else ''}"),
        ("accepted", _exact(job.created_at)),
        ("started", _exact(job.started_at)),
        ("finished", _exact(job.finished_at)),
        ("error", f"{job.error_message} ({job.error_code})" if job.error_code else None),
        ("waits because", job.waiting),
        ("queue position", job.position),
        ("can be made by", ", ".join(job.protocols)),
        ("generator", job.generator),
        ("id at the generator", job.remote_id),
        ("sent", _exact(job.sent_at)),
        ("progress", None if job.progress is None else f"{job.progress:.0%}"),
        ("attempts", job.attempts),
        ("crashed workers", job.crashes or None),
        ("times put back", job.requeues or None),
        ("claim of a worker", lease),
        ("next step", None if job.next_step_s is None else _due(job.next_step_s)),
        ("unreachable since", _exact(job.unreachable_since)),
        ("cancel requested", _exact(job.cancel_requested_at)),
        ("published", _exact(job.published_at)),
        ("taken down", _exact(job.taken_down_at)),
        ("counts for the quota of", job.quota_day),
    ]


def _detail_as_json(job: "JobDetail") -> dict[str, object]:
    """Build the job's JSON output. A claim's token is part of the objects' keys; nothing else of it is secret."""
    parts = {image.key: "picture" for image in job.images} | {image.thumbnail_key: "thumbnail" for image in job.images}
    sizes = job.object_sizes
    objects = [{"key": key, "size_bytes": held, "part": parts.get(key)} for key, held in (sizes or {}).items()]
    return {
        "job_id": job.id,
        "user": job.email,
        "user_disabled": job.user_disabled,
        **{name: getattr(job, name) for name in JSON_FIELDS},
        "quota_day": str(job.quota_day),
        "timeline": [asdict(entry) for entry in job.timeline],
        "objects": None if sizes is None else objects,
        "sources": [asdict(upload) for upload in job.source_uploads],
    }


def _print_objects(job: "JobDetail") -> None:
    print("objects")
    sizes = job.object_sizes
    if sizes is None:
        print("    The storage does not answer, so they are unknown.")
        return
    for image in job.images:
        picture = f"picture of {image.width}x{image.height}"
        if image.seed is not None:
            picture += f", seed {image.seed}"
        for key, what in ((image.key, picture), (image.thumbnail_key, "its thumbnail")):
            print(f"    {key}  {format_size(sizes[key]) if key in sizes else 'MISSING'}  {what}")
    known = {key for image in job.images for key in (image.key, image.thumbnail_key)}
    for key in sorted(sizes.keys() - known):
        print(f"    {printable(key)}  {format_size(sizes[key])}  not part of the job")
    for upload in job.source_uploads:
        print(f"    {printable(upload.key)}  {format_size(upload.size_bytes)}  start picture")
    if not (sizes or job.source_uploads):
        print("    none")


def _requeue(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs
    from shared.admin.jobs import RequeueResult

    with arguments.known_job(options.job_id):
        result = jobs.requeue(services, options.job_id)
    refusals = {
        RequeueResult.SUCCEEDED: "It has succeeded and has its pictures; put back, it would get a second set.",
        RequeueResult.CANCELLED: "It was cancelled; its user can submit it again.",
        RequeueResult.CANCELLING: "Its cancellation was requested.",
        RequeueResult.USER_DISABLED: "The account of its user is disabled. Run `easel users enable` first.",
    }
    if result in refusals:
        raise CommandError(ExitCode.FAILED, f"{options.job_id} is not put back. {refusals[result]}")
    if result == RequeueResult.ALREADY_QUEUED:
        print(f"{options.job_id} is already in the queue; nothing has changed.")
    else:
        print(f"{options.job_id} is back in the queue, with all its attempts.")
    return ExitCode.DONE


def _cancel(services: "Services", options: argparse.Namespace) -> int:
    from shared.admin import jobs
    from shared.jobs.states import State

    with arguments.known_job(options.job_id):
        was = jobs.cancel(services, options.job_id)
    if was in (State.SUCCEEDED, State.FAILED):
        raise CommandError(ExitCode.FAILED, f"{options.job_id} has {was.value}; there is nothing left to cancel.")
    results = {
        State.HELD: "is cancelled, and no longer counts against the quota.",
        State.QUEUED: "is cancelled, and no longer counts against the quota.",
        State.GENERATING: "will be cancelled with its next step; `easel jobs show` prints when it is.",
        State.CANCELLED: "was cancelled before; nothing has changed.",
    }
    print(f"{options.job_id} {results[was]}")
    return ExitCode.DONE


def _exact(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _due(in_s: float) -> str:
    return f"in {format_duration(in_s)}" if in_s >= 0 else f"overdue for {format_duration(-in_s)}"


def _setting(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else format_value(value)
