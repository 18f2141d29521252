"""What an API token may be used for. Sessions have every right."""

from typing import Literal

Right = Literal["jobs:read", "jobs:write", "account"]

RIGHTS: tuple[Right, ...] = ("jobs:read", "jobs:write", "account")
