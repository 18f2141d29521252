"""How a command ends: its exit codes, and the one exception that carries a code and a sentence up to `main`."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command; scripts rely on them."""

    DONE = 0
    FAILED = 1
    WRONG_USE = 2
    UNREACHABLE = 3
    TIMED_OUT = 4
    INTERRUPTED = 130


class Ended(Exception):
    """The command cannot go on. `message` is what the person reads: one sentence, and what to do if that is known."""

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def wrong_use(message: str) -> Ended:
    """What was asked for cannot be done as it was asked."""
    return Ended(Exit.WRONG_USE, message)
