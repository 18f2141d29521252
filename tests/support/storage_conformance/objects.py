"""Objects: written, read, listed and deleted."""

from shared.clients.storage import ObjectTooLarge
from shared.clients.storage_checks import Broken, Checklist
from shared.clients.storage_probe import Probe

check = Checklist()


@check("An object that is larger than its reader allows is not read.")
def _bounded_read(probe: Probe) -> None:
    try:
        probe.storage.get(probe.stored("bounded"), 4)
    except ObjectTooLarge:
        return
    raise Broken("Five bytes were read where four were allowed.")
