"""The schemas of the HTTP API's requests and answers. The OpenAPI document is made from them."""

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.api import presets
from shared.api.fields import Appeal, Text, WebhookUrl, Whole
from shared.api.likeness_use import Likeness, LikenessWeight
from shared.api.styles import MAX_PICTURES, Style
from shared.core.errors import FieldCode
from shared.core.limits import MAX_SCALE, MAX_SIDE_PX, MAX_STEPS, MAX_UPLOAD_BYTES, MIN_SIDE_PX, SIDE_STEP_PX

if TYPE_CHECKING:
    Type: TypeAlias = str
    Quality: TypeAlias = str
    Aspect: TypeAlias = str
else:
    Type, Quality, Aspect = (Literal[tuple(choices)] for choices in (presets.TYPES, presets.QUALITIES, presets.ASPECTS))
StateName = Literal["queued", "generating", "succeeded", "failed", "cancelled"]
Notify = Literal["none", "email"]
UploadKey = Annotated[Text, StringConstraints(max_length=200)]


def _own_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise PydanticCustomError("not_yours", "is not the id of one of yours") from None


OwnId = Annotated[str, AfterValidator(_own_id), Field(json_schema_extra={"format": "uuid"})]
Pixels = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_SIDE_PX, multiple_of=SIDE_STEP_PX), Whole]
Id = Annotated[str, BeforeValidator(str)]
Time = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
# Clients in Go and Java would use 32 bits, and half of all seeds need the 32nd.
Seed = Annotated[int, Field(json_schema_extra={"format": "int64"})]


def write_defaults_as_words(schema: dict[str, Any]) -> None:
    """Move each default into its description. Some client generators demand every property that has a default."""
    for spec in schema.get("properties", {}).values():
        default = spec.pop("default", None)
        if default is not None:
            words = f"By default {json.dumps(default)}."
            spec["description"] = f"{spec['description'].rstrip('.')}. {words}" if "description" in spec else words


class Request(BaseModel):
    """A request's body. Unknown fields, numbers in quotes, NaN and infinity are refused.

    `null` for a field that may be left out means the same as leaving it out.
    """

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, json_schema_extra=write_defaults_as_words
    )

    def fingerprint(self) -> bytes:
        """Return a hash by which the same request is known again."""
        return hashlib.sha256(self.model_dump_json().encode()).digest()

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        if not isinstance(given, dict) or None not in given.values():
            return given
        fields = cls.model_fields
        return {
            name: value
            for name, value in given.items()
            if value is not None or name not in fields or fields[name].is_required()
        }


class Answer(BaseModel):
    """An answer's body, made from the values that use cases return."""

    model_config = ConfigDict(from_attributes=True)


class DescriptionOptions(Request):
    """Options of the generator's descriptions (see `describe`)."""

    blip_max_len: Annotated[int, Field(ge=5, le=500), Whole] | None = None
    clip_max_len: Annotated[int, Field(ge=0, le=500), Whole] | None = None
    skip_clip: bool = False
    skip_list: list[Literal["mediums", "artists", "trendings", "movements"]] = Field(default_factory=list, max_length=4)


class PixelArt(Request):
    """How pictures of the type `pixel_art` are reduced, on every generator: to square cells, each of one colour."""

    cells: Annotated[int, Field(ge=32, le=256), Whole] | None = Field(None, description="Cells on the longer side.")
    colours: Annotated[int, Field(ge=8, le=64), Whole] | None = Field(None, description="Colours of the palette.")


