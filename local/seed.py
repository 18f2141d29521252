"""Queues the gallery's example prompts through the ordinary pipeline, once: `python -m local.seed`."""

from shared.gallery import seed_examples
from shared.services import Services


def main() -> None:
    """Doing it again queues only what is missing."""
    queued = seed_examples(Services.from_environment())
    if queued:
        print(f"{queued} example pictures for the gallery are queued.")


if __name__ == "__main__":
    main()
