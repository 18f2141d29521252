"""Keeping a claim while its step runs."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.core.db import Database
from shared.core.errors import Unavailable
from shared.jobs.states import LEASE_RENEWAL_S
from shared.polling import claims
from shared.polling.claims import ClaimedJob

_log = logging.getLogger(__name__)


@contextmanager
def kept(db: Database, claim: ClaimedJob) -> Iterator[threading.Event]:
    """Renew the lease of a claim every 2 s in a thread, until the block ends.

    The event is set once the step's outcome is no longer wanted: the job is to be cancelled, or the claim is lost.
    """
    done, unwanted = threading.Event(), threading.Event()
    thread = threading.Thread(target=_renew, args=(db, claim, done, unwanted), name="lease", daemon=True)
    thread.start()
    try:
        yield unwanted
    finally:
        done.set()
        thread.join()


def _renew(db: Database, claim: ClaimedJob, done: threading.Event, unwanted: threading.Event) -> None:
    while not done.wait(LEASE_RENEWAL_S):
        try:
            with db.statement() as connection:
                renewed = claims.renew(connection, claim.id, claim.attempt_token)
        except Unavailable:
            _log.warning("the lease could not be renewed; trying again")
            continue
        if renewed is None or renewed.cancelling:
            unwanted.set()
        if renewed is None:
            return
