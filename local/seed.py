"""Queues the gallery's example prompts through the ordinary pipeline, once: `python -m local.seed [<marker file>]`."""

import sys
from pathlib import Path

from shared.gallery.service import seed_examples
from shared.services import Services


def main(arguments: list[str]) -> None:
    """Doing it again queues nothing. The marker file, beside the database's data, saves a later start the question."""
    queued = seed_examples(Services.from_environment())
    if queued:
        print(f"{queued} example pictures for the gallery are queued.")
    for marker in arguments:
        Path(marker).touch()


if __name__ == "__main__":
    main(sys.argv[1:])
