"""The JSON of jobs and pictures, compared with the schemas that document it."""

import json
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.api.schemas import GalleryDetail, JobRequest, JobSummary, JobView
from shared.api.schemas import GalleryItem as GalleryItemSchema
from shared.core.settings import Settings
from shared.gallery.service import item_json, item_with_recipe_json
from shared.gallery.store import GalleryItem
from shared.jobs.outlook import Outlook
from shared.jobs.records import JobImage, JobRecord
from shared.jobs.resolution import new_job
from shared.jobs.states import State
from shared.jobs.views import Pictures, job_json
from shared.services import Services

SERVICES = Services(
    Settings.from_environment(
        {
            "EASEL_DATABASE_URL": "postgresql://easel:x@127.0.0.1:9/easel",
            "EASEL_BROKER_URL": "redis://127.0.0.1:9/0",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
    )
)
AT = "2026-11-27T12:00:00.000001Z"
ID = UUID("01a21d11-6f48-7cce-bbe1-cae3055d0ddf")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
images = st.builds(
    JobImage,
    id=st.just(str(ID)),
    index=st.integers(0, 7),
    key=st.just("jobs/1/2/0.png"),
    thumbnail_key=st.just("jobs/1/2/0.webp"),
    width=st.integers(64, 8192),
    height=st.integers(64, 8192),
    seed=st.none() | st.integers(0, 2**32 - 1),
    description=st.none() | texts,
    timelapse_key=st.none() | st.just("jobs/1/2/timelapse.mp4"),
)
settings = st.builds(
    lambda prompt, negative: json.dumps(
        new_job(JobRequest(prompt=f"a{prompt}", negative_prompt=negative), None, b"").settings | {"notify": "none"}
    ),
    texts,
    texts,
)
events = st.fixed_dictionaries({"at": st.just(AT), "event": st.just("sent"), "detail": texts, "code": st.none()})
jobs = st.builds(
    JobRecord,
    id=st.just(str(ID)),
    state=st.sampled_from(State),
    prompt=texts,
    settings=settings,
    cost=st.floats(0.1, 1000),
    progress=st.none() | st.floats(0, 1),
    error_code=st.none() | st.just("rejected"),
    error_message=texts,
    public=st.booleans(),
    created_at=st.just(AT),
    started_at=st.none() | st.just(AT),
    finished_at=st.none() | st.just(AT),
    images=st.lists(images, max_size=3).map(tuple),
    outlook=st.builds(
        Outlook,
        st.none() | st.integers(0, 99),
        st.floats(0, 99),
        st.none() | st.floats(0, 9),
        is_estimate=st.booleans(),
    ),
    timeline=st.none() | st.lists(events, min_size=1).map(json.dumps),
    preview_key=st.none() | st.just("jobs/1/preview/2.webp"),
)
items = st.builds(
    GalleryItem,
    id=st.just(str(ID)),
    prompt=texts,
    style=st.sampled_from([None, "oil", ["oil", "ink"]]),
    settings=settings,
    created_at=st.just(AT),
    published_at=st.just(AT),
    images=st.lists(images, max_size=3).map(tuple),
)


def as_documented(text: str, schema: type[BaseModel]) -> dict[str, Any]:
    """Return the answer's fields, which must be exactly the schema's, with equal values."""
    document = json.loads(text)
    assert document == json.loads(schema.model_validate(document).model_dump_json(exclude_unset=True))
    assert isinstance(document, dict)
    return document


@given(jobs)
def test_a_job_is_written_as_its_schema_says(job: JobRecord) -> None:
    document = as_documented(job_json(job, Pictures(SERVICES)), JobSummary if job.timeline is None else JobView)
    assert document["prompt"] == document["settings"]["prompt"] == job.prompt
    assert document["position_is_estimate"] is job.outlook.is_estimate
    assert document["settings"] == {"prompt": job.prompt} | json.loads(job.settings)
    assert document.get("timeline") == (None if job.timeline is None else json.loads(job.timeline))
    assert document["error"] == (job.error_code and {"code": job.error_code, "message": job.error_message})
    assert [image["description"] for image in document["images"]] == [image.description for image in job.images]
    assert all(image["url"].startswith("http") and "X-Amz-Signature=" in image["url"] for image in document["images"])


@given(items)
def test_a_published_job_is_written_as_its_schema_says(item: GalleryItem) -> None:
    pictures = Pictures(SERVICES)
    brief = as_documented(item_json(item, pictures), GalleryItemSchema)
    assert (brief["job_id"], brief["prompt"], brief["style"]) == (str(ID), item.prompt, item.style)
    whole = as_documented(item_with_recipe_json(item, pictures), GalleryDetail)
    assert whole.pop("settings")["negative_prompt"] == json.loads(item.settings)["negative_prompt"]
    assert whole == brief
