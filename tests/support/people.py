"""Users of Easel in the tests."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Person:
    """A user with an account and a session token."""

    id: UUID
    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that authenticate a request of this user."""
        return {"Authorization": f"Bearer {self.token}"}
