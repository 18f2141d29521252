"""Pages of lists: how many rows to read, and where the next page begins."""

from typing import Protocol, TypeVar
from uuid import UUID


class HasId(Protocol):
    """A row or value that a page can be continued after."""

    @property
    def id(self) -> UUID | str:
        """The id that lists are ordered by."""
        ...


Item = TypeVar("Item", bound=HasId)


def page(items: list[Item], limit: int) -> tuple[list[Item], str | None]:
    """Return the first `limit` items, and the id to continue after if more items follow."""
    return (items[:limit], str(items[limit - 1].id)) if len(items) > limit else (items, None)
