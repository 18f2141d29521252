"""Objects: written, read, listed and deleted."""

from shared.clients.storage import ObjectTooLarge
from shared.clients.storage_checks import Broken, Checklist, expect
from shared.clients.storage_probe import Probe

check = Checklist()


@check("An object that is larger than its reader allows is not read.")
def _bounded_read(probe: Probe) -> None:
    try:
        probe.storage.get(probe.stored("bounded"), 4)
    except ObjectTooLarge:
        return
    raise Broken("Five bytes were read where four were allowed.")


@check("Other bytes under the same key have another ETag.")
def _etag_of_bytes(probe: Probe) -> None:
    key = probe.stored("replaced")
    _, first = probe.storage.get_begin(key, 4)
    probe.storage.get(key, 5, etag=first)
    probe.stored("replaced", b"54321")
    _, second = probe.storage.get_begin(key, 4)
    expect(first not in ("", second), "An object that was replaced has the same ETag.")
