"""What browsers let the site's pages do (CORS), and no others."""

from shared.clients.storage_checks import Checklist, allows, expect, preflight
from shared.clients.storage_probe import Probe

OTHER_ORIGIN = "https://elsewhere.example.com"


check = Checklist()


@check("A page of another origin may not.")
def _other_page(probe: Probe) -> None:
    expect(
        not allows(preflight(probe, OTHER_ORIGIN), OTHER_ORIGIN), "The storage lets the pages of every origin upload."
    )
