"""Every check of an S3 storage that Easel needs: those of `easel check`, and attempts of attackers.

The rules are those of "Authenticating Requests" and "Browser-Based Uploads Using POST" in the S3 API reference.
"""

from shared.clients.storage_checks import ESSENTIAL, Check
from tests.support.storage_conformance import entry, forms, links, objects, pages

CHECKS: tuple[Check, ...] = (
    *ESSENTIAL,
    *(check for part in (objects, links, forms, entry, pages) for check in part.check.checks),
)
