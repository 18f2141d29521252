"""Pictures that an answer names by a link instead of holding them.

The link is text of an untrusted service, and whoever follows any link can be sent to servers that only this machine
reaches. So a picture is fetched only from the service's own host, from Cloudflare's object store, or from a host that
the operator names; without redirects, passwords or the service's key; and from the object store at public addresses
only, whatever the name service answers.
"""

import re
from urllib.parse import SplitResult, urlsplit

from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import check_http
from shared.generators.base import GeneratorBroken, Stop, never_stop
from shared.generators.transport import BoundedHttp

_PUBLIC_STORE = re.compile(r"([a-z0-9-]{1,63}\.){1,4}r2\.cloudflarestorage\.com")
"""Where the AI Horde keeps pictures: names for each account."""
_PORTS = {"http": 80, "https": 443}

MAX_LINK_CHARACTERS = 4096


class PictureLinks:
    """Fetches the pictures that the service at an address links to. Threads may share it."""

    def __init__(self, address: GeneratorAddress, *, connect_timeout_s: float, timeout_s: float) -> None:
        self._own = _server(urlsplit(address.url))
        self._named = (address.option("pictures_from") or "").lower()
        self._connect_timeout_s = connect_timeout_s
        self._timeout_s = timeout_s

    def fetch(self, link: str, limit_bytes: int, stop: Stop = never_stop) -> bytes:
        """Return the file behind a link.

        Raises:
            GeneratorBroken: The link leads elsewhere, or there is no such file.
            GeneratorUnavailable: It could not be fetched for now.
            GeneratorStopped: `stop` returned True.
        """
        parts = _split(link)
        public_only = self._check_place(parts)
        http = BoundedHttp(
            f"{parts.scheme}://{parts.netloc}", connect_timeout_s=self._connect_timeout_s, public_only=public_only
        )
        try:
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            answer = http.send("GET", target, None, timeout_s=self._timeout_s, limit_bytes=limit_bytes, stop=stop)
        finally:
            http.close()
        if 300 <= answer.status < 500 and answer.status not in (408, 429):
            raise _bad_link(f"leads to no picture (HTTP {answer.status})", lasting=False)
        check_http(answer, about_id=False)
        return answer.body

    def _check_place(self, parts: SplitResult) -> bool:
        """Return whether only public addresses are allowed there. Raises GeneratorBroken for a place that is not."""
        server = _server(parts)
        if server == self._own or (parts.netloc.lower() == self._named and parts.scheme in ("https", self._own[0])):
            return False
        if server[0] == "https" and server[2] == 443 and _PUBLIC_STORE.fullmatch(server[1]):
            return True
        raise _bad_link("leads to a host that is not allowed")


def _server(parts: SplitResult) -> tuple[str, str, int]:
    """Return the scheme, the host and the port of a URL."""
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _split(link: str) -> SplitResult:
    """Return the parts of a link without user, control characters and spaces. Raises GeneratorBroken."""
    if len(link) > MAX_LINK_CHARACTERS or not link.isascii() or any(character <= " " for character in link):
        raise _bad_link("is not a link")
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        raise _bad_link("is not a link") from None
    if not parts.hostname or "@" in parts.netloc or port == 0 or parts.scheme not in _PORTS:
        raise _bad_link("is not a link")
    return parts


def _bad_link(what: str, *, lasting: bool = True) -> GeneratorBroken:
    message = f"The generator names a picture by a link that {what}."
    return GeneratorBroken("generator_bad_link", message, lasting=lasting)
