"""The exit codes of the commands, and the exception that ends one with a code and a message."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command; scripts rely on them."""

    DONE = 0
    FAILED = 1
    USAGE_ERROR = 2
    UNREACHABLE = 3
    TIMED_OUT = 4
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends the command. `message` is one sentence for the user, with what to do if that is known."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def usage_error(message: str) -> CommandError:
    """Return the error for arguments that cannot be used."""
    return CommandError(ExitCode.USAGE_ERROR, message)
