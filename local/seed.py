"""Submit the gallery's example requests, once: `python -m local.seed [<marker file>]`."""

import sys
from pathlib import Path

from shared.admin.examples import seed_examples
from shared.services import Services


def main(arguments: list[str]) -> None:
    """Submit the examples unless that was done before. The marker file lets a later start skip this program."""
    queued = seed_examples(Services.from_environment())
    if queued:
        print(f"{queued} example pictures for the gallery are queued.")
    for marker in arguments:
        Path(marker).touch()


if __name__ == "__main__":
    main(sys.argv[1:])
