"""Pictures in S3-compatible storage; the only place that knows S3.

There are two endpoints: the internal one, through which this process stores and reads, and the public one, for which
URLs are signed, since a URL signed for a container's host name does not open in a browser.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from itertools import islice
from typing import IO, Literal
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import ParseError

import urllib3
from minio.credentials.credentials import Credentials
from minio.credentials.providers import IamAwsProvider, Provider, StaticProvider
from minio.datatypes import PostPolicy
from minio.deleteobjects import DeleteObject
from minio.error import InvalidResponseError, MinioException, S3Error
from minio.helpers import MIN_PART_SIZE, DictType
from minio.signer import sign_v4_s3
from minio.time import to_amz_date

from shared.clients.s3_client import StorageClock, connect
from shared.clients.storage_connections import PASSING
from shared.core.errors import Unavailable
from shared.core.origins import canonical_origin
from shared.core.settings import Settings

CACHE_CONTROL = "private, max-age=31536000, immutable"
POST_LIFETIME_S = 15 * 60
NO_BODY_SHA256 = sha256(b"").hexdigest()
PAGE = 1000
"""The number of objects in a page of a listing, and of keys in a delete request: S3's maximum."""
CHECK_KEY, WRITE_KEPT_S = "health", 30.0
"""The object that a check writes, and for how long a write shows that others can be written."""
ROLE_LIMIT_S = 3.0
"""How long this machine's metadata service, which gives credentials, may take to connect, and to answer."""
SIGNED_KEPT = 4096
"""The number of presigned URLs that one process caches; about 3 MB."""


class ObjectMissing(Exception):
    """No object has this key."""


class ObjectTooLarge(Exception):
    """The object is larger than the caller is willing to read."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object in a listing; the time is the storage's."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class SigningWindow:
    """A time in which each object has one presigned URL for everyone. `url` returns it for the object's key."""

    expires_at: datetime
    url: Callable[[str], str]


