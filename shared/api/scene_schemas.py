"""The schemas of scenes: a person in a place, put together from what the site's catalogue has."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.api.fields import Text, WebhookUrl, Whole
from shared.api.likeness_use import Likeness, LikenessWeight
from shared.api.schemas import Answer, JobRequest, JobView, Notify, Quality, Request, Seed

Shot = Literal["CLS", "MES", "FUS"]
SHOTS: tuple[Shot, ...] = get_args(Shot)
"""Close, medium, far."""

Age = Literal["young", "adult", "old"]
Gender = Literal["man", "woman"]

KEY_PATTERN = "^[a-z0-9](-?[a-z0-9])*$"
MAX_KEY_CHARACTERS = 40
MAX_DETAILS_CHARACTERS = 500
MAX_PLACE_PICTURES = 8
CODE_PATTERN = "^[2-9A-HJ-NP-Za-km-z]{8}$"
"""Letters and digits without those that look alike (0, O, 1, I, l)."""

Key = Annotated[str, StringConstraints(max_length=MAX_KEY_CHARACTERS, pattern=KEY_PATTERN)]
Words = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=MAX_DETAILS_CHARACTERS)]

JOB_OPTIONS = ("quality", "seed", "notify", "webhook_url", "likeness", "likeness_weight")
"""The options of a job that a scene may have; every other one has the value that a scene needs."""


class SceneRequest(Request):
    """A person in a place: where, what they do, how near they are, and who they are."""

    place: Key = Field(description="A key from `GET /v1/places`.", examples=["park"])
    place_picture: Annotated[int, Field(ge=0, le=MAX_PLACE_PICTURES - 1), Whole] | None = Field(
        default=None, description="Which picture of the place. By default the seed chooses, or else it is the first."
    )
    action: Key | None = Field(
        default=None,
        description="A key from `GET /v1/actions`. With `dynamic_action` only where none is like the description.",
    )
    shot: Shot = Field(default="MES", description="How near the person is: close, medium or far.")
    age: Age = "adult"
    gender: Gender
    details: Words = Field(default="", description="What else is to be seen, such as `wearing a red coat`.")
    dynamic_action: bool = Field(default=False, description="Choose the action that is most like `action_prompt`.")
    action_prompt: Words = Field(default="", description="What the person does, in English or Russian.")
    quality: Quality = "normal"
    seed: Annotated[Seed, Field(ge=0, le=2**32 - 1), Whole] | None = None
    notify: Notify | None = None
    webhook_url: WebhookUrl | None = None
    likeness: Likeness | None = None
    likeness_weight: LikenessWeight = 1.0

    @model_validator(mode="after")
    def _names_an_action(self) -> "SceneRequest":
        if self.dynamic_action and not self.action_prompt:
            raise PydanticCustomError("required", "action_prompt: describe what the person does")
        if not self.dynamic_action and self.action is None:
            raise PydanticCustomError("required", "action: name one, or set dynamic_action and action_prompt")
        if not self.dynamic_action and self.action_prompt:
            raise PydanticCustomError("invalid", "action_prompt: leave it out, or set dynamic_action")
        return self


class SceneOptions(BaseModel):
    """What a job's settings say about its scene: the request, resolved. `background` and `pose` are rows of tables."""

    place: str
    place_picture: int
    action: str
    shot: Shot
    age: Age
    gender: Gender
    details: str
    action_prompt: str
    background: str
    pose: str
    code: str


class SceneJob(JobRequest):
    """The request of a job with a scene, as it is made here. Callers never send one."""

    scene: SceneOptions
    asked: bytes = Field(exclude=True)

    def fingerprint(self) -> bytes:
        """Return the hash of what the caller has asked for: what is chosen here may differ each time."""
        return self.asked


class SceneView(JobView):
    code: str = Field(description="Leads to the picture: whoever has it may see it.", pattern=CODE_PATTERN)
    link: str = Field(description="`/s/<code>`: redirects to the picture once there is one.")


class Names(Answer):
    en: str
    ru: str


class PlacePictureView(Answer):
    index: int
    description: str
    url: str = Field(description="Presigned.")
    width: int
    height: int


class PlaceView(Answer):
    key: str
    names: Names
    pictures: list[PlacePictureView]


class PlaceList(Answer):
    places: list[PlaceView]
    offered: bool = Field(description="False if no generator of this site makes scenes: a submit is refused.")
    likeness_offered: bool = Field(
        description="False if no generator that makes scenes takes likenesses: a submit with one is refused."
    )


class ActionShotView(Answer):
    shot: Shot
    url: str = Field(description="The mannequin, presigned.")


class ActionView(Answer):
    key: str
    names: Names
    descriptions: Names
    shots: list[ActionShotView]


class ActionList(Answer):
    actions: list[ActionView]
