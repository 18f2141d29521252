"""Keeping the claims of a process while their steps run."""

import logging
import threading
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shared.core.db import Database, DatabaseFault
from shared.core.errors import Unavailable
from shared.jobs.states import LEASE_RENEWAL_S
from shared.polling import lease_store, unsettled
from shared.polling.claims import ClaimedJob

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim that is renewed. `unwanted` is set once the step's outcome is no longer wanted.

    That is when the job is to be cancelled, or the claim is lost.
    """

    claim: ClaimedJob
    unwanted: threading.Event = field(default_factory=threading.Event)


class Leases:
    """Renews the claims of this process every 2 s, all by one statement, in a thread that runs while there are any."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[UUID, Lease] = {}
        self._unsettled: dict[UUID, ClaimedJob] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def keep(self, claim: ClaimedJob) -> Lease:
        """Renew this claim until it is dropped."""
        lease = Lease(claim)
        with self._changed:
            self._kept[claim.attempt_token] = lease
            self._start()
        return lease

    def drop(self, claim: ClaimedJob) -> None:
        """Stop renewing this claim."""
        with self._changed:
            self._kept.pop(claim.attempt_token, None)
            self._changed.notify()

    def settle(self, ended: Sequence[ClaimedJob]) -> None:
        """End claims whose outcomes were not written. While the database refuses that, renew them and try again."""
        if not ended or self._settles(ended):
            return
        with self._changed:
            self._unsettled |= {claim.attempt_token: claim for claim in ended}
            self._start()

    def settle_all_but(self, attempt_tokens: Container[UUID]) -> None:
        """Drop and end the claims without these tokens."""
        with self._changed:
            strays = [lease.claim for token, lease in self._kept.items() if token not in attempt_tokens]
        for claim in strays:
            self.drop(claim)
        self.settle(strays)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._renew_while_any, name="lease", daemon=True)
            self._thread.start()

    def _renew_while_any(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._kept and not self._unsettled, LEASE_RENEWAL_S)
                kept, ended = list(self._kept.values()), list(self._unsettled.values())
                if not kept and not ended:
                    self._thread = None
                    return
            self._renew(kept, ended)
            if ended and self._settles(ended):
                with self._changed:
                    for claim in ended:
                        self._unsettled.pop(claim.attempt_token, None)

    def _renew(self, kept: list[Lease], ended: list[ClaimedJob]) -> None:
        try:
            with self._db.statement() as connection:
                renewed = lease_store.renew(connection, [*(lease.claim for lease in kept), *ended])
        except (Unavailable, DatabaseFault):
            _log.warning("the leases could not be renewed; trying again")
            return
        for lease in kept:
            cancelling = renewed.get(lease.claim.attempt_token)
            if cancelling is None:
                self.drop(lease.claim)
            if cancelling is not False:
                lease.unwanted.set()

    def _settles(self, ended: Sequence[ClaimedJob]) -> bool:
        try:
            unsettled.settle(self._db, ended)
        except (Unavailable, DatabaseFault):
            _log.warning("claims without an outcome could not be ended; trying again")
            return False
        return True
