"""Every promise that Easel needs of an S3 storage: those of `easel check`, and all that an attacker might try.

The rules are those of "Authenticating Requests" and "Browser-Based Uploads Using POST" in the S3 API reference.
"""

from shared.clients.storage_checks import ESSENTIAL, Check
from tests.support.storage_conformance import entry, forms, links, objects, pages

CHECKS: tuple[Check, ...] = (
    *ESSENTIAL,
    *(check for part in (objects, links, forms, entry, pages) for check in part.check.checks),
)
