"""Requests that no configured generator supports are refused at submit, with all invalid fields at once."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.api.schemas import JobRequest
from shared.generators.abilities import LIMITS
from shared.generators.addresses import PROTOCOLS
from shared.jobs.options import USES
from shared.services import Services
from shared.testing.fake_glide import FakeGlide
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.poller import Poller

IMG, GLIDE = "img_generator+http://127.0.0.1:9", "glide+http://127.0.0.1:10"
NO_WIDTH = "must be 64, 128, 256, 512 or 1024, for the generators of this site"
NO_ASPECT = "must be square, for the generators of this site"
NO_QUALITY = "must be draft, normal or better, or come with upscale 1, for the generators of this site"

REFUSED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"aspect": "widescreen"}, {"aspect": NO_ASPECT}),
    ({"aspect": "portrait"}, {"aspect": NO_ASPECT}),
    ({"width": 768, "height": 768}, {"width": NO_WIDTH}),
    ({"width": 512, "height": 256}, {"height": "must be the same as width, for the generators of this site"}),
    ({"width": 256}, {"aspect": "must be square, or come with width and height, for the generators of this site"}),
    ({"quality": "best"}, {"quality": NO_QUALITY}),
    ({"upscale": 3}, {"upscale": "must be 1, for the generators of this site"}),
    ({"describe": True}, {"describe": "must be false, for the generators of this site"}),
    (
        {"prompt": " | ".join(["x" * 9] * 160), "style": "unreal"},
        {
            "prompt": "must have at most 4000 characters with the words of its type and style after each part, for the"
            " generators of this site"
        },
    ),
    ({"source_images": ["any"]}, {"source_images": "must be left out, for the generators of this site"}),
    (
        {"aspect": "widescreen", "quality": "best", "describe": True, "source_images": ["any"], "strength": -1},
        {
            "aspect": NO_ASPECT,
            "quality": NO_QUALITY,
            "source_images": "must be left out, for the generators of this site",
            "strength": "must not be below 0, for the generators of this site",
            "describe": "must be false, for the generators of this site",
        },
    ),
]

TAKEN: list[dict[str, Any]] = [
    {},
    {"n": 8, "seed": 7, "negative_prompt": "fog", "steps": 3, "cpu": True, "scale": 3},
    {"quality": "best", "upscale": 1},
    {"aspect": "portrait", "width": 1024, "height": 1024},
    *({"width": size, "height": size} for size in (64, 128, 256, 512, 1024)),
]

OPENAI = "openai+http://127.0.0.1:11"
SIZED = f"{OPENAI}?sizes=1024x1024+1536x1024"

Open = Callable[[str], Door]


@pytest.fixture
def door_to(doors: Doors, with_settings: Callable[..., Services]) -> Open:
    """Open Easel with these generators."""
    return lambda generators: doors.open(with_settings(generators=generators))


def post(door: Door, person: Person, **fields: Any) -> Any:
    return door.post("/v1/jobs", json={"prompt": "a lighthouse"} | fields, headers=person.headers)


@pytest.mark.parametrize(("request_", "errors"), REFUSED)
def test_a_site_with_only_glide_names_the_supported_values(
    door_to: Open, ada: Person, request_: dict[str, Any], errors: dict[str, str]
) -> None:
    door = door_to(GLIDE)
    response = post(door, ada, **request_)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")
    assert {error["field"]: error["message"] for error in response.json()["errors"]} == errors
    assert door.get("/v1/jobs", headers=ada.headers).json()["jobs"] == []
    assert door.get("/v1/me", headers=ada.headers).json()["quota"]["left_today"] == 200


@pytest.mark.parametrize("request_", TAKEN)
def test_a_site_with_only_glide_accepts_what_glide_supports(
    door_to: Open, ada: Person, request_: dict[str, Any]
) -> None:
    assert post(door_to(GLIDE), ada, **request_).status_code == 202


@pytest.mark.parametrize(
    ("request_", "errors"),
    [
        ({}, {"aspect": "must come with width and height of one of the sizes 1024x1024, 1536x1024"}),
        (
            {"width": 512, "height": 512},
            {"width": "must give with height one of the sizes 1024x1024, 1536x1024"},
        ),
        ({"width": 1024, "height": 1024, "describe": True}, {"describe": "must be false"}),
    ],
)
def test_a_site_with_only_some_sizes_names_them(
    door_to: Open, ada: Person, request_: dict[str, Any], errors: dict[str, str]
) -> None:
    response = post(door_to(SIZED), ada, **request_)
    assert response.status_code == 422
    assert {error["field"]: error["message"] for error in response.json()["errors"]} == {
        field: f"{message}, for the generators of this site" for field, message in errors.items()
    }


@pytest.mark.parametrize(("side", "missing"), [(512, {"openai"}), (1024, set())])
def test_a_job_is_for_the_protocols_whose_generators_all_make_its_size(
    door_to: Open, ada: Person, services: Services, side: int, missing: set[str]
) -> None:
    job = post(door_to(f"{SIZED},{IMG}"), ada, width=side, height=side).json()
    with services.db.statement() as connection:
        query = text("SELECT protocols FROM jobs WHERE id = :id")
        protocols = connection.execute(query, {"id": job["id"]}).scalar_one().split(",")
    assert protocols == [name for name in PROTOCOLS if name not in missing]


@pytest.mark.parametrize("generators", [IMG, f"{GLIDE},{IMG}", ""])
@pytest.mark.parametrize("request_", [{"aspect": "widescreen"}, {"quality": "best", "describe": True}])
def test_a_request_is_accepted_if_one_generator_supports_it_or_none_is_known(
    door_to: Open, ada: Person, generators: str, request_: dict[str, Any]
) -> None:
    assert post(door_to(generators), ada, **request_).status_code == 202


@pytest.mark.parametrize(
    ("generators", "missing"),
    [
        ("", {}),
        (IMG, {}),
        (f"{GLIDE},{IMG}", {}),
        (
            OPENAI,
            {"qualities": {"best"}, "fields": {"upscale", "describe", "description", "timelapse", "likeness"}},
        ),
        (
            GLIDE,
            {
                "qualities": {"best"},
                "aspects": {"widescreen", "portrait"},
                "fields": USES.keys() - {"pixel_art", "notify"},
            },
        ),
    ],
)
def test_the_presets_show_what_is_supported(door_to: Open, generators: str, missing: dict[str, set[str]]) -> None:
    response = door_to(generators).get("/v1/presets")
    assert response.headers["cache-control"] == "public, max-age=60"
    answer = response.json()
    assert answer.pop("trains_likenesses") is (generators == "" or IMG in generators)
    assert answer.pop("confirms_addresses") is False
    assert answer.pop("sign_in") == {"local": True, "provider": None, "passkeys": "localhost"}
    for group, entries in answer.items():
        not_offered = {entry.get("key") or entry["name"] for entry in entries if entry["offered"] is False}
        assert not_offered == missing.get(group, set())
        assert all(type(entry["offered"]) is bool for entry in entries)


def test_a_timelapse_is_refused_once_no_generator_is_known_to_have_frames(
    door_to: Open, ada: Person, services: Services
) -> None:
    for known, status in ((None, 202), (False, 422), (True, 202)):
        with services.db.begin() as connection:
            connection.execute(text("DELETE FROM generators"))
            query = text("INSERT INTO generators (name, max_in_flight, has_frames) VALUES ('any', 1, :known)")
            connection.execute(query, {"known": known})
        door = door_to(IMG)
        response = post(door, ada, timelapse=True)
        assert response.status_code == status
        offered = {field["name"]: field["offered"] for field in door.get("/v1/presets").json()["fields"]}
        assert offered["timelapse"] is (status == 202)
        if status == 422:
            assert [(one["field"], one["code"]) for one in response.json()["errors"]] == [("timelapse", "not_offered")]


def test_unsupported_options_are_refused_and_supported_ones_accepted(door_to: Open, ada: Person) -> None:
    door = door_to(GLIDE)
    presets = door.get("/v1/presets").json()
    uses = [
        ({field: choice["key"]}, choice["offered"])
        for group, field in (("types", "type"), ("styles", "style"), ("qualities", "quality"), ("aspects", "aspect"))
        for choice in presets[group]
    ]
    # Those that every site supports are not submitted one by one: so many may not wait.
    assert all(field["offered"] for field in presets["fields"] if field["name"] not in USES)
    uses += [(USES[field["name"]], field["offered"]) for field in presets["fields"] if field["name"] in USES]
    for use, offered in uses:
        assert post(door, ada, **use).status_code == (202 if offered else 422), use


def test_every_field_that_a_protocol_may_refuse_is_covered() -> None:
    limits = [limit for protocol in LIMITS.values() for limit in protocol]
    fixed_by_presets = {limit.field for limit in limits if limit.preset == "aspect"}
    always_offered = {"prompt"}  # only its length is limited
    of_scenes = {"place"}
    assert {limit.field for limit in limits} - fixed_by_presets - always_offered - of_scenes <= USES.keys()
    assert USES.keys() <= JobRequest.model_fields.keys()


def test_a_missing_token_is_reported_first(door_to: Open) -> None:
    unknown = {"Authorization": "Bearer easel_nobody"}
    response = door_to(GLIDE).post("/v1/jobs", json={"prompt": "a", "aspect": "portrait"}, headers=unknown)
    assert response.status_code == 401


def test_a_repeated_request_gets_its_job_although_the_generators_changed(door_to: Open, ada: Person) -> None:
    body = {"prompt": "a", "aspect": "portrait"}
    headers = dict(ada.headers) | {"Idempotency-Key": "k"}
    first = door_to(IMG).post("/v1/jobs", json=body, headers=headers)
    door = door_to(GLIDE)
    again = door.post("/v1/jobs", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    other = door.post("/v1/jobs", json=body | {"prompt": "b"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    new = door.post("/v1/jobs", json=body, headers=headers | {"Idempotency-Key": "l"})
    assert (new.status_code, new.json()["code"]) == (422, "invalid_request")


def test_a_picture_made_without_its_seed_has_none(door_to: Open, ada: Person, services: Services) -> None:
    with FakeGlide() as fake:
        door = door_to(fake.setting)
        job = post(door, ada, seed=7, width=64, height=64).json()
        poller = Poller(services, (fake.address,))
        poller.sweep()
        for _ in range(2):
            poller.advance(UUID(job["id"]))
        poller.close_clients()
    done = door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).json()
    assert (done["state"], done["settings"]["seed"]) == ("succeeded", 7)
    assert [image["seed"] for image in done["images"]] == [None]
    [adapted] = [line["detail"] for line in done["timeline"] if line["event"] == "adapted"]
    assert "the seed" in adapted
