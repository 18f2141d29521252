"""Pictures that an answer names by a link instead of holding them: the one rule for the clients of all protocols.

The link is text of an untrusted service, and whoever follows any link can be sent to servers that only this machine
reaches. So a picture is fetched only from the service itself, from Cloudflare's object store, or from a host that the
operator names; without redirects; from others than the service without its key or password; and from the object store
at public addresses only, whatever the name service answers. No link leads to an address of the link alone, where clouds
serve a machine's keys, unless the operator says `link_local=1` of the generator.
"""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from shared.core.public_addresses import is_public
from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import check_http
from shared.generators.base import GeneratorBroken, Stop, never_stop
from shared.generators.transport import BoundedHttp, InnerAddress

_PUBLIC_STORE = re.compile(r"([a-z0-9-]{1,63}\.){1,4}r2\.cloudflarestorage\.com")
"""Where the AI Horde keeps pictures: names for each account."""
_PORTS = {"http": 80, "https": 443}

MAX_LINK_CHARACTERS = 4096


class PictureLinks:
    """Fetches the pictures that the service at an address links to. Threads may share it.

    The service itself gets the password of the address and `headers`, such as one with its key; others get neither.
    """

    def __init__(
        self, address: GeneratorAddress, *, connect_timeout_s: float, headers: Mapping[str, str] | None = None
    ) -> None:
        self._address = urlsplit(address.url)
        root = self._address._replace(path="").geturl()
        self._allowed = address.allowed
        self._own = BoundedHttp(root, connect_timeout_s=connect_timeout_s, headers=headers, allowed=self._allowed)
        self._named = (address.option("pictures_from") or "").lower()
        self._connect_timeout_s = connect_timeout_s

    def fetch(self, link: str, limit_bytes: int, *, timeout_s: float, stop: Stop = never_stop) -> bytes:
        """Return the file behind a link, which is a URL or a path of the service itself.

        Raises:
            GeneratorBroken: The link leads elsewhere, or there is no such file.
            GeneratorUnavailable: It could not be fetched for now.
            GeneratorStopped: `stop` returned True.
        """
        parts = self._split(link)
        target = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
        http = self._connections(parts)
        try:
            answer = http.send("GET", target, None, timeout_s=timeout_s, limit_bytes=limit_bytes, stop=stop)
        except InnerAddress:
            raise _bad_link("leads to an inner address") from None
        finally:
            if http is not self._own:
                http.close()
        if 300 <= answer.status < 500 and answer.status not in (408, 429):
            raise _bad_link(f"leads to no picture (HTTP {answer.status})", lasting=False)
        check_http(answer, about_id=False)
        return answer.body

    def close(self) -> None:
        """Close the connections."""
        self._own.close()

    def _split(self, link: str) -> SplitResult:
        """Return the parts of a link without user, control characters and spaces. Raises GeneratorBroken."""
        if len(link) > MAX_LINK_CHARACTERS or not link.isascii() or not link.isprintable() or " " in link:
            raise _bad_link("is not a link")
        try:
            parts = urlsplit(link)
            port = parts.port
        except ValueError:
            raise _bad_link("is not a link") from None
        if link.startswith("/") and not parts.netloc:
            return parts._replace(scheme=self._address.scheme, netloc=self._address.netloc)
        if not parts.hostname or "@" in parts.netloc or port == 0 or parts.scheme not in _PORTS:
            raise _bad_link("is not a link")
        return parts

    def _connections(self, parts: SplitResult) -> BoundedHttp:
        """Return the connections for the place of a link. Raises GeneratorBroken for one that is not allowed."""
        place = _server(parts)
        if place == _server(self._address):
            return self._own
        is_named = parts.netloc.lower() == self._named and parts.scheme in ("https", self._address.scheme)
        is_store = place[0] == "https" and place[2] == 443 and _PUBLIC_STORE.fullmatch(place[1]) is not None
        if not is_named and not is_store:
            raise _bad_link("leads to a host that is not allowed")
        return BoundedHttp(
            f"{parts.scheme}://{parts.netloc}",
            connect_timeout_s=self._connect_timeout_s,
            allowed=self._allowed if is_named else is_public,
        )


def _server(parts: SplitResult) -> tuple[str, str, int]:
    """Return the scheme, the host and the port of a URL."""
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _bad_link(what: str, *, lasting: bool = True) -> GeneratorBroken:
    message = f"The generator names a picture by a link that {what}."
    return GeneratorBroken("generator_bad_link", message, lasting=lasting)
