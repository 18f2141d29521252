"""Fixtures of the contract tests: doors, users and finished jobs."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from infra.bundle import Bundle
from shared.accounts import store as user_store
from shared.accounts import token_store
from shared.accounts.tokens import new_token, token_hash
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support import scene_folder
from tests.support.browser_session import SITE, Browser
from tests.support.deployment import Cloud, Deployment, function_environment
from tests.support.doors import Door, Doors
from tests.support.identity_provider import CLIENT_SECRET, IdentityProvider
from tests.support.people import Person
from tests.support.poller import Poller

# Everything is tested through the gateway. The other doors have the same functions: only how they hand requests over
# differs. tests/deploy/cloud covers the deployed one.
SHARES: dict[str, tuple[str, ...]] = {
    "deployed": (),
    "lambda": ("test_contract_jobs", "test_contract_sessions", "test_contract_uploads", "test_contract_waiting"),
    "rest": ("test_contract_methods", "test_contract_sessions"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem not in SHARES.get(_door_of(item), (item.path.stem,)):
            item.add_marker(pytest.mark.long)


def _door_of(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("doors")) if callspec is not None else ""


@pytest.fixture(scope="session", params=["asgi", "lambda", "rest", "deployed"])
def doors(request: pytest.FixtureRequest) -> Iterator[Doors]:
    deploy = request.getfixturevalue("deploy") if request.param == "deployed" else None
    with Doors(request.param, deploy) as doors:
        yield doors


@pytest.fixture(scope="session")
def deploy(cloud: Cloud, bundle: Bundle) -> Callable[[Services], Deployment]:
    return lambda services: Deployment(cloud, bundle, function_environment(services.settings))


@pytest.fixture(scope="session")
def asgi_doors() -> Iterator[Doors]:
    with Doors("asgi") as doors:
        yield doors


@pytest.fixture
def door(doors: Doors, services: Services, request: pytest.FixtureRequest) -> Door:
    """Open Easel on an empty database, through each door."""
    if doors.kind == "deployed" and "monkeypatch" in request.fixturenames:
        pytest.skip("what runs in Lambda cannot be patched from here")
    return doors.open(services)


@pytest.fixture
def asgi_door(asgi_doors: Doors, services: Services) -> Door:
    """Open Easel through the gateway, which handles requests in parallel."""
    return asgi_doors.open(services)


@pytest.fixture
def with_settings(services: Services) -> Iterator[Callable[..., Services]]:
    """Return a function that gives the same servers with other settings."""
    made: list[Services] = []

    def change(**changes: Any) -> Services:
        made.append(Services(services.settings.model_copy(update=changes)))
        return made[-1]

    yield change
    for other in made:
        other.db.close()


@pytest.fixture
def person(services: Services) -> Callable[[str], Person]:
    """Return a function that creates accounts without the slow password hash: `person("ada")`."""

    def make(name: str) -> Person:
        email, secret = f"{name}@example.com", new_token()
        with services.db.begin() as connection:
            user = user_store.create(connection, email, "no password")
            hashed = token_hash(secret)
            assert hashed is not None
            token_store.create_token(connection, user.id, hashed, kind="session", name=None, lifetime_s=3600)
        return Person(user.id, email, secret)

    return make


@pytest.fixture
def ada(person: Callable[[str], Person]) -> Person:
    return person("ada")


@pytest.fixture
def bob(person: Callable[[str], Person]) -> Person:
    return person("bob")


@pytest.fixture
def submit(door: Door, ada: Person) -> Callable[..., dict[str, Any]]:
    """Return a function that queues a job of Ada's and returns its view."""

    def submit_job(**fields: Any) -> dict[str, Any]:
        response = door.post("/v1/jobs", json={"prompt": "a lighthouse at night", **fields}, headers=ada.headers)
        assert response.status_code == 202, response.text
        job: dict[str, Any] = response.json()
        return job

    return submit_job


@pytest.fixture
def step(services: Services, poller: Poller) -> Callable[[], int]:
    """Return a function that dispatches queued jobs, advances each generating one and counts the unfinished."""

    def advance_all() -> int:
        poller.start()
        with services.db.begin() as connection:
            due = connection.execute(
                text("UPDATE jobs SET next_step_at = clock_timestamp() WHERE state = 'generating' RETURNING id")
            ).scalars()
            job_ids = list(due)
        for job_id in job_ids:
            poller.advance(job_id)
        with services.db.statement() as connection:
            left = connection.execute(text("SELECT count(*) FROM jobs WHERE state IN ('held', 'queued', 'generating')"))
            return int(left.scalar_one())

    return advance_all


@pytest.fixture
def finish(step: Callable[[], int]) -> Callable[[], None]:
    """Return a function that finishes all queued jobs."""

    def work() -> None:
        for _ in range(100):
            if not step():
                return
        raise AssertionError("the jobs did not finish within 100 steps")

    return work


@pytest.fixture
def photo(door: Door, ada: Person, services: Services) -> str:
    """Return the key of an upload of Ada's that has arrived."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 80, 20)).save(buffer, "PNG")
    data = buffer.getvalue()
    body = {"content_type": "image/png", "size": len(data)}
    key: str = door.post("/v1/uploads", json=body, headers=ada.headers).json()["key"]
    services.storage.put(key, data, "image/png")
    return key


@pytest.fixture
def catalogue(services: Services, poller: Poller, generator: FakeGenerator, tmp_path: Path) -> Path:
    """Fill the catalogue, and let the generator make scenes."""
    folder = scene_folder.write(tmp_path / "scenes")
    scene_folder.importer(services, folder)()
    generator.extensions = ALL_EXTENSIONS
    with services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE generators SET look_at = clock_timestamp()")
    poller.sweep()
    return folder


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityProvider]:
    monkeypatch.setenv("EASEL_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    with IdentityProvider() as provider:
        yield provider


@pytest.fixture
def provider_site(with_settings: Callable[..., Services], provider: IdentityProvider) -> Services:
    return with_settings(public_url=SITE, **provider.settings)


@pytest.fixture
def sign_in_door(doors: Doors, provider_site: Services) -> Door:
    return doors.open(provider_site)


@pytest.fixture
def browser(sign_in_door: Door) -> Browser:
    return Browser(sign_in_door)
