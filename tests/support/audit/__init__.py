"""The auditor: finds what breaks a promise of the queue, in database, bucket and the clients' ledger.

It may run while the site works: rows are read from one snapshot, and what the storage seems to lack or to have in
excess is looked at again before it is reported.
"""

from tests.support.audit.auditor import audit
from tests.support.audit.ledger import Ledger

__all__ = ["Ledger", "audit"]
