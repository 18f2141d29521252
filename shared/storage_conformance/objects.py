"""Objects: written, read, listed and deleted."""

from shared.clients.storage import ObjectMissing, ObjectTooLarge
from shared.storage_conformance.check import Broken, Checklist, expect
from shared.storage_conformance.probe import Probe

check = Checklist()


@check("The bucket is there.")
def _bucket(probe: Probe) -> None:
    probe.storage.check()


@check("What is stored can be read again, with its size, byte by byte.")
def _round_trip(probe: Probe) -> None:
    for data in (b"12345", bytes(range(256)) * 4000):
        key = probe.stored("round-trip", data)
        expect(probe.storage.size_bytes(key) == len(data), "An object has another size than was stored.")
        expect(probe.storage.get(key, len(data)) == data, "An object has other bytes than were stored.")


@check("An object that is larger than its reader allows is not read.")
def _bounded_read(probe: Probe) -> None:
    try:
        probe.storage.get(probe.stored("bounded"), 4)
    except ObjectTooLarge:
        return
    raise Broken("Five bytes were read where four were allowed.")


@check("A key under which nothing is stored is told from a storage that fails.")
def _missing_key(probe: Probe) -> None:
    for ask in (lambda: probe.storage.get(probe.prefix + "nothing", 5), lambda: probe.storage.size_bytes(probe.prefix)):
        try:
            ask()
        except ObjectMissing:
            continue
        raise Broken("An object was found where none was stored.")


@check("Objects are listed by the beginning of their keys, with their sizes.")
def _list_by_prefix(probe: Probe) -> None:
    sizes = {f"{probe.prefix}list/{index}/a.png": index for index in range(3)}
    for key, size in sizes.items():
        probe.stored(key.removeprefix(probe.prefix), bytes(size))
    probe.stored("listed")
    found = probe.storage.sizes_bytes(probe.prefix + "list/")
    expect(found == sizes, f"{len(found)} objects were listed, or other sizes, where 3 had been stored.")


@check("Objects are deleted by the beginning of their keys, and no others.")
def _delete_by_prefix(probe: Probe) -> None:
    keys = [probe.stored(f"delete/{index}") for index in range(3)]
    neighbour = probe.stored("deleted")
    expect(probe.storage.delete_prefix(probe.prefix + "delete/") == 3, "Other objects were deleted than were meant.")
    expect(probe.storage.sizes_bytes(probe.prefix + "delete/") == {}, "Objects were left after they had been deleted.")
    expect(probe.send("GET", probe.link(keys[0])).status == 404, "The link of a deleted object is not answered 404.")
    expect(probe.storage.size_bytes(neighbour) == 5, "An object was deleted that should have stayed.")
