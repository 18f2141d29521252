"""Exports: what their files hold, however often the worker dies, and when they are deleted."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from shared.accounts import identity_store, passkey_store
from shared.accounts import store as user_store
from shared.accounts.auth import Credential
from shared.admin import gallery
from shared.clients.storage import Storage
from shared.core.errors import NotFound, Unavailable
from shared.exports import making, service
from shared.exports.store import ExportRecord
from shared.gallery import publication
from shared.polling import garbage
from tests.support.outboxes import are_due
from tests.support.photos import photo
from tests.support.world import World

PHOTO = photo(0)


class Owner:
    """A user with jobs: two with pictures, of which one starts from an upload, one that is queued, and a likeness."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = world.user()
        self.credential: Credential = world.credential(self.id)
        self.upload = f"uploads/{self.id}/photo.jpg"
        world.sql(
            "INSERT INTO uploads (user_id, key, content_type, size_bytes, in_use)"
            " VALUES (:id, :key, 'image/jpeg', 9, true)",
            id=self.id,
            key=self.upload,
        )
        world.services.storage.put(self.upload, PHOTO, "image/jpeg")
        self.drawn = [world.submit(self.id, prompt="маяк ночью", n=2), world.submit(self.id, prompt="a lake")]
        world.finish(*self.drawn)
        world.sql(
            "INSERT INTO job_sources (job_id, index, upload_key) VALUES (:job_id, 0, :key)",
            job_id=self.drawn[1],
            key=self.upload,
        )
        self.trained = self._train()
        world.finish(world.submit(world.user(), prompt="of another user"))
        self.waiting = world.submit(self.id, prompt="later")

    def _train(self) -> UUID:
        """Have a job like a finished training, and its likeness."""
        key = "jobs/none/adapter.safetensors"
        self.world.services.storage.put(key, b"weights", "application/octet-stream")
        job_id = self.world.submit(self.id, prompt="Rex")
        self.world.finish(job_id)
        self.world.sql(
            "INSERT INTO likenesses (job_id, user_id, code, subject, name, adapter_sha256, adapter_key, expires_at)"
            " VALUES (:job_id, :user, '12345678', 'animal', 'Rex', repeat('0', 64), :key, now() + interval '90 days')",
            job_id=job_id,
            user=self.id,
            key=key,
        )
        return job_id

    def ask(self) -> ExportRecord:
        return service.request(self.world.services, self.credential)

    def look(self, found: ExportRecord) -> ExportRecord:
        return service.get(self.world.services, self.credential, found.id)

    def open(self, found: ExportRecord) -> list[zipfile.ZipFile]:
        """Return the files of an export."""
        ready = self.look(found)
        assert ready.state == "ready"
        return [
            zipfile.ZipFile(io.BytesIO(self.world.services.storage.get(file.key, file.size_bytes)))
            for file in ready.files
        ]


@pytest.fixture
def owner(world: World) -> Owner:
    return Owner(world)


def check(owner: Owner, archives: list[zipfile.ZipFile]) -> None:
    """Check that the files together have everything of the owner's, each once, and nothing else."""
    jobs = [job for archive in archives for job in json.loads(archive.read("jobs.json"))]
    assert [job["id"] for job in jobs] == [str(one) for one in (owner.waiting, owner.trained, *reversed(owner.drawn))]
    held = {name: archive.read(name) for archive in archives for name in archive.namelist() if "/" in name}
    pictures = {image.key for job_id in (*owner.drawn, owner.trained) for image in owner.world.images(job_id)}
    stored = [owner.world.services.storage.get(key, 10**7) for key in sorted(pictures)]
    assert sorted(data for name, data in held.items() if name.startswith("pictures/")) == sorted(stored)
    assert held["uploads/photo.jpg"] == PHOTO
    assert held["likenesses/12345678.safetensors"] == b"weights"
    named = [name for job in jobs for name in (*(image["file"] for image in job["images"]), *job["source_images"])]
    named += [job["likeness"]["file"] for job in jobs if job["likeness"]]
    assert sorted(named) == sorted(held)
    assert all(archive.testzip() is None for archive in archives)