@dataclass(frozen=True)
class PresignedPost:
    """A form that lets a browser upload one object: POST `fields`, then the file as `file`, to `url`."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class Storage:
    """One bucket. Raises Unavailable when the storage cannot be reached.

    `public_origin` is the origin of every presigned URL and form.
    """

    def __init__(self, settings: Settings) -> None:
        self._bucket = settings.s3_bucket
        self._region = settings.s3_region
        self._lifetime_s = settings.url_ttl_s
        self._credentials = _credentials(settings)
        self.clock = StorageClock()
        self._internal = connect(settings, settings.s3_endpoint, self._credentials, self.clock)
        self._public = connect(settings, settings.s3_public_endpoint, self._credentials, self.clock)
        # The client decides whether the bucket's name belongs to the host; no real key is needed for that.
        example = connect(settings, settings.s3_public_endpoint, StaticProvider("any", "any"), self.clock)
        self.public_origin = canonical_origin(example.get_presigned_url("GET", self._bucket, "any"))
        self._written_at = float("-inf")
        # A picture's URL stays the same within a window, so it is signed once. The access key is part of the cache's
        # key: a URL signed with credentials that have changed since is not returned.
        self._signed = lru_cache(maxsize=SIGNED_KEPT)(self._sign)

    def put(self, key: str, data: bytes, content_type: str) -> str:
        """Store one object that never changes; return its ETag. Caches may keep it permanently."""
        with _translated():
            stored = self._internal.put_object(
                self._bucket,
                key,
                BytesIO(data),
                len(data),
                content_type,
                metadata={"Cache-Control": CACHE_CONTROL},
                part_size=max(len(data), MIN_PART_SIZE),  # one PUT, whatever the size: its ETag is the MD5
            )
        return stored.etag or ""

    def put_file(self, key: str, file: IO[bytes], size_bytes: int, content_type: str) -> None:
        """Store what a file holds from its position on, in parts, of which a few are in memory at once."""
        with _translated():
            self._internal.put_object(
                self._bucket,
                key,
                file,  # type: ignore[arg-type] # it only reads
                size_bytes,
                content_type,
                metadata={"Cache-Control": CACHE_CONTROL},
                part_size=2 * MIN_PART_SIZE,
            )

    def get(self, key: str, max_bytes: int, *, etag: str | None = None) -> bytes:
        """Return the object's bytes. etag: what `get_begin` has said of them, if they must be the same.

        Raises:
            ObjectMissing: No object has this key, or it has other bytes.
            ObjectTooLarge: It is larger than `max_bytes`.
        """
        with _translated():
            response = self._internal.get_object(self._bucket, key)
            try:
                if etag is not None and _etag(response) != etag:
                    raise ObjectMissing(key)
                data = response.read(max_bytes + 1)
            finally:
                response.close()
                response.release_conn()
        if len(data) > max_bytes:
            raise ObjectTooLarge(key)
        return data

    def get_begin(self, key: str, max_bytes: int) -> tuple[bytes, str]:
        """Return the first bytes of an object that is not empty, and its ETag, which other bytes would change.

        Raises:
            ObjectMissing: No object has this key.
        """
        with _translated():
            response = self._internal.get_object(self._bucket, key, offset=0, length=max_bytes)
            try:
                return response.read(max_bytes), _etag(response)
            finally:
                response.close()
                response.release_conn()

    def size_bytes(self, key: str) -> int:
        """Return the object's size.

        Raises:
            ObjectMissing: No object has this key.
        """
        with _translated():
            return self._internal.stat_object(self._bucket, key).size or 0

    def sizes_bytes(self, prefix: str) -> dict[str, int]:
        """Return the size of every object whose key starts with `prefix`, by key."""
        with _translated():
            listed = self._internal.list_objects(self._bucket, prefix=prefix, recursive=True)
            return {entry.object_name or "": entry.size or 0 for entry in listed}

    def pages(self, prefix: str) -> Iterator[list[StoredObject]]:
        """Yield every object whose key starts with `prefix`, in the order of the keys, in pages of at most 1000.

        Objects of earlier pages may be deleted meanwhile: each page is requested by the last key before it.
        """
        last: str | None = None
        while True:
            with _translated():
                listed = self._internal.list_objects(self._bucket, prefix=prefix, recursive=True, start_after=last)
                page = [
                    StoredObject(entry.object_name or "", entry.size or 0, entry.last_modified)
                    for entry in islice(listed, PAGE)
                    if entry.last_modified is not None
                ]
            if not page:
                return
            yield page
            last = page[-1].key

    def delete(self, keys: Collection[str]) -> None:
        """Delete these objects.

        Raises:
            Unavailable: At least one of them was not deleted.
        """
        for code in self.delete_each(keys).values():
            raise Unavailable(f"The storage did not delete an object ({code}).")

    def delete_each(self, keys: Collection[str]) -> dict[str, str]:
        """Delete as many of these objects as the storage allows; return the codes of its refusals, by key."""
        with _translated():
            refused = list(self._internal.remove_objects(self._bucket, [DeleteObject(key) for key in keys]))
        if any(not refusal.name for refusal in refused):
            raise Unavailable(f"The storage did not delete an object ({refused[0].code}).")
        return {refusal.name or "": refusal.code for refusal in refused}

    def signing_window(self, now: datetime) -> SigningWindow:
        """Return the window that `now` is in. It lasts for half the lifetime of a URL.

        Within it the same key gets the same URL, so that browsers can cache the picture; at least half the lifetime
        always remains.
        """
        begin, access_key = self._signing_time(now), self._credentials.retrieve().access_key
        expires_at = begin + timedelta(seconds=self._lifetime_s)
        return SigningWindow(expires_at, lambda key: self._signed("GET", key, None, begin, access_key))

    def presigned_url(
        self, key: str, now: datetime, *, download_name: str | None = None, method: Literal["GET", "HEAD"] = "GET"
    ) -> str:
        """Return a URL that opens the object for anyone who has it; `signing_window` says for how long."""
        access_key = self._credentials.retrieve().access_key
        return self._signed(method, key, download_name, self._signing_time(now), access_key)

    def presigned_post(self, key: str, content_type: str, size_bytes: int, now: datetime) -> PresignedPost:
        """Return a form for one upload; the storage accepts only this key, this type and exactly this size."""
        expires_at = self.clock.correct(now) + timedelta(seconds=POST_LIFETIME_S)
        policy = PostPolicy(self._bucket, expires_at)
        policy.add_equals_condition("key", key)
        policy.add_equals_condition("Content-Type", content_type)
        policy.add_content_length_range_condition(size_bytes, size_bytes)
        fields = self._public.presigned_post_policy(policy) | {"key": key, "Content-Type": content_type}
        object_url = urlsplit(self.presigned_url(key, now))
        bucket_url = urlunsplit(object_url._replace(path=object_url.path.removesuffix("/" + key), query=""))
        return PresignedPost(bucket_url or "/", fields, expires_at)

    def signed_request(self, method: str, key: str, at: datetime) -> tuple[str, dict[str, str]]:
        """Return the URL and headers of a request without a body, signed for the time `at`."""
        credentials = self._credentials.retrieve()
        url = urlsplit(self._internal.get_presigned_url("GET", self._bucket, key))._replace(query="")
        headers: DictType = {"Host": url.netloc, "x-amz-content-sha256": NO_BODY_SHA256, "x-amz-date": to_amz_date(at)}
        if credentials.session_token:
            headers["x-amz-security-token"] = credentials.session_token
        signed = sign_v4_s3(
            method=method,
            url=url,
            region=self._region,
            headers=headers,
            credentials=credentials,
            content_sha256=NO_BODY_SHA256,
            date=at,
        )
        return urlunsplit(url), {name: str(value) for name, value in signed.items()}

    def check(self) -> None:
        """Check that the bucket exists.

        Raises:
            Unavailable: It does not, or the storage cannot be reached.
        """
        with _translated():
            try:
                exists = self._internal.bucket_exists(self._bucket)
            except MinioException:
                # The answer to a HEAD does not have the reason, that to a GET has.
                next(self._internal.list_objects(self._bucket, prefix="jobs/"), None)
                raise
            if not exists:
                raise Unavailable(_REASONS["NoSuchBucket"])

    def check_writes(self) -> None:
        """Check that an object can be written, unless one was written here within the last 30 s.

        Raises:
            Unavailable: It cannot: the storage is full, for example, or only readable.
        """
        if time.monotonic() - self._written_at >= WRITE_KEPT_S:
            self.put(CHECK_KEY, b"ok", "text/plain")
            self._written_at = time.monotonic()

    def _sign(self, method: str, key: str, download_name: str | None, signing_time: datetime, _access_key: str) -> str:
        disposition = {"response-content-disposition": f'attachment; filename="{download_name}"'}
        return self._public.get_presigned_url(
            method,
            self._bucket,
            key,
            expires=timedelta(seconds=self._lifetime_s),
            response_headers=disposition if download_name else None,  # type: ignore[arg-type]
            request_date=signing_time,
        )

    def _signing_time(self, now: datetime) -> datetime:
        window_s = self._lifetime_s / 2
        return datetime.fromtimestamp(self.clock.correct(now).timestamp() // window_s * window_s, UTC)


def _etag(response: urllib3.BaseHTTPResponse) -> str:
    return (response.headers.get("ETag") or "").strip('"')


class _Role(IamAwsProvider):
    """The credentials of this machine's role, which are fetched when they are needed, also to sign a URL."""

    def __init__(self) -> None:
        again = urllib3.Retry(2, backoff_factor=0.2, status_forcelist=PASSING)
        super().__init__(http_client=urllib3.PoolManager(timeout=ROLE_LIMIT_S, retries=again))

    def retrieve(self) -> Credentials:
        """Return credentials that work. Raises Unavailable."""
        try:
            return super().retrieve()
        except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError, KeyError) as error:
            raise Unavailable("There are no AWS credentials for the storage.") from error