class JobRequest(Request):
    """The picture to generate. Only the prompt is required, and only if a new picture is made."""

    prompt: Annotated[Text, StringConstraints(max_length=2000)] = Field(
        "", description="1 to 2000 characters; `a | b` joins several prompts", examples=["a lighthouse at night"]
    )
    negative_prompt: Annotated[Text, StringConstraints(max_length=2000)] = ""
    type: Type = "image"
    style: Style | None = None
    quality: Quality = "normal"
    aspect: Aspect = "square"
    width: Pixels | None = None
    height: Pixels | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS), Whole] | None = None
    scale: Annotated[float, Field(ge=0, le=MAX_SCALE)] | None = None
    upscale: Annotated[int, Field(ge=1, le=4), Whole] | None = None
    n: Annotated[int, Field(ge=1, le=MAX_PICTURES), Whole] | None = Field(
        default=None,
        description="Pictures in all. By default one for each style of a list, or of `source_images`, or 1.",
    )
    seed: Annotated[Seed, Field(ge=0, le=2**32 - 1), Whole] | None = None
    source_images: list[UploadKey] = Field(default_factory=list, max_length=4)
    from_job: OwnId | None = Field(
        default=None,
        description="A job of yours whose first picture this one starts from, also one that has not finished: this one"
        " then waits for it. Without a prompt, the picture's description is the prompt.",
    )
    from_image: OwnId | None = Field(default=None, description="A picture of yours to start from, instead of a job.")
    strength: Annotated[float, Field(ge=-2, le=1)] | None = Field(
        default=presets.STRENGTH, description="With a style what suits it, if that is left out."
    )
    pixel_art: PixelArt | None = None
    likeness: Likeness | None = None
    likeness_weight: LikenessWeight = 1.0
    describe: bool = False
    description: DescriptionOptions = Field(default_factory=DescriptionOptions)
    timelapse: bool = Field(default=False, description="Also make a video of the first picture's making.")
    notify: Notify | None = None
    webhook_url: WebhookUrl | None = None
    cpu: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> "JobRequest":
        if self.n is None:
            self.n = len(self.style) if isinstance(self.style, list) else max(1, len(self.source_images))
        elif isinstance(self.style, list) and self.n != len(self.style):
            raise PydanticCustomError("not_a_choice", "n: there is one picture for each style; leave n out")
        if self.style is not None and "strength" not in self.model_fields_set:
            self.strength = None
        for use in self.likeness or ():
            use["weight"] = self.likeness_weight if use["weight"] is None else use["weight"]
        if self.likeness and not self.generates:
            raise PydanticCustomError("invalid", "likeness: leave it out where no new picture is made")
        sources = [name for name in ("source_images", "from_job", "from_image") if getattr(self, name)]
        if len(sources) > 1:
            named = {"field": sources[1], "other": sources[0]}
            raise PydanticCustomError("invalid", "{field}: leave it out, or {other}", named)
        is_described = self.from_job is not None or self.from_image is not None
        if self.generates and not self.has_prompt and not is_described:
            raise PydanticCustomError("required", "prompt: describe the picture in a few words")
        if not self.generates and not sources:
            raise PydanticCustomError(
                "required", "source_images: a strength below 0 changes existing pictures; name at least one"
            )
        return self

    @property
    def generates(self) -> bool:
        """Return whether it paints pictures; a strength below 0 changes or describes existing ones."""
        return self.strength is None or self.strength >= 0

    @property
    def has_prompt(self) -> bool:
        """Return whether the prompt has a word."""
        return bool(self.prompt.strip().strip("|").strip())


class UploadRequest(Request):
    content_type: Literal["image/png", "image/jpeg", "image/webp"]
    size: Annotated[int, Field(ge=1, le=MAX_UPLOAD_BYTES), Whole]


class NewReport(Request):
    """A report of published pictures."""

    reason: Literal["illegal", "hateful", "sexual", "personal", "copyright", "other"]
    detail: Annotated[Text, StringConstraints(max_length=1000)] = ""


class ImageView(Answer):
    id: Id
    index: int
    url: str = Field(description="Presigned; it works until `url_expires_at`.")
    thumbnail_url: str
    url_expires_at: Time
    link: str = Field(description="Never expires: redirects to a fresh presigned URL.")
    width: int
    height: int
    seed: Seed | None = Field(description="Null if the generator did not use it.")
    description: str | None


