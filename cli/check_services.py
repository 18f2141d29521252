"""The checks of what Easel runs on: settings, database, poller, broker, storage."""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.checks import Finding, Level, ok, warning, wrong
from cli.output import format_duration
from shared.core.limits import MIN_REDIS
from shared.core.setting_types import NUDITY, is_this_machine

if TYPE_CHECKING:
    from shared.services import Services

MIGRATE = "Run `python -m alembic upgrade head` in an image or checkout of this version."
LATE_SWEEP_S = 15.0
CLOCK_WARNING_S, CLOCK_WRONG_S = 2.0, 60.0
PING_TIMEOUT_S = 1.5


def settings(services: "Services") -> Iterator[Finding]:
    """Check what the settings show by themselves."""
    given = services.settings
    yield ok(f"They can be read. The site is {given.public_url}, the bucket {given.s3_bucket}.")
    if rules := given.content_rules:
        yield ok(f"Prompts are checked by rules of version {rules.version}, {rules.count} in number.")
    if given.picture_checker == NUDITY and find_spec("nudenet") is None:
        yield warning("EASEL_PICTURE_CHECKER=nudity needs `make checker` where the poller runs; here it is missing.")
    site, storage = urlsplit(given.public_url), urlsplit(given.s3_public_endpoint)
    if site.scheme == "http" and not is_this_machine(site.hostname):
        yield warning("EASEL_PUBLIC_URL is http://: passwords and sessions travel unencrypted. Add TLS.")
    if site.scheme == "https" and storage.scheme == "http":
        yield wrong(
            "EASEL_S3_PUBLIC_ENDPOINT is http:// and the site https://: browsers will not upload to it. Add TLS"
            " to the storage."
        )
    if is_this_machine(storage.hostname) and not is_this_machine(site.hostname):
        yield wrong(
            f"Picture URLs are signed for {storage.hostname}, which is each visitor's own machine. Set"
            " EASEL_S3_PUBLIC_ENDPOINT to the address at which browsers reach the storage."
        )
    if not services.addresses:
        yield warning(
            "EASEL_GENERATORS is empty here. The poller needs it to generate pictures, the functions to refuse what no"
            " generator supports."
        )


def database(services: "Services") -> Iterator[Finding]:
    """Check that the database is reachable and recent enough, and has this version's tables and the right time."""
    from sqlalchemy import text

    from shared.core.clock import measure_skew_s
    from shared.core.db import UNREACHABLE, DatabaseFault
    from shared.core.errors import Unavailable
    from shared.core.preconditions import find_problems
    from shared.core.session_settings import list_missing

    problems: list[Finding] = []
    try:
        with services.db.statement() as connection:
            problems.extend(
                (wrong if problem.fatal else warning)(problem.sentences) for problem in find_problems(connection)
            )
            row = connection.execute(
                text("""
                    SELECT current_setting('server_version_num')::int / 10000 AS version,
                        to_regclass('alembic_version') AS migrated
                """)
            ).one()
            skew_s = measure_skew_s(connection)
            revision, unlimited = None, list[str]()
            if row.migrated is not None:
                revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
                unlimited = list_missing(connection)
    except (Unavailable, DatabaseFault) as error:
        yield from problems  # they are the cause of what came after them
        if any(finding.level is Level.WRONG for finding in problems):
            return
        words = str(error)
        hint = "Check EASEL_DATABASE_URL"
        if words == UNREACHABLE:
            hint = "Make sure that the server of EASEL_DATABASE_URL runs and that this machine can reach it"
        yield wrong(f"{words} {hint}.")
        return
    yield from problems
    yield _migrated(row.version, revision)
    if unlimited:
        yield warning(
            f"Its role has no limit {' and '.join(unlimited)}. Each session of Easel sets them, but a proxy such as RDS"
            " Proxy then gives every client a connection for itself. Run the migrations as this role once more."
        )
    yield from _clock(abs(skew_s))


def _clock(apart_s: float) -> Iterator[Finding]:
    """Compare the database's clock with this machine's."""
    if apart_s > CLOCK_WARNING_S:
        kind = wrong if apart_s > CLOCK_WRONG_S else warning
        yield kind(
            f"Its clock and this machine's are {format_duration(apart_s)} apart. What is due goes by the"
            " database's clock; synchronise both with a time server."
        )


def _migrated(version: int, revision: str | None) -> Finding:
    """Compare the revision of the tables with this version's."""
    from alembic.script import ScriptDirectory

    import migrations

    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    head = script.get_current_head()
    if revision is None:
        return wrong(f"It has no tables of Easel. {MIGRATE}")
    if revision == head:
        return ok(f"PostgreSQL {version} answers, with the tables of this version ({head}).")
    if revision in {step.revision for step in script.walk_revisions()}:
        return wrong(f"Its tables are those of {revision}, this version needs {head}. {MIGRATE}")
    return wrong(
        f"Its tables are of a later version ({revision}) than this program ({head}). Use the program of that version,"
        " or take the migration back with it."
    )