def _credentials(settings: Settings) -> Provider:
    if settings.s3_access_key is None:
        return _Role()
    return StaticProvider(settings.s3_access_key, settings.s3_secret_key or "", settings.s3_session_token)


_WRONG_REGION = "The storage has the bucket in another region than the configured one."
_REASONS = {
    "InvalidAccessKeyId": "The storage does not know the access key.",
    "SignatureDoesNotMatch": "The storage refuses the signature: the secret key is wrong, or a proxy changes requests.",
    "RequestTimeTooSkewed": "The storage's clock and this machine's are too far apart.",
    "AuthorizationHeaderMalformed": _WRONG_REGION,
    "IllegalLocationConstraintException": _WRONG_REGION,
    "PermanentRedirect": _WRONG_REGION,
    "TemporaryRedirect": _WRONG_REGION,
    "AccessDenied": "The storage does not permit this to the access key.",
    "ExpiredToken": "The storage's session token has expired.",
    "InvalidToken": "The storage refuses the session token.",
    "NoSuchBucket": "The storage has no bucket of the configured name.",
    "QuotaExceeded": "The storage is full.",
    "XMinioStorageFull": "The storage is full.",
    "BadRequest": "The storage refuses the requests, as it does for a wrong region, key or clock.",
}
"""What S3's codes mean. The answer to a HEAD has no body, and so only the code of its status."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if error.code in ("NoSuchKey", "NoSuchObject", "ResourceNotFound"):
            raise ObjectMissing(error.code) from None
        raise Unavailable(_REASONS.get(error.code or "", f"The storage answered {error.code}.")) from error
    except (InvalidResponseError, ParseError, ValueError) as error:  # the client reads any 2xx as XML
        raise Unavailable("The storage's address does not answer as S3 does.") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(_unreachable(error)) from error


def _unreachable(error: BaseException) -> str:
    """Return why there was no answer; urllib3 keeps the cause in `reason`, or in the chain."""
    causes: list[object] = [error]
    for cause in causes:
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "The storage's host name is unknown."
        if isinstance(cause, urllib3.exceptions.SSLError):
            return "The storage cannot be reached over an encrypted connection."
        more = (getattr(cause, name, None) for name in ("reason", "__cause__", "__context__"))
        causes += [link for link in more if isinstance(link, BaseException) and link not in causes]
    return "The storage cannot be reached."
