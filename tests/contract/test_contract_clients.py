"""The OpenAPI document serves those who generate clients from it: generated ones do the whole flow."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.gateway import create_gateway
from infra.site import openapi_document
from shared.api.presets import STYLES
from shared.api.schemas import Request
from shared.services import Services
from tests.support.client_tools import tools
from tests.support.doors import Door
from tests.support.listening import listening
from tests.support.people import Person

DOCUMENT: dict[str, Any] = json.loads(openapi_document())
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
REQUESTS = {model.__name__ for model in Request.__subclasses__()}
LARGEST_SEED = 2**32 - 1


def places(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in the document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from places(child)


def integers() -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for name, schema in SCHEMAS.items():
        for field, spec in schema["properties"].items():
            found += [(name, field, kind) for kind in (spec, *spec.get("anyOf", ())) if kind.get("type") == "integer"]
    return found


def test_no_schema_has_the_name_of_anothers_constructor() -> None:
    """Go's constructors are called New and the schema's name."""
    constructors = {f"New{name}{ending}" for name in SCHEMAS for ending in ("", "WithDefaults")}
    assert not constructors & SCHEMAS.keys()


def test_no_boolean_is_an_enumeration() -> None:
    """Java's generator declares an enumeration of texts and assigns a boolean."""
    for place in places(DOCUMENT):
        if place.get("type") == "boolean":
            assert not {"enum", "const"} & place.keys(), place


def test_numbers_that_need_64_bits_say_so() -> None:
    wide = {(name, field) for name, field, kind in integers() if kind.get("format") == "int64"}
    assert wide == {
        ("JobRequest", "seed"),
        ("ImageView", "seed"),
        ("GallerySettings", "seed"),
        ("SceneRequest", "seed"),
    }
    for name, field, kind in integers():
        assert kind.get("maximum", 0) < 2**31 or (name, field) in wide


def test_every_bound_is_in_the_words_of_json_schema() -> None:
    """A bound after a validator would be there as `ge`, which nothing reads."""
    for place in places(SCHEMAS):
        assert not {"ge", "gt", "le", "lt", "multiple_of"} & place.keys(), place
    for name, field, kind in integers():
        assert name not in REQUESTS or {"minimum", "maximum"} <= kind.keys(), (name, field)


def test_no_default_makes_a_field_of_a_request_required() -> None:
    """Some generators demand every property with a default; so the description says what it is."""
    assert {schema for schema in REQUESTS if schema in SCHEMAS} == REQUESTS
    for name, schema in SCHEMAS.items():
        for field, spec in schema["properties"].items():
            assert "default" not in spec, (name, field)
    properties = SCHEMAS["JobRequest"]["properties"]
    assert properties["strength"]["description"] == (
        "With a style what suits it, if that is left out. By default 0.75."
    )
    assert properties["n"]["description"] == (
        "Pictures in all. By default one for each style of a list, or of `source_images`, or 1."
    )
    assert "required" not in SCHEMAS["JobRequest"]
    assert SCHEMAS["Credentials"]["required"] == ["email", "password"]


def test_the_schemas_are_as_strict_as_the_rules() -> None:
    for name in ("Credentials", "NewAccount", "UserView"):
        assert SCHEMAS[name]["properties"]["email"]["format"] == "email"
    style, listed, nothing = SCHEMAS["JobRequest"]["properties"]["style"]["anyOf"]
    assert (style["enum"], nothing) == (list(STYLES), {"type": "null"})
    assert (listed["type"], listed["items"]["enum"], listed["maxItems"]) == ("array", list(STYLES), 8)
    for path in ("/v1/jobs", "/v1/tokens", "/v1/gallery"):
        [cursor] = [one for one in DOCUMENT["paths"][path]["get"]["parameters"] if one["name"] == "cursor"]
        [text, nothing] = cursor["schema"]["anyOf"]
        assert (text["type"], nothing) == ("string", {"type": "null"})
        assert re.fullmatch(r"\^.+\$", text["pattern"])


def test_cursors_have_the_stated_form(
    door: Door, submit: Callable[..., dict[str, Any]], finish: Callable[[], None], ada: Person
) -> None:
    for _ in range(2):
        job = submit(width=64, height=64)
        door.post("/v1/tokens", json={"name": "x"}, headers=ada.headers)
        finish()
        door.put(f"/v1/jobs/{job['id']}/publication", headers=ada.headers)
    for path in ("/v1/jobs", "/v1/tokens", "/v1/gallery"):
        after = door.get(path, params={"limit": "1"}, headers=ada.headers).json()["next"]
        [cursor] = [one for one in DOCUMENT["paths"][path]["get"]["parameters"] if one["name"] == "cursor"]
        assert re.search(cursor["schema"]["anyOf"][0]["pattern"], after)


def test_an_answer_for_one_caller_is_not_kept_for_another(door: Door, ada: Person, bob: Person) -> None:
    job = door.post("/v1/jobs", json={"prompt": "x"}, headers=ada.headers)
    session = door.post("/v1/signup", json={"email": "eve@example.com", "password": "four unusual words here"})
    token = door.post("/v1/tokens", json={"name": "x"}, headers=ada.headers)
    answers = [door.get(path, headers=ada.headers) for path in ("/v1/me", "/v1/jobs", "/v1/tokens")]
    for answer in (job, session, token, *answers):
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["vary"] == "Authorization, Cookie"
    status = door.get(job.json()["links"]["self"], headers=ada.headers)
    assert (status.headers["cache-control"], status.headers["vary"]) == ("private, no-cache", "Authorization, Cookie")
    gallery = door.get("/v1/gallery")
    assert gallery.headers["cache-control"] == "no-cache"
    assert "vary" not in gallery.headers


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(openapi_document())
    return path


