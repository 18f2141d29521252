"""The standard streams of the commands: what cannot be printed does not end the work."""

import io
import os
import sys


def prepare_streams() -> None:
    """Let a terminal's encoding, or a stream that was closed before the start, not end the program.

    A character that the encoding lacks is escaped.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed, as by `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 # for the rest of the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str, end: str = "\n") -> None:
    """Print a text now. Without a reader, as after `| head`, or on a full disk, nothing is printed from now on."""
    try:
        print(text, end=end, flush=True)
    except OSError:
        forget_reader()


def forget_reader() -> None:
    """Send the rest of standard output nowhere: its reader is gone, and Python would report that again at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