def poller(services: "Services") -> Iterator[Finding]:
    """Check that a worker runs: only then a sweep is recorded each second."""
    from sqlalchemy import text

    from shared.core.db import DatabaseFault
    from shared.core.errors import Unavailable
    from shared.jobs.depth import QUEUED
    from shared.metrics.health import MISSING_SWEEP_S

    query = text(f"""
        SELECT extract(epoch FROM clock_timestamp() - swept_at)::float AS swept_s,
            {QUEUED} AS queued,
            (SELECT count(*) FROM jobs WHERE state = 'generating') AS generating,
            (SELECT count(*) FROM jobs WHERE state = 'generating'
                AND coalesce(lease_until, next_step_at) < clock_timestamp() - interval '1 minute') AS stuck
        FROM queue_clock
    """)
    try:
        with services.db.statement() as connection:
            row = connection.execute(query).one_or_none()
    except (Unavailable, DatabaseFault):
        yield wrong("Unknown, since the database does not answer; see there.")
        return
    if row is None or row.swept_s is None:
        yield wrong("It has never swept. Start `python -m poller worker`.")
        return
    if row.swept_s > MISSING_SWEEP_S:
        yield wrong(
            f"Its last sweep was {format_duration(row.swept_s)} ago; there should be one each second. Make sure that"
            " `python -m poller worker` runs and uses this database."
        )
    elif row.swept_s > LATE_SWEEP_S:
        yield warning(
            f"Its last sweep was {format_duration(row.swept_s)} ago. Too few workers, or a generator that hangs?"
        )
    else:
        yield ok(f"A worker is running. Jobs waiting: {row.queued}, at generators: {row.generating}.")
    if row.stuck:
        yield warning(
            f"Jobs at generators that no worker has polled for a minute: {row.stuck}. Add workers; `easel jobs list"
            " --state generating` shows them, `easel jobs requeue` puts one back."
        )


def broker(services: "Services") -> Iterator[Finding]:
    """Check that the broker is reachable and, if it supports that, that workers answer."""
    from shared.clients.broker import check_mode
    from shared.core.errors import Unavailable
    from shared.core.settings import SettingsError

    try:
        check_mode(services.celery)
        services.wake_ups.check()
    except SettingsError as error:
        yield wrong(str(error))
        return
    except Unavailable as error:
        hint = "Check EASEL_BROKER_URL and the server's settings"
        if "be reached" in error.detail:
            hint = "Make sure that the server of EASEL_BROKER_URL runs and that this machine can reach it"
        yield wrong(f"{error.detail} Jobs are queued and wait until it is back. {hint}.")
        return
    yield from _old_broker(services)
    workers = services.wake_ups.count_workers(PING_TIMEOUT_S)
    if workers is None:
        yield ok("It answers. It cannot ask workers to reply; the poller's sweep shows whether there are any.")
    elif workers:
        yield ok(f"It answers. Workers that replied through it: {workers}.")
    else:
        yield wrong("It answers, but no worker does. Start `python -m poller worker` with the same EASEL_BROKER_URL.")


def _old_broker(services: "Services") -> Iterator[Finding]:
    """Warn of a server that gets no fixes any more. The one that Easel starts itself is reachable only by its user."""
    from shared.core.errors import Unavailable

    if is_this_machine(urlsplit(services.settings.broker_url).hostname):
        return
    try:
        version = services.wake_ups.server_version()
    except Unavailable:
        return  # it answered a moment ago, and the next question says what is wrong
    if version is not None and version < MIN_REDIS:
        named, least = (".".join(map(str, numbers)) for numbers in (version, MIN_REDIS))
        yield warning(f"It is Redis {named}, which gets no security fixes any more. Use {least} or later, or Valkey.")


def storage(services: "Services") -> Iterator[Finding]:
    """Check the essential promises of the storage, including CORS for the site's pages."""
    from shared.clients.storage_checks import run_checks
    from shared.core.errors import Unavailable

    kept = broken = 0
    try:
        services.storage.check()
        for check, outcome in run_checks(services.settings):
            if outcome is None:
                kept += 1
                continue
            broken += 1
            yield wrong(f"“{check.promise}” does not hold ({check.name}): {outcome}")
    except Unavailable as error:
        broken += 1
        yield wrong(
            f"{error.detail} Check EASEL_S3_ENDPOINT, EASEL_S3_BUCKET, EASEL_S3_REGION, AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY."
        )
    if ahead_s := services.storage.clock.ahead_s:
        yield warning(
            f"The storage's clock and this machine's are {format_duration(abs(ahead_s))} apart. Signatures are"
            " corrected; synchronise both with a time server."
        )
    if not broken:
        yield ok(f"All {kept} checks passed, also for pages of {services.settings.public_url}.")
