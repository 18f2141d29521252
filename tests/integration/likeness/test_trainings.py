"""From five photos to an adapter, through a real generator: what is stored, what is deleted, and what may go wrong."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from shared.core.errors import (
    IdempotencyMismatch,
    InvalidRequest,
    NotFound,
    StillRunning,
    TooManyLikenesses,
)
from shared.generators.training import ImgGeneratorTrainer, Trained
from shared.jobs import submission
from tests.support.photos import Sitter, photo, png_that_claims
from tests.support.world import World, with_settings


def objects(world: World, prefix: str) -> list[str]:
    """Return the keys of all objects below after everything that is garbage was deleted."""
    world.sql("UPDATE garbage SET due_at = clock_timestamp()")
    while world.poller.collect():
        pass
    return sorted(world.services.storage.sizes_bytes(prefix))


def test_it_works(world: World, sitter: Sitter) -> None:
    found = sitter.sit(name="Rex", steps_per_image=2)
    assert (found.state, found.subject, found.name, found.shared) == ("queued", "animal", "Rex", False)
    world.finish(found.id)
    ready = sitter.get(found.code)
    assert (ready.state, ready.progress) == ("ready", 1.0), world.timeline(found.id)
    [row] = world.sql("SELECT *, expires_at - clock_timestamp() AS left FROM likenesses")
    assert 89 <= row.left.days <= 90
    stored = world.services.storage.get(row.adapter_key, 1000)
    assert hashlib.sha256(stored).hexdigest() == row.adapter_sha256
    assert row.report == {"trigger": "word animal", "steps": 10, "seconds": 0.5}
    # A training may end before it is seen at work.
    events = [event for event in world.events(found.id) if event != "processing"]
    assert events == ["accepted", "started", "sent", "succeeded"]
    assert objects(world, f"jobs/{found.id}/") == [row.adapter_key]
    world.check_books()


def end_well(world: World, _: Sitter, found_id: object, __: Path) -> str:
    world.finish(found_id)  # type: ignore[arg-type]
    return "ready"


def end_badly(world: World, _: Sitter, found_id: object, signs: Path) -> str:
    (signs / "raise").touch()
    world.finish(found_id)  # type: ignore[arg-type]
    return "failed"


def cancel_early(world: World, sitter: Sitter, found_id: object, _: Path) -> str:
    submission.cancel(world.services, sitter.credential, found_id)  # type: ignore[arg-type]
    return "cancelled"


def cancel_late(world: World, sitter: Sitter, found_id: object, signs: Path) -> str:
    (signs / "go").unlink()
    world.run(lambda: world.row(found_id).progress == 0.5)  # type: ignore[arg-type]
    assert len(world.services.storage.sizes_bytes(f"uploads/{sitter.id}/")) == 6
    submission.cancel(world.services, sitter.credential, found_id)  # type: ignore[arg-type]
    world.finish(found_id)  # type: ignore[arg-type]
    return "cancelled"


@pytest.mark.parametrize("end", [end_well, end_badly, cancel_early, cancel_late])
def test_the_photos_are_deleted_whatever_the_end(
    world: World, sitter: Sitter, signs: Path, end: Callable[[World, Sitter, object, Path], str]
) -> None:
    found = sitter.sit()
    other = sitter.upload(photo(9))
    state = end(world, sitter, found.id, signs)
    assert sitter.get(found.code).state == state, world.timeline(found.id)
    assert objects(world, f"uploads/{sitter.id}/") == [other]
    assert world.sql("SELECT key FROM uploads") == [(other,)]
    assert not world.sql("SELECT FROM job_sources")
    world.check_books()


def test_another_job_loses_the_photo_and_says_so(world: World, sitter: Sitter) -> None:
    photos = sitter.upload_five()
    follower = sitter.draw(source_images=[photos[0]])
    found = sitter.sit(photos=photos)
    submission.cancel(world.services, sitter.credential, found.id)
    world.finish(follower)
    assert (world.state(follower), world.row(follower).error_code) == ("failed", "source_missing")


def test_a_training_takes_no_picture_its_place(world: World, sitter: Sitter, signs: Path) -> None:
    (signs / "go").unlink()
    world.sql("UPDATE generators SET max_in_flight = 1")
    world.poller.addresses = tuple(type(one)(one.protocol, one.url, 1) for one in world.poller.addresses)
    first, second = sitter.sit(), Sitter(world).sit()
    world.run(lambda: world.row(first.id).progress == 0.5)
    assert world.state(second.id) == "queued", "it trains one at a time"
    picture = Sitter(world).draw(seed=3)
    world.finish(picture)
    assert world.state(picture) == "succeeded", world.timeline(picture)
    with world.services.db.statement() as connection:
        query = text(
            "SELECT o.ahead, o.places FROM jobs j, job_outlook(j.id, j.state, j.turn, j.protocols, j.generator,"
            " j.cost, j.finished_at) o WHERE j.id = :id"
        )
        assert connection.execute(query, {"id": second.id}).one() == ([0, 0, False], 1)
    (signs / "go").touch()
    world.finish(first.id, second.id)
    assert (world.state(first.id), world.state(second.id)) == ("succeeded", "succeeded")


def test_a_forgotten_training_starts_again(world: World, sitter: Sitter, signs: Path) -> None:
    (signs / "go").unlink()
    found = sitter.sit()
    world.run(lambda: world.row(found.id).remote_id is not None)
    world.sql("UPDATE jobs SET remote_id = '999999'")
    (signs / "go").touch()
    world.finish(found.id)
    assert (world.state(found.id), world.row(found.id).attempts) == ("succeeded", 2)


JUNK = b"\x80\x04K\x01."  # a pickled 1


def wrong_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = ImgGeneratorTrainer.result
    monkeypatch.setattr(
        ImgGeneratorTrainer, "result", lambda trainer, remote_id: Trained("0" * 64, usual(trainer, remote_id).report)
    )
    monkeypatch.setattr(ImgGeneratorTrainer, "get_adapter", lambda *_: JUNK)


def no_safetensors(monkeypatch: pytest.MonkeyPatch) -> None:
    name = hashlib.sha256(JUNK).hexdigest()
    monkeypatch.setattr(ImgGeneratorTrainer, "result", lambda *_: Trained(name, {}))
    monkeypatch.setattr(ImgGeneratorTrainer, "get_adapter", lambda *_: JUNK)


@pytest.mark.parametrize("spoil", [wrong_hash, no_safetensors])
def test_what_is_no_adapter_is_not_stored(
    world: World, sitter: Sitter, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[pytest.MonkeyPatch], None]
) -> None:
    spoil(monkeypatch)
    found = sitter.sit()
    world.finish(found.id)
    assert (sitter.get(found.code).state, world.row(found.id).error_code) == ("failed", "generator_bad_adapter")
    assert objects(world, f"jobs/{found.id}/") == []


def test_a_file_that_is_too_large_is_not_read(world: World, sitter: Sitter, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = ImgGeneratorTrainer.get_adapter
    monkeypatch.setattr(
        ImgGeneratorTrainer, "get_adapter", lambda trainer, name, _, stop: usual(trainer, name, 9, stop)
    )
    found = sitter.sit()
    world.finish(found.id)
    assert world.row(found.id).error_code == "generator_too_large"


def refusal(sitter: Sitter, **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        sitter.sit(**fields)
    return [(fault.field, fault.code) for fault in caught.value.fields]


def test_a_site_without_trainer_refuses(world: World, sitter: Sitter) -> None:
    world.sql("UPDATE generators SET has_training = false, has_adapters = false")
    assert refusal(sitter) == [("photos", "not_offered")]
    with pytest.raises(InvalidRequest) as caught:
        sitter.draw(likeness="12345678")
    assert [(fault.field, fault.code) for fault in caught.value.fields] == [("likeness", "not_offered")]


def test_every_wrong_photo_is_named(world: World, sitter: Sitter) -> None:
    foreign = Sitter(world).upload(photo(1))
    photos = [
        sitter.upload(photo(0)),
        sitter.upload(photo(0)),
        foreign,
        sitter.upload(b"a text named photo.jpg"),
        sitter.upload(photo(4, 200)),
    ]
    assert sorted(refusal(sitter, photos=photos)) == [
        ("photos.1", "photo_repeated"),
        ("photos.2", "not_yours"),
        ("photos.3", "picture_wrong_format"),
        ("photos.4", "photo_too_small"),
    ]
    assert not world.sql("SELECT FROM jobs")
    assert len(world.sql("SELECT FROM uploads")) == 5, "they may be used again"


def test_a_key_leads_to_the_likeness_that_it_made(world: World, sitter: Sitter) -> None:
    photos = sitter.upload_five()
    first = sitter.sit("k", photos=photos)
    assert sitter.sit("k", photos=photos).code == first.code
    world.finish(first.id)
    assert sitter.sit("k", photos=photos).code == first.code, "also when the photos are gone"
    with pytest.raises(IdempotencyMismatch):
        sitter.sit("k", photos=photos, name="another")
    assert len(world.sql("SELECT FROM jobs")) == 1


def test_a_user_has_a_limited_number(world: World, sitter: Sitter) -> None:
    world.services = with_settings(world.services, max_likenesses=1)
    vars(world.services)["models"] = vars(world.poller.services)["models"]
    first = sitter.sit()
    with pytest.raises(TooManyLikenesses):
        sitter.sit()
    assert len(world.sql("SELECT FROM jobs")) == 1
    world.check_books()
    submission.cancel(world.services, sitter.credential, first.id)
    sitter.sit()
    world.services.db.close()


def test_a_likeness_goes_with_its_job_and_its_account(world: World, sitter: Sitter) -> None:
    from shared.likeness import service

    code = sitter.have()
    job_id = sitter.get(code).id
    unfinished = sitter.sit()
    with pytest.raises(StillRunning):
        service.delete(world.services, sitter.credential, unfinished.code)
    service.delete(world.services, sitter.credential, code)
    with pytest.raises(NotFound):
        sitter.get(code)
    assert objects(world, f"jobs/{job_id}/") == []
    another = sitter.get(sitter.have()).id
    assert objects(world, f"jobs/{another}/")
    assert objects(world, f"uploads/{sitter.id}/")
    world.sql("UPDATE users SET disabled_at = clock_timestamp(), deleted_at = clock_timestamp()")
    assert objects(world, f"jobs/{another}/") == objects(world, f"uploads/{sitter.id}/") == []
    assert not world.sql("SELECT FROM likenesses")


def test_an_expired_likeness_loses_its_file(world: World, sitter: Sitter) -> None:
    code = sitter.have()
    world.sql("UPDATE likenesses SET expires_at = clock_timestamp()")
    assert sitter.get(code).state == "expired"
    assert objects(world, f"jobs/{sitter.get(code).id}/") == []
    assert sitter.get(code).state == "expired"


def test_only_ones_own_are_listed_in_pages(world: World, sitter: Sitter) -> None:
    from shared.likeness import service

    codes = [sitter.sit().code for _ in range(3)]
    Sitter(world).sit()
    first, after = service.list_own(world.services, sitter.credential, None, 2)
    assert [one.code for one in first] == codes[:0:-1]
    assert after == str(first[-1].id)
    rest, end = service.list_own(world.services, sitter.credential, first[-1].id, 2)
    assert ([one.code for one in rest], end) == (codes[:1], None)


def test_a_photo_of_900_megapixels_costs_its_header_only(sitter: Sitter) -> None:
    photos = [*sitter.upload_five()[:4], sitter.upload(png_that_claims(30_000))]
    assert refusal(sitter, photos=photos) == [("photos.4", "picture_too_many_pixels")]


def test_a_picture_that_ends_too_early_is_broken(sitter: Sitter) -> None:
    photos = [*sitter.upload_five()[:4], sitter.upload(photo(5)[:5000])]
    assert refusal(sitter, photos=photos) == [("photos.4", "picture_broken")]
