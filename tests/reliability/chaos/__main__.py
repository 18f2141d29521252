"""`python -m tests.reliability.chaos --minutes 3`: chaos on a whole site; ends with 1 if a promise was broken."""

import argparse
import re
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from shared.accounts.account_mails import LEASE_S
from shared.core.errors import Unavailable
from shared.services import Services
from tests.reliability.chaos.clients import Client
from tests.reliability.chaos.disturber import Disturber
from tests.reliability.chaos.figures import Figures, recoveries
from tests.reliability.chaos.site import Site, running_site
from tests.support.audit import Ledger, audit
from tests.support.waiting import until

USERS = 20
SETTLE_LIMIT_S = 300
PROGRESS_S = 30
_MAIL_ID = re.compile(rb"Message-ID: <([0-9a-f-]{36})")
# A mail that was claimed so long ago was that of a worker that died: a mailer of files takes milliseconds.
_FORGIVE = """
UPDATE mails SET due_at = clock_timestamp() WHERE due_at > clock_timestamp() + interval '1 second'
    AND due_at < clock_timestamp() + make_interval(secs => :lease_s - 30)
"""
_LAST_SUCCESS = """
SELECT extract(epoch FROM max(at))::float
FROM (SELECT event, at FROM job_events ORDER BY id DESC LIMIT 500) latest WHERE event = 'succeeded'
"""
_UNSETTLED = """
SELECT (SELECT count(*) FROM jobs WHERE finished_at IS NULL)
    + (SELECT count(*) FROM mails) + (SELECT count(*) FROM garbage WHERE due_at <= clock_timestamp())
"""


def run(home: Path, seconds: float, pause_s: float, seed: int, users: int = USERS) -> Figures:
    """Disturb a site for so long, let it settle without faults, and audit it."""
    ledger, lock = Ledger(), threading.Lock()
    with running_site(home) as (site, services):
        clients = [Client(site.url, services, ledger, lock, seed + number) for number in range(users)]
        disturber = Disturber(site, pause_s, seed, lambda since: _is_back(services, clients, since))
        began = time.monotonic()
        try:
            _disturb(clients, disturber, seconds)
            minutes = (time.monotonic() - began) / 60
            until(lambda: _has_settled(site, services), "the site has settled", SETTLE_LIMIT_S, every_s=0.5)
        finally:
            for client in clients:
                client.close()
        ledger.mails = _count_mails(site.home / "mail")
        return _figures(services, site, ledger, clients, disturber, minutes)


def _disturb(clients: Sequence[Client], disturber: Disturber, seconds: float) -> None:
    over, calm = threading.Event(), threading.Event()
    with ThreadPoolExecutor(len(clients) + 1) as pool:
        disturbing = pool.submit(disturber.run, over)
        using = [pool.submit(client.run, calm) for client in clients]
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not disturbing.done():
            over.wait(min(left, PROGRESS_S))
            submits, errors = (sum(len(getattr(client, what)) for client in clients) for what in ("submits", "errors"))
            _say(f"{left / 60:.1f} minutes left: {submits} jobs, {len(disturber.faults)} faults, {errors} errors")
        over.set()
        disturbing.result()
        calm.set()
        for one in using:
            one.result()


def _is_back(services: Services, clients: Sequence[Client], since: float) -> bool:
    """Return whether a submit that began since then was accepted, and a job has succeeded since then."""
    if not any(began > since for client in clients for began, _ in client.submits[-2:]):
        return False
    try:
        with services.db.statement() as connection:
            return (connection.execute(text(_LAST_SUCCESS)).scalar_one() or 0) > since
    except Unavailable:
        return False


def _has_settled(site: Site, services: Services) -> bool:
    site.revive()
    try:
        with services.db.statement() as connection:
            connection.execute(text(_FORGIVE), {"lease_s": LEASE_S})
            return bool(connection.execute(text(_UNSETTLED)).scalar_one() == 0)
    except Unavailable:
        return False


def _count_mails(folder: Path) -> Counter[UUID]:
    """Return how many mails have arrived about each job."""
    found = (_MAIL_ID.search(path.read_bytes()) for path in folder.glob("*.eml"))
    return Counter(UUID(match[1].decode()) for match in found if match)


def _figures(
    services: Services, site: Site, ledger: Ledger, clients: Sequence[Client], disturber: Disturber, minutes: float
) -> Figures:
    with services.db.statement() as connection:
        succeeded = connection.execute(text("SELECT count(*) FROM jobs WHERE state = 'succeeded'")).scalar_one()
    return Figures(
        minutes=minutes,
        jobs=len(ledger.accepted),
        succeeded=succeeded,
        faults=disturber.faults,
        recoveries=recoveries(services, disturber.faults, [one for client in clients for one in client.submits]),
        answers=sum((client.answers for client in clients), Counter()),
        errors=sorted(error for client in clients for error in client.errors),
        unasked=site.unasked,
        violations=audit(services, ledger, settled=True),
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument(
        "--pause", type=float, default=0.5, metavar="SECONDS", help="before each fault, on average (0.5)"
    )
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", action="store_true", help="leave the site's data and logs, and print where they are")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="easel-chaos-"))
    try:
        figures = run(folder / "home", 60 * arguments.minutes, arguments.pause, arguments.seed)
    finally:
        if arguments.keep:
            _say(f"The site's data and logs are in {folder}")
        else:
            shutil.rmtree(folder)
    sys.stdout.write(f"Seed {arguments.seed}\n\n{figures.table()}\n")
    return 1 if figures.violations else 0


if __name__ == "__main__":
    sys.exit(main())
