"""Jobs with a time-lapse: where they go, what is stored, and what a failure costs."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import av
import pytest

from shared.api.schemas import JobRequest
from shared.clients.storage import Storage
from shared.core.errors import InvalidRequest, Unavailable
from shared.core.limits import TIMELAPSE_FRAMES
from shared.gallery.service import picture_url
from shared.generators.known_models import KnownModels
from shared.jobs import resolution
from shared.jobs import store as job_store
from shared.jobs.views import Pictures, job_json
from shared.polling import garbage_store
from shared.polling import timelapse as program
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support.poller import Poller
from tests.support.world import World


@pytest.fixture
def filming(world: World, generator: FakeGenerator) -> FakeGenerator:
    """Let the generator make frames."""
    generator.extensions = ALL_EXTENSIONS
    look_again(world)
    return generator


def look_again(world: World, poller: Poller | None = None) -> None:
    world.sql("UPDATE generators SET look_at = clock_timestamp()")
    (poller or world.poller).sweep()


def shown(world: World, job_id: UUID) -> dict[str, Any]:
    with world.services.db.statement() as connection:
        job = job_store.find_view(connection, job_id, world.row(job_id).user_id)
    assert job is not None
    seen: dict[str, Any] = json.loads(job_json(job, Pictures(world.services)))
    return seen


def film(world: World, **request: Any) -> UUID:
    job_id = world.submit(world.user(), timelapse=True, **request)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded", world.timeline(job_id)
    return job_id


def test_the_first_picture_gets_a_video(world: World, filming: FakeGenerator) -> None:
    job_id = film(world, n=2)
    assert filming.requests[-1]["frames"] == TIMELAPSE_FRAMES
    first, second = world.images(job_id)
    assert second.timelapse_key is None
    video = world.services.storage.get(first.timelapse_key, 3_000_000)
    with av.open(io.BytesIO(video), "r") as container:
        [stream] = container.streams
        assert (stream.type, stream.codec_context.name, stream.frames) == ("video", "h264", TIMELAPSE_FRAMES + 12)
    assert first.timelapse_key in shown(world, job_id)["timelapse_url"]
    link = picture_url(world.services, first.id, thumbnail=False, timelapse=True, download=True, head=False)
    assert first.timelapse_key in link
    assert f"easel-{first.id}.mp4" in link
    assert [row.code for row in world.timeline(job_id) if row.event == "succeeded"] == [None]
    world.check_one_set(job_id, 2)
    with world.services.db.statement() as connection:
        assert first.timelapse_key in garbage_store.list_keys_in_use(connection, [job_id]).keys


def test_without_the_wish_there_is_no_video(world: World, filming: FakeGenerator) -> None:
    job_id = world.submit(world.user())
    world.finish(job_id)
    assert "frames" not in filming.requests[-1]
    assert shown(world, job_id)["timelapse_url"] is None


def refuse_videos(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = Storage.put

    def put(self: Storage, key: str, data: bytes, content_type: str) -> str:
        if content_type == "video/mp4":
            raise Unavailable("The storage is full.")
        return usual(self, key, data, content_type)

    monkeypatch.setattr(Storage, "put", put)


def limit_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "LIMIT_S", 0.001)


@pytest.mark.parametrize("fail", [refuse_videos, limit_time])
def test_a_failure_costs_the_video_and_not_the_job(
    world: World, filming: FakeGenerator, monkeypatch: pytest.MonkeyPatch, fail: Callable[[pytest.MonkeyPatch], None]
) -> None:
    fail(monkeypatch)
    job_id = film(world)
    [row] = world.images(job_id)
    assert row.timelapse_key is None
    assert shown(world, job_id)["timelapse_url"] is None
    assert [entry.code for entry in world.timeline(job_id)][-1] == "no_timelapse"
    assert filming.counts["initiated"] == 1
    world.check_one_set(job_id, 1)


def test_a_generator_that_forgets_the_frames_costs_the_video(world: World, filming: FakeGenerator) -> None:
    job_id = world.submit(world.user(), timelapse=True)
    filming.extensions = ALL_EXTENSIONS - {"frames"}
    world.finish(job_id)
    assert (world.state(job_id), world.timeline(job_id)[-1].code) == ("succeeded", "no_timelapse")


@pytest.fixture
def two(world: World, generator: FakeGenerator) -> Iterator[tuple[Poller, FakeGenerator]]:
    """Yield a poller of the usual generator, which makes no frames, and of another one, which does."""
    with FakeGenerator(extensions=ALL_EXTENSIONS, max_in_flight=1) as other:
        poller = Poller(world.services, (generator.address, other.address))
        look_again(world, poller)
        yield poller, other
        poller.close_clients()


def test_it_goes_to_a_generator_that_makes_frames(world: World, two: tuple[Poller, FakeGenerator]) -> None:
    poller, other = two
    jobs = [world.submit(world.user(), timelapse=wish) for wish in (True, True, False)]
    started = poller.start()
    assert set(started) == {jobs[0], jobs[2]}, "one waits for the place of the other"
    assert world.row(jobs[0]).generator == other.address.name
    assert world.row(jobs[2]).generator != other.address.name


def refusal(world: World, monkeypatch: pytest.MonkeyPatch) -> InvalidRequest | None:
    wanted = JobRequest(prompt="a lighthouse", timelapse=True)
    job = resolution.new_job(wanted, None, b"")
    monkeypatch.setitem(vars(world.services), "models", KnownModels(world.services.db))
    return resolution.find_refusal(world.services, wanted, job)


def test_it_is_refused_where_no_generator_makes_frames(
    world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_again(world)
    found = refusal(world, monkeypatch)
    assert found is not None
    assert [(field.field, field.code) for field in found.fields] == [("timelapse", "not_offered")]


def test_it_is_accepted_where_one_does_or_is_not_known_yet(
    world: World, two: tuple[Poller, FakeGenerator], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(world, monkeypatch) is None
    world.sql("UPDATE generators SET has_frames = NULL")
    assert refusal(world, monkeypatch) is None


def test_it_is_refused_where_no_new_picture_is_made(world: World, filming: FakeGenerator) -> None:
    wanted = JobRequest(prompt="", timelapse=True, source_images=["uploads/a.png"], strength=-1, upscale=2)
    assert resolution.new_job(wanted, None, b"").protocols == ""