def output(command: list[str | Path], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SUBMIT = """
import json, sys
from easel.client import AuthenticatedClient, Client
from easel.api.accounts import create_token_v1_tokens_post, get_account_v1_me_get, signup_v1_signup_post
from easel.api.jobs import list_jobs_v1_jobs_get, submit_v1_jobs_post
from easel.models import JobRequest, JobRequestStyleType0, JobView, NewAccount, NewToken, Problem
url = sys.argv[1]
account = NewAccount(email="eve@example.com", password="four unusual words here")
session = signup_v1_signup_post.sync(client=Client(url), body=account)
created = create_token_v1_tokens_post.sync(client=AuthenticatedClient(url, session.token), body=NewToken(name="x"))
client = AuthenticatedClient(url, created.token)
assert get_account_v1_me_get.sync(client=client).user.email == "eve@example.com"
wrong = submit_v1_jobs_post.sync(client=client, body=JobRequest(prompt=""))
assert isinstance(wrong, Problem) and wrong.errors[0].field == "prompt"
wanted = JobRequest(prompt="a mill", seed=4294967295, width=64, height=64, style=JobRequestStyleType0.OIL)
job = submit_v1_jobs_post.sync(client=client, body=wanted, idempotency_key="one")
assert isinstance(job, JobView) and job.state == "queued"
assert [one.id for one in list_jobs_v1_jobs_get.sync(client=client, limit=1).jobs] == [job.id]
print(json.dumps([created.token, job.id]))
"""
WATCH = """
import sys
from easel.client import AuthenticatedClient, Client
from easel.api.jobs import delete_v1_jobs_job_id_delete, publish_v1_jobs_job_id_publication_put
from easel.api.jobs import status_v1_jobs_job_id_get
from easel.api.pictures import gallery_item_v1_gallery_job_id_get, gallery_v1_gallery_get
url, token, job_id = sys.argv[1:]
client = AuthenticatedClient(url, token)
job = status_v1_jobs_job_id_get.sync(job_id, client=client, wait=1)
assert job.state == "succeeded" and job.images[0].seed == 4294967295 and job.timeline
publish_v1_jobs_job_id_publication_put.sync(job_id, client=client)
assert [item.job_id for item in gallery_v1_gallery_get.sync(client=Client(url)).items] == [job_id]
assert gallery_item_v1_gallery_job_id_get.sync(job_id, client=Client(url)).settings.seed == 4294967295
assert delete_v1_jobs_job_id_delete.sync_detailed(job_id, client=client).status_code == 204
"""


def test_a_generated_client_does_the_whole_flow(
    services: Services, finish: Callable[[], None], document: Path, tmp_path: Path
) -> None:
    programs = tools()
    client: list[str | Path] = ["--path", document, "--output-path", tmp_path / "easel", "--meta", "none"]
    output([programs / "openapi-python-client", "generate", *client], tmp_path)
    with listening(create_gateway(services), lifespan="off") as address:
        url = f"http://{address}"
        token, job_id = json.loads(output([programs / "python", "-c", SUBMIT, url], tmp_path))
        finish()
        output([programs / "python", "-c", WATCH, url, token, job_id], tmp_path)


def test_generated_models_read_and_write_the_requests(document: Path, tmp_path: Path) -> None:
    programs = tools()
    kind: list[str | Path] = ["--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel"]
    output([programs / "datamodel-codegen", "--input", document, "--output", tmp_path / "models.py", *kind], tmp_path)
    code = f"""
import models, pydantic
job = models.JobRequest(prompt="a mill", seed={LARGEST_SEED}, style="oil")
print(job.model_dump_json(exclude_unset=True))
for wrong in (dict(style="none"), dict(seed={LARGEST_SEED + 1}), dict(other=1)):
    try: models.JobRequest(prompt="a mill", **wrong)
    except pydantic.ValidationError: continue
    raise SystemExit(wrong)
"""
    written = json.loads(output([programs / "python", "-c", code], tmp_path))
    assert written == {"prompt": "a mill", "seed": LARGEST_SEED, "style": "oil"}


def test_generated_types_demand_only_what_a_request_needs(document: Path, tmp_path: Path) -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("there is no node here")
    done = subprocess.run(
        [npx, "--yes", "--package=openapi-typescript@7.13.0", "--package=typescript@5", "openapi-typescript", document],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if done.returncode != 0 and "npm error" in done.stderr:
        pytest.skip("openapi-typescript cannot be installed here")
    assert done.returncode == 0, done.stderr
    for name in REQUESTS:
        [body] = re.findall(rf"^        {name}: \{{\n(.*?)^        \}};", done.stdout, re.MULTILINE | re.DOTALL)
        demanded = set(re.findall(r"^            (\w+):", body, re.MULTILINE))
        assert demanded == set(SCHEMAS[name].get("required", ())), name
