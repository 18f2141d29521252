"""The program that runs a picture checker, named by its first argument, in a process with limits.

It answers `{"ready": true}` once the checker is loaded. Each request is a width, a height (4 bytes each), and the
pixels in RGB; each answer is a line of JSON with `found`. It ends with its stdin, and where a checker fails.
"""

import json
import os
import resource
import struct
import sys
from typing import TextIO

from PIL import Image

from shared.images.checkers import MAX_MEMORY_BYTES, check_finding, load_checker

NICE = 5


def main(name: str) -> None:
    """Load the checker and look at pictures until there are no more."""
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_DATA, MAX_MEMORY_BYTES)):
        resource.setrlimit(kind, (most, most))
    os.nice(NICE)
    # What a checker's libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    checker = load_checker(name)
    _answer(answers, {"ready": True})
    source = sys.stdin.buffer
    while len(head := source.read(8)) == 8:
        size: tuple[int, int] = struct.unpack(">II", head)
        picture = Image.frombytes("RGB", size, source.read(3 * size[0] * size[1]))
        _answer(answers, {"found": check_finding(checker.find_fault(picture))})


def _answer(answers: TextIO, found: dict[str, object]) -> None:
    answers.write(json.dumps(found) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