def test_an_export_has_everything_of_its_user(world: World, owner: Owner) -> None:
    world.sql("INSERT INTO known_devices (user_id, device) VALUES (:id, 'Firefox, Linux')", id=owner.id)
    with world.services.db.begin() as connection:
        identity_store.add(connection, owner.id, "https://accounts.example.com", "248289761001", None)
        passkey_store.add(connection, owner.id, "a phone", b"its id", b"its key", 0)
    found = owner.ask()
    assert (found.state, found.progress) == ("queued", None)
    assert are_due(world.services, ["exports"])
    assert making.make_due(world.services) == 1
    assert not are_due(world.services, ["exports"])
    assert owner.look(found).progress == 1
    [archive] = owner.open(found)
    check(owner, [archive])
    account = json.loads(archive.read("account.json"))
    assert [one["code"] for one in account["likenesses"]] == ["12345678"]
    assert [one["kind"] for one in account["tokens"]] == ["api"]
    assert [one["device"] for one in account["known_devices"]] == ["Firefox, Linux"]
    assert account["confirmed_at"] is None
    assert [one["subject"] for one in account["identities"]] == ["248289761001"]
    [passkey] = account["passkeys"]
    assert passkey.keys() == {"name", "created_at", "last_used_at"}
    assert (passkey["name"], passkey["last_used_at"]) == ("a phone", None)
    [secret] = world.sql("SELECT password_hash, mail_secret, webhook_secret FROM users WHERE id = :id", id=owner.id)
    everything = archive.read("account.json") + archive.read("jobs.json")
    for value in (secret.mail_secret, secret.webhook_secret, owner.credential.token_hash):
        assert value.hex().encode() not in everything
    assert b"password" not in everything


def test_an_export_has_what_operators_decided_and_the_appeal(world: World, owner: Owner) -> None:
    gallery.take_down(world.services, owner.drawn[0], "Not for all.")
    publication.appeal(world.services, owner.credential, owner.drawn[0], "It is art.")
    found = owner.ask()
    making.make_due(world.services)
    [archive] = owner.open(found)
    decisions = {job["id"]: job["publication"] for job in json.loads(archive.read("jobs.json"))}
    decided = decisions.pop(str(owner.drawn[0]))
    assert (decided["state"], decided["reason"]) == ("removed", "Not for all.")
    assert decided["appeal"] == {"text": "It is art.", "state": "waiting"}
    assert decided["appealed_at"] is not None
    assert {one["state"] for one in decisions.values()} == {"private"}


def test_an_export_has_publications_as_their_owner_sees_them(world: World, owner: Owner) -> None:
    """A take-down from before decisions were kept has no row, and that an operator is to look is not shown."""
    taken_down, listed = owner.drawn[:2]
    world.sql("UPDATE jobs SET taken_down_at = clock_timestamp() WHERE id = :id", id=taken_down)
    world.sql("UPDATE jobs SET published_at = clock_timestamp() WHERE id = :id", id=listed)
    world.sql(
        "INSERT INTO publications (job_id, review, awaits_since) VALUES (:id, 'listed', clock_timestamp())", id=listed
    )
    found = owner.ask()
    making.make_due(world.services)
    [archive] = owner.open(found)
    states = {job["id"]: job["publication"]["state"] for job in json.loads(archive.read("jobs.json"))}
    assert states[str(taken_down)] == "removed"
    assert states[str(listed)] == "public"


def test_a_large_export_is_several_files(world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "FILE_BYTES", 1)
    found = owner.ask()
    assert making.make_due(world.services) == 4
    archives = owner.open(found)
    # A file is ended by what it holds: the first by the account, the second after a job without pictures.
    assert [len(json.loads(archive.read("jobs.json"))) for archive in archives] == [0, 2, 1, 1]
    check(owner, archives)


def test_files_are_limited_by_jobs_too(world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "JOBS_PER_FILE", 2)
    monkeypatch.setattr(making, "JOBS_READ_AT_ONCE", 2)
    found = owner.ask()
    making.make_due(world.services)
    check(owner, owner.open(found))


def test_a_user_without_jobs_gets_the_account(world: World) -> None:
    user_id = world.user()
    credential = world.credential(user_id)
    service.request(world.services, credential)
    assert making.make_due(world.services) == 1
    [[found], _] = service.list_own(world.services, credential, before=None, limit=5)
    archive = zipfile.ZipFile(io.BytesIO(world.services.storage.get(found.files[0].key, 10**6)))
    assert json.loads(archive.read("jobs.json")) == []
    assert json.loads(archive.read("account.json"))["id"] == str(user_id)


class _Killed(BaseException):
    """As if the process had ended here."""


