"""Pictures in storage, on a real S3 server: objects, presigned URLs, forms for uploads."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from world import with_settings

from shared.errors import Unavailable
from shared.services import Services
from shared.storage import CACHE_CONTROL, ObjectMissing, ObjectTooLarge, PresignedPost, Storage

NOWHERE = "http://127.0.0.1:9"
LIFETIME_S = 3600


@pytest.fixture
def storage(session_services: Services) -> Storage:
    return session_services.storage


@pytest.fixture
def prefix() -> str:
    return f"test/{uuid4()}/"


def now() -> datetime:
    return datetime.now(UTC)


def test_what_is_put_can_be_got(storage: Storage, prefix: str) -> None:
    storage.put(prefix + "a", b"12345", "image/png")
    assert storage.get(prefix + "a", 5) == b"12345"
    assert storage.size_bytes(prefix + "a") == 5
    with pytest.raises(ObjectTooLarge):
        storage.get(prefix + "a", 4)


def test_what_was_not_put_is_missing(storage: Storage, prefix: str) -> None:
    with pytest.raises(ObjectMissing):
        storage.get(prefix, 5)
    with pytest.raises(ObjectMissing):
        storage.size_bytes(prefix)


def test_a_prefix_is_listed_and_deleted(storage: Storage, prefix: str) -> None:
    sizes = {f"{prefix}a/{index}": index for index in range(5)}
    for key, size in (sizes | {prefix + "b": 9}).items():
        storage.put(key, bytes(size), "image/png")
    assert storage.sizes_bytes(prefix + "a/") == sizes
    assert storage.delete_prefix(prefix + "a/") == 5
    assert storage.delete_prefix(prefix + "a/") == 0
    assert storage.sizes_bytes(prefix) == {prefix + "b": 9}


def test_a_presigned_url_opens_the_object(storage: Storage, prefix: str) -> None:
    storage.put(prefix + "a.png", b"12345", "image/png")
    url = storage.presigned_url(prefix + "a.png", now())
    answer = requests.get(url, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"12345")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == CACHE_CONTROL
    assert requests.get(url.replace("a.png", "b.png"), timeout=10).status_code == 403
    assert requests.get(url[:-1] + ("0" if url[-1] != "0" else "1"), timeout=10).status_code == 403
    assert requests.put(url, b"6", timeout=10).status_code == 403
    bare = url.split("?")[0]
    assert requests.get(bare, timeout=10).status_code == 403


def test_a_presigned_url_expires(storage: Storage, prefix: str) -> None:
    storage.put(prefix + "a", b"12345", "image/png")
    old = storage.presigned_url(prefix + "a", now() - timedelta(seconds=LIFETIME_S + 1))
    assert requests.get(old, timeout=10).status_code == 403
    still = storage.presigned_url(prefix + "a", now() - timedelta(seconds=LIFETIME_S / 2 - 60))
    assert requests.get(still, timeout=10).status_code == 200


def test_a_download_has_a_name(storage: Storage, prefix: str) -> None:
    storage.put(prefix + "a", b"12345", "image/png")
    answer = requests.get(storage.presigned_url(prefix + "a", now(), download_name="easel-1.png"), timeout=10)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="easel-1.png"'


@given(st.floats(1.6e9, 2.8e9), st.integers(60, 604_800))
def test_at_least_half_the_lifetime_is_left(session_services: Services, at_s: float, lifetime_s: int) -> None:
    at = datetime.fromtimestamp(at_s, UTC)
    storage = Storage(with_settings(session_services, url_ttl_s=lifetime_s).settings)
    left_s = (storage.url_expires_at(at) - at).total_seconds()
    assert lifetime_s / 2 <= left_s + 1e-3
    assert left_s <= lifetime_s + 1e-3


def test_a_url_is_stable_within_its_window(storage: Storage) -> None:
    start = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
    minutes = [storage.presigned_url("a", start + timedelta(minutes=minute)) for minute in range(60)]
    assert len(set(minutes[:30])) == len(set(minutes[30:])) == 1
    assert minutes[0] != minutes[30]


def test_urls_are_signed_for_the_public_endpoint(session_services: Services) -> None:
    settings = with_settings(session_services, s3_public_endpoint="https://pictures.example.com").settings
    storage = Storage(settings)
    storage.check()
    parts = urlsplit(storage.presigned_url("jobs/a.png", now()))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "pictures.example.com", "/easel/jobs/a.png")
    form = storage.presigned_post("uploads/a.png", "image/png", 5, now())
    assert form.url == "https://pictures.example.com/easel"


def upload(form: PresignedPost, data: bytes, **changes: str) -> int:
    files = {"file": ("a.png", data, changes.get("Content-Type", "image/png"))}
    return requests.post(form.url, data=form.fields | changes, files=files, timeout=10).status_code


def test_an_upload_is_held_to_what_was_announced(storage: Storage, prefix: str) -> None:
    form = storage.presigned_post(prefix + "a.png", "image/png", 5, now())
    assert form.expires_at > now()
    for data, changes in [
        (b"1234", {}),
        (b"123456", {}),
        (b"12345", {"key": prefix + "b.png"}),
        (b"12345", {"Content-Type": "text/html"}),
    ]:
        assert upload(form, data, **changes) in (400, 403)
    assert storage.sizes_bytes(prefix) == {}
    assert upload(form, b"12345") in (200, 201, 204)
    assert storage.get(prefix + "a.png", 5) == b"12345"


def test_an_old_form_is_refused(storage: Storage, prefix: str) -> None:
    form = storage.presigned_post(prefix + "a.png", "image/png", 5, now() - timedelta(hours=1))
    assert upload(form, b"12345") == 403
    assert storage.sizes_bytes(prefix) == {}


def test_a_storage_that_is_not_there(session_services: Services) -> None:
    storage = Storage(with_settings(session_services, s3_endpoint=NOWHERE).settings)
    for call in (
        lambda: storage.put("a", b"1", "image/png"),
        lambda: storage.get("a", 1),
        lambda: storage.size_bytes("a"),
        lambda: storage.sizes_bytes("a"),
        lambda: storage.delete_prefix("a"),
        storage.check,
    ):
        with pytest.raises(Unavailable):
            call()


def test_a_missing_bucket_is_unavailable(session_services: Services) -> None:
    storage = Storage(with_settings(session_services, s3_bucket="no-such-bucket").settings)
    with pytest.raises(Unavailable, match="no bucket"):
        storage.check()


def test_wrong_keys_are_unavailable(session_services: Services) -> None:
    storage = Storage(with_settings(session_services, s3_secret_key="wrong").settings)
    with pytest.raises(Unavailable):
        storage.put("a", b"1", "image/png")
