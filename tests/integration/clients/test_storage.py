"""Decisions of the class Storage; its demands on a server are in the conformance suite."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clients.storage import Storage
from shared.core.errors import Unavailable
from shared.services import Services
from tests.support.fault_proxy import Way, fault_proxy
from tests.support.world import with_settings

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def storage(session_services: Services) -> Storage:
    return session_services.storage


def now() -> datetime:
    return datetime.now(UTC)


@given(st.floats(1.6e9, 2.8e9), st.integers(60, 604_800))
def test_at_least_half_the_lifetime_is_left(session_services: Services, at_s: float, lifetime_s: int) -> None:
    at = datetime.fromtimestamp(at_s, UTC)
    storage = Storage(with_settings(session_services, url_ttl_s=lifetime_s).settings)
    left_s = (storage.signing_window(at).expires_at - at).total_seconds()
    assert lifetime_s / 2 <= left_s + 1e-3
    assert left_s <= lifetime_s + 1e-3


def test_a_url_is_stable_within_its_window(storage: Storage) -> None:
    start = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
    minutes = [storage.presigned_url("a", start + timedelta(minutes=minute)) for minute in range(60)]
    assert len(set(minutes[:30])) == len(set(minutes[30:])) == 1
    assert minutes[0] != minutes[30]


def test_a_url_is_signed_once_in_a_window_for_everyone(
    session_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []
    sign = Storage._sign

    def counted(self: Storage, method: str, key: str, name: str | None, at: datetime, access_key: str) -> str:
        signed.append(key)
        return sign(self, method, key, name, at, access_key)

    monkeypatch.setattr(Storage, "_sign", counted)
    storage, start = Storage(session_services.settings), datetime(2030, 1, 1, 12, 0, tzinfo=UTC)
    urls = {storage.signing_window(start + timedelta(minutes=minute)).url("a") for minute in range(30)}
    assert len(urls) == 1
    assert urls == {storage.presigned_url("a", start)}
    assert signed == ["a"]
    assert storage.signing_window(start + timedelta(minutes=30)).url("a") not in urls
    assert signed == ["a", "a"]


def test_the_cache_of_urls_is_bounded(session_services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.clients.storage.SIGNED_KEPT", 10)
    storage = Storage(session_services.settings)
    window = storage.signing_window(now())
    urls = [window.url(f"{place}") for place in range(50)]
    assert storage._signed.cache_info().currsize == 10
    assert [window.url(f"{place}") for place in range(50)] == urls


def test_urls_are_signed_for_the_public_endpoint(session_services: Services) -> None:
    settings = with_settings(session_services, s3_public_endpoint="https://pictures.example.com").settings
    storage = Storage(settings)
    storage.check()
    parts = urlsplit(storage.presigned_url("jobs/a.png", now()))
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "pictures.example.com", "/easel/jobs/a.png")
    form = storage.presigned_post("uploads/a.png", "image/png", 5, now())
    assert form.url == "https://pictures.example.com/easel"


def test_an_unreachable_storage_is_unavailable(session_services: Services) -> None:
    storage = Storage(with_settings(session_services, s3_endpoint=NOWHERE).settings)
    for call in (
        lambda: storage.put("a", b"1", "image/png"),
        lambda: storage.get("a", 1),
        lambda: storage.size_bytes("a"),
        lambda: storage.sizes_bytes("a"),
        lambda: storage.delete(["a"]),
        storage.check,
    ):
        with pytest.raises(Unavailable):
            call()


def test_a_missing_bucket_is_unavailable(session_services: Services) -> None:
    storage = Storage(with_settings(session_services, s3_bucket="no-such-bucket").settings)
    with pytest.raises(Unavailable, match="no bucket"):
        storage.check()


def test_invalid_keys_are_unavailable(session_services: Services) -> None:
    storage = Storage(with_settings(session_services, s3_secret_key="wrong").settings)
    with pytest.raises(Unavailable):
        storage.put("a", b"1", "image/png")


def test_a_signed_request_names_the_temporary_token(session_services: Services) -> None:
    """Fargate tasks and functions have such tokens; without one AWS does not accept the key."""
    storage = Storage(with_settings(session_services, s3_session_token="temporary").settings)
    url, headers = storage.signed_request("GET", "jobs/a.png", now())
    assert urlsplit(url).path == f"/{session_services.settings.s3_bucket}/jobs/a.png"
    assert headers["x-amz-security-token"] == "temporary"
    assert "x-amz-security-token" in headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]


def test_a_role_without_credentials_is_unavailable(session_services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    with fault_proxy(9, http=True) as metadata:
        metadata.way = Way(status=404)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{metadata.port}/role")
        storage = Storage(with_settings(session_services, s3_access_key=None, s3_secret_key=None).settings)
        for use in (
            lambda: storage.presigned_url("a", now()),
            lambda: storage.signing_window(now()),
            lambda: storage.presigned_post("a", "image/png", 1, now()),
            lambda: storage.get("a", 1),
        ):
            with pytest.raises(Unavailable, match="no AWS credentials"):
                use()