def dying(call: Callable[..., None], nth: int, *, after: bool) -> Callable[..., None]:
    """Return a function that makes a call, and ends the process before or after its nth."""
    left = iter(range(nth - 1, -1, -1))

    def called(*args: Any) -> None:
        last = next(left) == 0
        if last and not after:
            raise _Killed
        call(*args)
        if last:
            raise _Killed

    return called


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_killed_worker_loses_one_file(
    world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch, nth: int, after: bool
) -> None:
    monkeypatch.setattr(making, "FILE_BYTES", 1)
    found = owner.ask()
    with monkeypatch.context() as patched:
        patched.setattr(Storage, "put_file", dying(Storage.put_file, nth, after=after))
        with pytest.raises(_Killed):
            making.make_due(world.services)
    assert making.make_due(world.services) == 0  # the lease of the dead worker has not ended
    expire_lease(world)
    making.make_due(world.services)
    check(owner, owner.open(found))
    stored = set(world.services.storage.sizes_bytes(service.folder(owner.id)))
    assert stored >= {file.key for file in owner.look(found).files}
    assert stored <= world.garbage()


def expire_lease(world: World) -> None:
    world.sql("UPDATE exports SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")


def test_a_worker_whose_lease_has_ended_adds_nothing(
    world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = owner.ask()

    def overtaken(storage: Storage, *args: Any) -> None:
        monkeypatch.undo()
        expire_lease(world)
        assert making.make_due(world.services) == 1  # by another worker, meanwhile
        storage.put_file(*args)

    monkeypatch.setattr(Storage, "put_file", overtaken)
    assert making.make_due(world.services) == 0
    assert len(owner.look(found).files) == 1
    check(owner, owner.open(found))


def test_an_outage_of_the_storage_only_delays(world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    found = owner.ask()

    def down(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "put_file", down)
        assert making.make_due(world.services) == 0
    assert owner.look(found).state == "making"
    expire_lease(world)
    assert making.make_due(world.services) == 1
    check(owner, owner.open(found))


def test_a_stopped_worker_leaves_the_export_to_the_next(world: World, owner: Owner) -> None:
    found = owner.ask()
    answers = iter([False, False])
    assert making.make_due(world.services, lambda: next(answers, True)) == 0
    assert making.make_due(world.services) == 1
    check(owner, owner.open(found))


def test_what_cannot_be_made_for_a_day_has_failed(world: World, owner: Owner) -> None:
    found = owner.ask()
    world.sql("UPDATE exports SET created_at = created_at - interval '25 hours'")
    garbage.retire(world.services)
    failed = owner.look(found)
    assert (failed.state, failed.error_code) == ("failed", "export_failed")
    assert service.export_view(world.services, failed)["files"] == []
    assert owner.ask().id != found.id


def test_exports_are_deleted_after_a_week(world: World, owner: Owner) -> None:
    found = owner.ask()
    making.make_due(world.services)
    keys = [file.key for file in owner.look(found).files]
    world.sql("UPDATE exports SET expires_at = expires_at - interval '7 days'")
    garbage.retire(world.services)
    with pytest.raises(NotFound):
        owner.look(found)
    assert world.garbage() >= set(keys)


def test_another_export_replaces_the_last(world: World, owner: Owner) -> None:
    first = owner.ask()
    making.make_due(world.services)
    second = owner.ask()
    with pytest.raises(NotFound):
        owner.look(first)
    assert service.folder(owner.id, first.id) in world.garbage()
    making.make_due(world.services)
    check(owner, owner.open(second))


def test_orphans_are_collected_and_files_are_kept(world: World, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "LOST_OBJECTS_KEPT_S", -60)
    found = owner.ask()
    making.make_due(world.services)
    lost = f"{service.folder(owner.id)}lost.zip"
    world.services.storage.put(lost, b"x", "application/zip")
    for _ in garbage.collect_orphans(world.services, dry_run=False):
        pass
    kept = set(world.services.storage.sizes_bytes(service.folder(owner.id)))
    assert kept == {file.key for file in owner.look(found).files}


def test_a_deleted_account_leaves_no_export(world: World, owner: Owner) -> None:
    owner.ask()
    making.make_due(world.services)
    owner.ask()
    with world.services.db.begin() as connection:
        user_store.close(connection, owner.id)
    assert making.make_due(world.services) == 0  # also while its rows are deleted
    with world.services.db.begin() as connection:
        while user_store.delete_some(connection, owner.id):
            pass
    assert service.folder(owner.id) in world.garbage()
