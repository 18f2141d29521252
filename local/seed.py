"""Fill a new site: the gallery's examples and the starter set of scenes: `python -m local.seed [<marker file>]`."""

import sys
from pathlib import Path

from shared.admin.examples import seed_examples
from shared.scenes.starter_set import import_starter
from shared.services import Services


def main(arguments: list[str]) -> None:
    """Do what was not done before. The marker file lets a later start skip this program."""
    services = Services.from_environment()
    if import_starter(services):
        print("The places and actions of scenes are imported.")
    queued = seed_examples(services)
    if queued:
        print(f"{queued} example pictures for the gallery are queued.")
    for marker in arguments:
        Path(marker).touch()


if __name__ == "__main__":
    main(sys.argv[1:])
