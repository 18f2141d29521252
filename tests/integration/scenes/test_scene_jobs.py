"""Jobs with a scene: where they go, what the generator gets, and what stays of them."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from shared.api.scene_schemas import SceneRequest
from shared.core.errors import InvalidRequest, NotFound
from shared.generators.addresses import GeneratorAddress
from shared.images import recipe
from shared.polling import garbage
from shared.scenes import catalogue, links, service
from shared.services import Services
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support import scene_folder
from tests.support.poller import Poller
from tests.support.reference_generator import reference_generator
from tests.support.world import World


@pytest.fixture
def catalogued(world: World, tmp_path: Path) -> World:
    scene_folder.importer(world.services, scene_folder.write(tmp_path / "scenes"))()
    return world


@pytest.fixture
def placing(catalogued: World, generator: FakeGenerator) -> World:
    """Let the generator make scenes."""
    generator.extensions = ALL_EXTENSIONS
    look_again(catalogued)
    return catalogued


def look_again(world: World, poller: Poller | None = None) -> None:
    world.sql("UPDATE generators SET look_at = clock_timestamp()")
    (poller or world.poller).sweep()


def scene(**changes: object) -> SceneRequest:
    fields: dict[str, object] = {"place": "park", "action": "reading", "gender": "woman", "quality": "draft"}
    return SceneRequest.model_validate(fields | changes)


def submit(world: World, services: Services | None = None, **changes: object) -> UUID:
    return UUID(service.submit(services or world.services, world.credential(world.user()), scene(**changes), None).id)


def test_the_generator_gets_the_pictures_of_place_and_action(placing: World, generator: FakeGenerator) -> None:
    job_id = submit(placing, shot="CLS", age="old", details="wearing a red coat", place_picture=1)
    assert placing.row(job_id).protocols == "scenes"
    placing.finish(job_id)
    assert placing.state(job_id) == "succeeded", placing.timeline(job_id)
    sent = generator.requests[-1]
    assert sent["prompt"].startswith(
        "an elderly woman, reading an open book, wearing a red coat, in a park in autumn, close-up portrait"
    )
    assert (sent["width"], sent["height"], sent["n"]) == (64, 64, 1)
    pixels = {
        name: np.asarray(Image.open(io.BytesIO(base64.b64decode(sent[name]))).convert("L"))
        for name in ("background", "pose", "pose_mask", "face_mask")
    }
    assert (pixels["background"] == 100).all(), "the second picture of the park"
    assert pixels["pose_mask"].sum() > pixels["face_mask"].sum() > 0
    assert "imgs" not in sent
    placing.check_one_set(job_id, 1)


def test_the_recipe_names_the_scene_and_not_its_code(placing: World) -> None:
    job_id = submit(placing)
    placing.finish(job_id)
    [image] = placing.images(job_id)
    said = recipe.read_recipe(placing.services.storage.get(image.key, 10**7))
    assert said is not None
    kept = placing.row(job_id).settings["scene"]
    code = kept.pop("code")
    assert said["settings"]["scene"] == kept
    assert code not in json.dumps(said)


def test_a_scene_goes_only_to_a_generator_that_makes_them(catalogued: World, generator: FakeGenerator) -> None:
    with FakeGenerator(extensions=ALL_EXTENSIONS) as other:
        poller = Poller(catalogued.services, (generator.address, other.address))
        try:
            look_again(catalogued, poller)
            job_id = submit(catalogued)
            catalogued.finish(job_id, poller=poller)
            assert (len(other.requests), len(generator.requests)) == (1, 0)
        finally:
            poller.close_clients()


def test_without_such_a_generator_it_waits_and_says_why(catalogued: World, generator: FakeGenerator) -> None:
    catalogued.sql("UPDATE generators SET has_scenes = NULL")
    job_id = submit(catalogued)
    look_again(catalogued)
    assert catalogued.state(job_id) == "queued"
    assert catalogued.timeline(job_id)[-1].code == "no_able_generator"
    plain = catalogued.submit(catalogued.user())
    catalogued.finish(plain)
    assert catalogued.state(job_id) == "queued"
    generator.extensions = ALL_EXTENSIONS
    look_again(catalogued)
    catalogued.finish(job_id)
    assert catalogued.state(job_id) == "succeeded"


def test_a_generator_that_no_longer_makes_scenes_gets_no_pictures(placing: World, generator: FakeGenerator) -> None:
    job_id = submit(placing)
    generator.extensions = ALL_EXTENSIONS - {"scene"}
    placing.finish(job_id)
    assert placing.row(job_id).error_code == "generator_cannot"
    assert not generator.requests


def test_the_code_leads_to_the_picture_once_there_is_one(placing: World) -> None:
    job_id = submit(placing)
    code = placing.row(job_id).settings["scene"]["code"]
    assert placing.sql("SELECT code FROM scenes WHERE job_id = :id", id=job_id) == [(code,)]

    def url(code: str) -> str:
        return links.picture_url(placing.services, code, thumbnail=False, download=False, head=False)

    with pytest.raises(NotFound, match="yet"):
        url(code)
    placing.finish(job_id)
    [image] = placing.images(job_id)
    assert image.key in url(code)
    with pytest.raises(NotFound):
        url("22222222")
    placing.sql("UPDATE jobs SET taken_down_at = clock_timestamp()")
    with pytest.raises(NotFound):
        url(code)


def test_a_job_keeps_the_pictures_that_it_was_submitted_with(
    placing: World, generator: FakeGenerator, tmp_path: Path
) -> None:
    job_id = submit(placing)
    folder = tmp_path / "scenes"
    for number in (1, 2):
        (folder / "places" / "park" / f"{number}.png").write_bytes(scene_folder.picture(250))
    scene_folder.importer(placing.services, folder)()
    catalogue.remove(placing.services, "action", "reading")
    for table in ("place_pictures", "action_shots"):
        placing.sql(f"UPDATE {table} SET retired_at = retired_at - interval '2 hours' WHERE retired_at IS NOT NULL")
    garbage.retire(placing.services)
    garbage.empty_garbage(placing.services)
    placing.finish(job_id)
    background = Image.open(io.BytesIO(base64.b64decode(generator.requests[-1]["background"])))
    assert background.convert("L").getpixel((0, 0)) == 80
    placing.sql("DELETE FROM jobs")
    garbage.retire(placing.services)
    assert placing.sql("SELECT FROM place_pictures WHERE retired_at IS NOT NULL") == []


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("He runs as fast as he can", "running"),
        ("она читает толстую книгу", "reading"),
        ("машут руками на прощание", "waving"),
        ("books", "reading"),
        ("пробежкой по парку", "running"),
    ],
)
def test_the_action_is_the_one_that_is_most_like_the_words(placing: World, text: str, action: str) -> None:
    job_id = submit(placing, action=None, dynamic_action=True, action_prompt=text)
    assert placing.row(job_id).settings["scene"]["action"] == action
    assert f"woman, {text}, " in placing.row(job_id).prompt


def test_words_like_no_action_lead_to_the_one_that_is_named(placing: World) -> None:
    with pytest.raises(InvalidRequest) as refused:
        submit(placing, action=None, dynamic_action=True, action_prompt="zzz")
    assert [(one.field, one.code) for one in refused.value.fields] == [("action_prompt", "not_a_choice")]
    job_id = submit(placing, action="waving", dynamic_action=True, action_prompt="zzz")
    assert placing.row(job_id).settings["scene"]["action"] == "waving"


@pytest.fixture(scope="module")
def painter() -> Iterator[GeneratorAddress]:
    with reference_generator() as url:
        yield GeneratorAddress("img_generator", url, 4)


def test_the_reference_generator_paints_a_scene(catalogued: World, painter: GeneratorAddress) -> None:
    poller = Poller(catalogued.services, (painter,))
    try:
        look_again(catalogued, poller)
        job_id = submit(catalogued, shot="MES", seed=3)
        catalogued.finish(job_id, poller=poller, rounds=600)
        assert catalogued.state(job_id) == "succeeded", catalogued.timeline(job_id)
        [image] = catalogued.images(job_id)
        pixels = np.asarray(Image.open(io.BytesIO(catalogued.services.storage.get(image.key, 10**7))))
        assert (pixels[:10] == 100).all(), "above the person the place stays: seed 3 chooses the second picture"
        assert (pixels[30:60, 12:52] != 100).any(-1).mean() > 0.9
    finally:
        poller.close_clients()
