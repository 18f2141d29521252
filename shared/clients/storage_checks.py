"""The minimum that Easel needs of an S3 storage, as checks that `easel check` runs on a real one.

They write only under a new prefix, less than 2 MB in all, delete that afterwards, and need no rights but Easel's.
The tests run many more checks, in the same form, on every server that is available.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from shared.clients.storage import ObjectMissing
from shared.clients.storage_probe import Answer, Probe
from shared.core.errors import Unavailable
from shared.core.settings import Settings

LONGEST_S = 120
"""After this time no further check is started."""
NOT_TRIED = "It was not tried, because the storage is too slow."


class Broken(Exception):
    """The storage does not do what a check expects; the message says what it did."""


@dataclass(frozen=True)
class Check:
    """One promise of the storage. `run` raises Broken, or what Storage raises."""

    name: str
    promise: str
    run: Callable[[Probe], None]

    def outcome(self, probe: Probe) -> Broken | None:
        """Run the check and return what is broken, if anything."""
        try:
            self.run(probe)
        except Broken as broken:
            return broken
        except Unavailable as error:
            return Broken(error.detail)
        except ObjectMissing:
            return Broken("An object that had just been stored was missing.")
        return None


class Checklist:
    """Collects the checks of a module in their order: `@check("The promise.")` above each."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def __call__(self, promise: str) -> Callable[[Callable[[Probe], None]], Callable[[Probe], None]]:
        """Return a decorator that adds a check of this promise."""

        def register(run: Callable[[Probe], None]) -> Callable[[Probe], None]:
            self.checks.append(Check(run.__name__.strip("_").replace("_", "-"), promise, run))
            return run

        return register


def expect(holds: bool, otherwise: str) -> None:
    """Check a condition.

    Raises:
        Broken: It does not hold; the message is `otherwise`.
    """
    if not holds:
        raise Broken(otherwise)


def expect_refused(answer: Answer, what: str) -> None:
    """Check that a request was refused.

    Raises:
        Broken: It was not.
    """
    expect(answer.refused, f"{what} was answered {answer.status}.")


def expect_opens(probe: Probe, key: str, data: bytes = b"12345") -> Answer:
    """Return the answer to a presigned URL of the object.

    Raises:
        Broken: The answer does not contain these bytes.
    """
    answer = probe.send("GET", probe.link(key))
    expect(answer.status == 200, f"A presigned URL was answered {answer.status}.")
    expect(answer.body == data, "A presigned URL opened other bytes than were stored.")
    return answer


def tampered(text: str) -> str:
    """Return the text with its last character replaced by another hexadecimal digit."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")


def expect_not_taken(
    probe: Probe,
    name: str,
    what: str,
    data: bytes = b"12345",
    changes: Mapping[str, str] | None = None,
    without: str = "",
) -> None:
    """Check that an upload, changed in one way, is refused and stores nothing.

    Raises:
        Broken: It was accepted or stored.
    """
    expect_refused(probe.upload(probe.form(name), data, changes=changes, without=without), what)
    expect(probe.storage.sizes_bytes(probe.prefix + name) == {}, f"{what} was refused and stored all the same.")


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
    listed = probe.storage.sizes_bytes(probe.prefix + "delete/")
    expect(len(listed) == 3, "Other objects were listed than were meant to be deleted.")
    probe.storage.delete(listed)
    expect(probe.storage.sizes_bytes(probe.prefix + "delete/") == {}, "Objects were left after they had been deleted.")
    expect(probe.send("GET", probe.link(keys[0])).status == 404, "The link of a deleted object is not answered 404.")
    expect(probe.storage.size_bytes(neighbour) == 5, "An object was deleted that should have stayed.")


@check("A presigned URL opens its object.")
def _link_opens(probe: Probe) -> None:
    expect_opens(probe, probe.stored("link"))


@check("A form takes the upload that was announced.")
def _form_works(probe: Probe) -> None:
    answer = probe.upload(probe.form("form"))
    expect(answer.succeeded, f"An upload as announced was answered {answer.status}.")
    headers = expect_opens(probe, probe.prefix + "form").headers
    expect(headers.get("Content-Type") == "image/png", "An upload has another Content-Type than was announced.")


@check("A form takes no larger file than was announced.")
def _form_larger(probe: Probe) -> None:
    expect_not_taken(probe, "larger", "An upload that is too large", data=b"123456")


@check("Without a signature nothing is read.")
def _anonymous_get(probe: Probe) -> None:
    expect_refused(probe.send("GET", probe.address(probe.stored("private"))), "Reading without a signature")


@check("A page of the site may upload.")
def _page_may_upload(probe: Probe) -> None:
    for origin in page_origins(probe):
        expect(
            allows(preflight(probe, origin), origin),
            f"The storage does not let pages of {origin} upload: its CORS rule is missing.",
        )
        answer = probe.upload(probe.form("page"), headers={"Origin": origin})
        expect(allows(answer, origin), f"The answer to an upload cannot be read by pages of {origin}.")


@check("A page of the site may read pictures.")
def _page_may_read(probe: Probe) -> None:
    link = probe.link(probe.stored("read"))
    for origin in page_origins(probe):
        answer = probe.send("GET", link, headers={"Origin": origin})
        expect(allows(answer, origin), f"Pages of {origin} cannot read pictures: the storage's CORS rule is missing.")


def page_origins(probe: Probe) -> tuple[str, ...]:
    """Return the origins of the site's pages, and of others that may call the API."""
    return (probe.settings.public_url, *probe.settings.cors_origins)


def preflight(probe: Probe, origin: str) -> Answer:
    """Send a browser's preflight request for an upload by pages of this origin."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return probe.send("OPTIONS", probe.form("page").url, headers=headers)


def allows(answer: Answer, origin: str) -> bool:
    """Return whether pages of this origin may read the answer."""
    return answer.succeeded and answer.headers.get("Access-Control-Allow-Origin") in (origin, "*")


ESSENTIAL: tuple[Check, ...] = tuple(check.checks)
"""The first checks the bucket."""


def run_checks(
    settings: Settings, checks: Sequence[Check] = ESSENTIAL
) -> Generator[tuple[Check, Broken | None], None, None]:
    """Run the checks in order; None means that one passed. Ends after the first if there is no bucket."""
    probe = Probe(settings)
    end = time.monotonic() + LONGEST_S
    try:
        for check in checks:
            outcome = check.outcome(probe) if time.monotonic() < end else Broken(NOT_TRIED)
            yield check, outcome
            if outcome and check is checks[0]:
                return
    finally:
        # The check of deletions reports undeletable objects; the bucket's lifecycle rule removes them.
        with contextlib.suppress(Unavailable):
            probe.close()
