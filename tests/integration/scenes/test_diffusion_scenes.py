"""Scenes from the site on the diffusion engine with a ControlNet: the place stays, and the face is the likeness's."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest
from PIL import Image

from shared.accounts.tokens import new_token, token_hash
from shared.generators.addresses import GeneratorAddress
from shared.images import recipe
from shared.scenes.starter_set import import_starter
from tests.support.diffusion_engine import diffusion_engine
from tests.support.doors import Door, Doors
from tests.support.photos import Sitter
from tests.support.poller import Poller
from tests.support.world import World

ROUNDS = 20_000
"""A round asks the engine once, which may hold the answer back; loading the trainer takes half a minute."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GeneratorAddress]:
    # At the usual niceness the trainer would hardly get a turn beside other tests.
    quick = {"EASEL_TRAIN_NICE": "1", "EASEL_TRAIN_THREADS": "1"}
    with diffusion_engine(tmp_path_factory.mktemp("diffusion"), has_controlnet=True, **quick) as url:
        yield GeneratorAddress("img_generator", url, 2)


@dataclass(frozen=True)
class Site:
    """A site whose only generator is the diffusion engine, and a user of it."""

    world: World
    door: Door
    user: Sitter
    headers: dict[str, str]

    def picture(self, **fields: Any) -> tuple[UUID, np.ndarray]:
        """Submit a scene at the gateway and have it made; return its job and what its code leads to."""
        body = {"place": "park", "action": "reading", "shot": "CLS", "gender": "woman", "quality": "draft", "seed": 5}
        answer = self.door.post("/v1/scenes", json=body | fields, headers=self.headers)
        assert answer.status_code == 202, answer.text
        job_id = UUID(answer.json()["id"])
        self.world.finish(job_id, rounds=ROUNDS)
        assert self.world.state(job_id) == "succeeded", self.world.timeline(job_id)
        link = self.door.get(answer.json()["link"])
        assert link.status_code == 302, link.text
        with httpx.Client(trust_env=False) as client:
            return job_id, _pixels(client.get(link.headers["location"]).content)

    def pictures_of(self, job_id: UUID) -> dict[str, np.ndarray]:
        """Return the catalogue's pictures that the job was made with."""
        scene = self.world.row(job_id).settings["scene"]
        names = [(scene["background"], "background"), *((scene["pose"], name) for name in ("pose_mask", "face_mask"))]
        storage = self.world.services.storage
        return {name: _pixels(storage.get(f"scenes/{folder}/{name}.png", 10**7)) for folder, name in names}

    def reasons(self, job_id: UUID) -> list[str | None]:
        """Return why the job's request was adapted."""
        return [row.code for row in self.world.timeline(job_id) if row.event == "adapted"]

    def not_followed(self, job_id: UUID) -> list[str]:
        """Return the settings that were not followed, according to the recipe in the picture."""
        [image] = self.world.images(job_id)
        said = recipe.read_recipe(self.world.services.storage.get(image.key, 10**7))
        assert said is not None
        return list(said["not_followed"])


def _pixels(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def site(world: World, engine: GeneratorAddress) -> Iterator[Site]:
    assert import_starter(world.services)
    poller = Poller(world.services, (engine,))
    poller.sweep()
    world.poller = poller
    user, token = Sitter(world), new_token()
    query = "INSERT INTO tokens (user_id, hash, kind) VALUES (:id, :hash, 'api')"
    world.sql(query, id=user.id, hash=token_hash(token))
    with Doors("asgi") as doors:
        yield Site(world, doors.open(world.services), user, {"Authorization": f"Bearer {token}"})
    poller.close_clients()


def test_the_face_of_a_scene_is_that_of_the_likeness_and_the_place_stays(site: Site) -> None:
    assert site.door.get("/v1/places").json().items() >= {"offered": True, "likeness_offered": True}.items()
    found = site.user.sit(subject="animal", steps_per_image=12)  # what is drawn has no face
    site.world.finish(found.id, rounds=ROUNDS)
    assert site.user.get(found.code).state == "ready", site.world.timeline(found.id)

    # All of them call the subject alike, so that the adapter is the only difference.
    details = "ohwx animal, wearing a red coat"
    job_id, faced = site.picture(details=details, likeness={"code": found.code, "weight": 2})
    assert (site.reasons(job_id), site.not_followed(job_id)) == ([], [])
    given = site.pictures_of(job_id)
    person, face = (given[name][..., 0] > 0 for name in ("pose_mask", "face_mask"))
    # The catalogue has 512 pixels a side and the model 64: what it paints is enlarged, and the place is not touched.
    assert faced.shape == given["background"].shape == (512, 512, 3)
    assert (faced == given["background"])[~(person | face)].all()
    assert (faced != given["background"]).any(-1)[person].mean() > 0.9

    plain_id, plain = site.picture(details=details)
    changed = (faced != plain).any(-1)
    assert changed[face].any()
    assert not changed[~face].any(), "adapters count in the face only"

    unknown_id, unknown = site.picture(details=details, likeness="00000000")
    assert (site.reasons(unknown_id), site.not_followed(unknown_id)) == (["likeness_unknown"], ["likeness"])
    assert (unknown == plain).all()
    assert (site.reasons(plain_id), site.not_followed(plain_id)) == ([], [])


def test_far_away_the_place_stays_too(site: Site) -> None:
    job_id, picture = site.picture(place="beach", action="waving", shot="FUS", age="old", gender="man")
    given = site.pictures_of(job_id)
    person = given["pose_mask"][..., 0] > 0
    assert (picture == given["background"])[~person].all()
    assert (picture != given["background"]).any(-1)[person].mean() > 0.9
