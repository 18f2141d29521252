"""A client for the checks of a storage: a new prefix, and plain HTTP requests like a browser's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import urllib3

from shared.clients.storage import PresignedPost, Storage
from shared.core.errors import Unavailable
from shared.core.origins import canonical_origin
from shared.core.settings import Settings

ANSWER_BYTES = 100_000
TRY_LATER = (408, 429)


@dataclass(frozen=True)
class Answer:
    """An answer of the storage. Header names are case-insensitive; `body` is cut at 100 kB."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Return whether the storage refused the request itself; an error of a broken or busy storage is no refusal."""
        return 400 <= self.status < 500 and self.status not in TRY_LATER


class Probe:
    """Writes only under `prefix`, which is new each time.

    Links are signed for the public endpoint. If that cannot be reached from here, as in a container whose users come
    through the host, they are opened through the internal endpoint under the public name, as a proxy would do.

    Raises:
        Unavailable: The storage does not answer, as with Storage.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.storage = Storage(settings)
        self.prefix = f"conformance/{uuid4()}/"
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=20), retries=False, maxsize=2)
        self._public_answers: bool | None = None

    def stored(self, name: str, data: bytes = b"12345") -> str:
        """Store an object under this name and return its key."""
        self.storage.put(self.prefix + name, data, "image/png")
        return self.prefix + name

    def link(self, key: str) -> str:
        """Return a URL of the object, signed now."""
        return self.storage.presigned_url(key, datetime.now(UTC))

    def address(self, key: str) -> str:
        """Return the URL of the object without a signature."""
        return self.link(key).split("?")[0]

    def form(self, name: str, *, at: datetime | None = None) -> PresignedPost:
        """Return a form for one upload of five bytes of type image/png."""
        return self.storage.presigned_post(self.prefix + name, "image/png", 5, at or datetime.now(UTC))

    def upload(
        self,
        form: PresignedPost,
        data: bytes = b"12345",
        *,
        changes: Mapping[str, str] | None = None,
        without: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a form like a browser, with some fields changed or one left out; the file is last."""
        fields: list[tuple[str, object]] = [
            (name, value) for name, value in (form.fields | dict(changes or {})).items() if name != without
        ]
        body, content_type = urllib3.encode_multipart_formdata(
            [*fields, ("file", ("picture.png", data, "image/png"))]  # type: ignore[list-item]
        )
        return self.send("POST", form.url, headers={"Content-Type": content_type, **(headers or {})}, body=body)

    def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request, without retries or redirects.

        Raises:
            Unavailable: There is no answer.
        """
        outer = urlsplit(url)
        is_public = canonical_origin(url) == self.storage.public_origin
        if not is_public or self._public_answers is not False:
            try:
                answer = self._send(method, url, dict(headers or {}), body)
            except Unavailable:
                if (
                    not is_public
                    or self._public_answers
                    or self.settings.s3_endpoint == self.settings.s3_public_endpoint
                ):
                    raise
                self._public_answers = False
            else:
                self._public_answers = is_public or self._public_answers
                return answer
        inner = urlsplit(self.settings.s3_endpoint)
        through = urlunsplit(outer._replace(scheme=inner.scheme, netloc=inner.netloc))
        return self._send(method, through, {**(headers or {}), "Host": outer.netloc}, body)

    def close(self) -> None:
        """Delete the objects that were written.

        Raises:
            Unavailable: The storage did not delete them.
        """
        try:
            self.storage.delete(self.storage.sizes_bytes(self.prefix))
        finally:
            self._http.clear()

    def _send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        try:
            response = self._http.request(
                method, url, headers=headers, body=body, redirect=False, preload_content=False
            )
            try:
                data = response.read(ANSWER_BYTES)
                return Answer(response.status, response.headers, data)
            finally:
                response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable("The storage cannot be reached.") from error