class EventView(Answer):
    at: str
    event: str
    detail: str | None = Field(description="The reason, in English, if there is one.")
    code: str | None = Field(description="The reason for programs; stable. docs/reasons.md lists them.")
    count: int | None = Field(None, description="How often it has happened, where that is more than once.")
    first_at: str | None = Field(
        None, description="When it happened first, where it has happened again; `at` is the last time."
    )


class JobErrorView(Answer):
    code: str
    message: str


class LinksView(Answer):
    self: str
    image: str | None


class JobSummary(Answer):
    """A job in a list: without its timeline."""

    id: Id
    state: StateName
    queue_position: int | None
    position_is_estimate: bool
    eta_seconds: int | None
    progress: float | None
    prompt: str
    settings: dict[str, Any]
    images: list[ImageView]
    timelapse_url: str | None = Field(
        description="An MP4 of the first picture's making, presigned like it; its poster is that picture's thumbnail."
    )
    error: JobErrorView | None
    public: bool
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    links: LinksView
    group_id: str | None = Field(description="The group with which it was submitted.")


class AppealView(Answer):
    text: str
    state: Literal["waiting", "refused"]


class PublicationView(Answer):
    """Whether the gallery shows a job. With `EASEL_REVIEW=before` a publication is `waiting` until it is approved."""

    state: Literal["private", "waiting", "public", "refused", "removed"] = Field(
        description="`refused`: the operators did not publish it. `removed`: they took it down."
    )
    reason: str | None = Field(description="Why it was refused or removed, in the operators' words.")
    appeal: AppealView | None
    may_appeal: bool


class AppealRequest(Request):
    text: Appeal


class JobView(JobSummary):
    preview_url: str | None = Field(
        description="A small WebP of the picture as it is now, presigned; null if there is none. It is no result."
    )
    timeline: list[EventView]
    publication: PublicationView


class JobList(Answer):
    jobs: list[JobSummary]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]


class UploadView(Answer):
    key: str
    url: str
    fields: dict[str, str]
    expires_at: Time


class GalleryItem(Answer):
    job_id: str
    prompt: str
    style: str | list[str] | None
    images: list[ImageView]
    timelapse_url: str | None
    created_at: Time
    published_at: Time


class GallerySettings(Answer):
    """The recipe of published pictures: the settings that make them again, and nothing about their owner."""

    type: Type
    style: str | list[str] | None
    quality: Quality
    aspect: Aspect
    width: int
    height: int
    steps: int
    scale: float
    upscale: int
    n: int
    seed: Seed
    negative_prompt: str
    strength: float | None
    pixel_art: dict[str, int] | None = None


class GalleryDetail(GalleryItem):
    settings: GallerySettings


class GalleryPage(Answer):
    items: list[GalleryItem]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]


class ReportView(Answer):
    status: Literal["received"]


class SignInView(Answer):
    local: bool = Field(description="Whether people sign up and log in with a password.")
    provider: str | None = Field(description="The name of the OpenID Connect provider where people sign in.")
    passkeys: str | None = Field(description="The domain that passkeys of this site are for; null: it has none.")


class PresetsView(Answer):
    types: list[dict[str, Any]]
    styles: list[dict[str, Any]]
    qualities: list[dict[str, Any]]
    aspects: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    models: list[dict[str, Any]]
    trains_likenesses: bool = Field(description="Whether a generator of this site trains likenesses.")
    confirms_addresses: bool = Field(description="Whether a sign-up counts once a link in a mail was opened.")
    sign_in: SignInView


class HealthView(Answer):
    status: Literal["ok", "unavailable"]
    checks: dict[str, str]


class ProblemField(Answer):
    field: str
    message: str = Field(description="What is wrong, in English.")
    code: FieldCode = Field(description="The message for programs; stable.")
    limit: float | None = Field(description="The limit that the value exceeds, if it exceeds one.")


class Problem(Answer):
    """RFC 9457, with a stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemField] = Field(default_factory=list, description="Only with status 422.")
