"""What a check is, and the sentences in which one says that a promise is broken."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.clients.storage import ObjectMissing
from shared.core.errors import Unavailable
from shared.storage_conformance.probe import Answer, Probe


class Broken(Exception):
    """The storage does not keep a promise; the message is one sentence about what it did."""


@dataclass(frozen=True)
class Check:
    """One promise. `run` raises Broken, or what Storage raises."""

    name: str
    promise: str
    run: Callable[[Probe], None]

    def outcome(self, probe: Probe) -> Broken | None:
        """Try it; None says that the promise is kept."""
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
        def register(run: Callable[[Probe], None]) -> Callable[[Probe], None]:
            self.checks.append(Check(run.__name__.strip("_").replace("_", "-"), promise, run))
            return run

        return register


def expect(holds: bool, otherwise: str) -> None:
    """Raises Broken with the sentence unless it holds."""
    if not holds:
        raise Broken(otherwise)


def expect_refused(answer: Answer, what: str) -> None:
    """Raises Broken unless the request was answered with a refusal."""
    expect(answer.refused, f"{what} was answered {answer.status}.")


def expect_opens(probe: Probe, key: str, data: bytes = b"12345") -> Answer:
    """The answer to a presigned URL of the object. Raises Broken unless it brings these bytes."""
    answer = probe.send("GET", probe.link(key))
    expect(answer.status == 200, f"A presigned URL was answered {answer.status}.")
    expect(answer.body == data, "A presigned URL opened other bytes than were stored.")
    return answer


def tampered(text: str) -> str:
    """The same text with another last character, still a hexadecimal digit."""
    return text[:-1] + ("0" if text[-1] != "0" else "1")
