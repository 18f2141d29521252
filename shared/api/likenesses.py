"""The schemas of likenesses: the training that makes one, and the answers about them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.api.fields import Text, WebhookUrl, Whole
from shared.api.schemas import Answer, JobErrorView, Notify, Request, Time, UploadKey

PHOTOS = 5
"""A training takes exactly so many."""

MAX_STEPS_PER_IMAGE, STEPS_PER_IMAGE = 600, 300
"""Limits of the reference generator, which declares them too; a test compares them."""


def _given(consent: bool) -> bool:
    if not consent:
        raise PydanticCustomError("not_a_choice", "must be true: without consent no likeness is trained")
    return consent


Subject = Literal["person", "animal", "object"]
LikenessState = Literal["queued", "training", "ready", "failed", "expired", "cancelled"]
LikenessName = Annotated[Text, StringConstraints(max_length=100, strip_whitespace=True)]


class PhotoCheck(Request):
    """Photos of one person, animal or object, as far as they are there."""

    photos: list[UploadKey] = Field(min_length=1, max_length=PHOTOS, description="Keys of your uploads.")
    subject: Subject


class LikenessRequest(Request):
    """Photos of one person, animal or object, to be drawn in pictures later."""

    photos: list[UploadKey] = Field(
        min_length=PHOTOS,
        max_length=PHOTOS,
        description="Keys of your uploads. They are deleted when the training ends.",
    )
    subject: Subject
    consent: Annotated[bool, AfterValidator(_given)] = Field(
        description="You may use these photos, and who is on them has agreed. The time is kept with the likeness."
    )
    name: LikenessName = Field("", description="For you; pictures do not show it.")
    steps_per_image: Annotated[int, Field(ge=1, le=MAX_STEPS_PER_IMAGE), Whole] = STEPS_PER_IMAGE
    notify: Notify | None = None
    webhook_url: WebhookUrl | None = None


class LikenessChange(Request):
    """What changes; what is left out stays."""

    shared: bool | None = Field(None, description="Whether the code also works for others who know it.")
    name: LikenessName | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "LikenessChange":
        if self.shared is None and self.name is None:
            raise PydanticCustomError("required", "shared: name what to change")
        return self


class LikenessLinks(Answer):
    """Where the likeness and its training are."""

    self: str
    job: str


class LikenessView(Answer):
    """A likeness. Its job has the timeline, the place in the queue and the time left, and can be cancelled."""

    code: str
    state: LikenessState
    subject: Subject
    name: str
    shared: bool
    progress: float | None
    error: JobErrorView | None
    report: dict[str, str | float] | None = Field(
        description="What the trainer measured; `trigger` is how prompts call the subject."
    )
    consented_at: Time
    created_at: Time
    finished_at: Time | None
    expires_at: Time | None = Field(description="When it stops working; null until it is ready.")
    job_id: str
    links: LikenessLinks


class LikenessList(Answer):
    """A page of likenesses."""

    likenesses: list[LikenessView]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]
