"""The headers of all answers and the rules for other origins, as functions/headers.json declares them.

The gateway, nginx, CloudFront and API Gateway all read that one file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HEADERS = Path(__file__).parent.parent / "headers.json"
STORAGE = "{storage}"
"""Where a header names the origin of the pictures."""


@dataclass(frozen=True)
class Cors:
    """What pages of other origins may send to the API and read of its answers."""

    allow_methods: list[str]
    allow_headers: list[str]
    expose_headers: list[str]


@dataclass(frozen=True)
class Headers:
    """The headers of each kind of answer, by their names, and the rules for other origins.

    `api` are those of every answer that has no other of the same name; `tls` come with them where browsers use TLS.
    """

    site: Mapping[str, str]
    docs: Mapping[str, str]
    api: Mapping[str, str]
    tls: Mapping[str, str]
    cors: Cors

    def site_headers(self, storage_origin: str) -> dict[str, str]:
        """Return the headers of the site's files, for pictures that come from this origin."""
        return {name: value.replace(STORAGE, storage_origin) for name, value in self.site.items()}

    def usual_headers(self, public_url: str) -> dict[str, str]:
        """Return the headers that every answer of a site at this address has, unless it has others."""
        return {**self.api, **(self.tls if public_url.startswith("https:") else {})}


@cache
def declared_headers() -> Headers:
    """Read functions/headers.json."""
    document = json.loads(HEADERS.read_text(encoding="utf-8"))
    return Headers(**{**document, "cors": Cors(**document["cors"])})
