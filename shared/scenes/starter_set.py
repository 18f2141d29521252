"""The set of places and actions that comes with Easel."""

from pathlib import Path

from sqlalchemy import text

from shared.scenes import catalogue
from shared.scenes.folder import read_folder
from shared.services import Services

STARTER = Path(__file__).with_name("starter")
"""A folder as it is imported; `make scenes` draws its pictures."""


def is_empty(services: Services) -> bool:
    """Return whether the catalogue has no place and no action."""
    query = text("SELECT NOT EXISTS (SELECT FROM places) AND NOT EXISTS (SELECT FROM actions)")
    with services.db.statement() as connection:
        return bool(connection.execute(query).scalar_one())


def import_starter(services: Services) -> bool:
    """Import the set into an empty catalogue; return whether it was empty."""
    empty = is_empty(services)
    if empty:
        catalogue.import_folder(services, read_folder(STARTER))
    return empty
