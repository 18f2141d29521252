"""The request of img_generator: every parameter with its limits and default."""

import hashlib
import json
import secrets
import unicodedata
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from generator.engines.base import Control, DescriptionOptions, ImageRequest, ModelInfo
from generator.images import MAX_SOURCE_PIXELS, SIZE_STEP_PX, BadImage, decode_base64

MAX_PROMPT = 4000
MIN_SIDE_PX, MAX_SIDE_PX = 64, 2048
MAX_STEPS = 150
MAX_SCALE = 30.0
MAX_N = 8
MAX_UPS = 4
MAX_SEED = 2**32 - 1
MAX_SOURCE_IMAGES = 8
MAX_FRAMES = 120
MAX_ADAPTERS = 4
MAX_CONTROL_SCALE = 2.0
SCENE_PICTURES = ("background", "pose", "pose_mask", "face_mask")
EXTRA_PICTURES = ("mask", "control", *SCENE_PICTURES)
"""The parameters beside `imgs` that hold a picture."""

MAX_OUTPUT_PIXELS = 2**27
"""Of all images of one request together, after upscaling: eight of 4096 x 4096."""

MAX_BODY_BYTES = 80 * 1024 * 1024
"""Four source images of 2048 x 2048 pixels of noise take a little more than 64 MiB in base64."""


class ParameterError(Exception):
    """A parameter that is wrong only in combination with others, or only after decoding."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.message = message


class UnknownAdapter(Exception):
    """The service has no adapter of this hash: it was never sent or trained here, or has been removed."""


class NotKept(Exception):
    """An adapter cannot be written to the disk."""


class UnknownAdapters(Exception):
    """A request names adapters that the service does not have."""

    def __init__(self, hashes: list[str]) -> None:
        super().__init__()
        self.hashes = hashes


def composed(text: str) -> str:
    """Return the text in NFC: the same words are the same picture, however their letters are written."""
    return unicodedata.normalize("NFC", text)


def limits() -> dict[str, float]:
    """Return the limits that `GET /health` reports."""
    return {
        "prompt_characters": MAX_PROMPT,
        "side_px_min": MIN_SIDE_PX,
        "side_px_max": MAX_SIDE_PX,
        "side_px_step": SIZE_STEP_PX,
        "steps_max": MAX_STEPS,
        "scale_max": MAX_SCALE,
        "n_max": MAX_N,
        "ups_max": MAX_UPS,
        "imgs_max": MAX_SOURCE_IMAGES,
        "img_pixels_max": MAX_SOURCE_PIXELS,
        "frames_max": MAX_FRAMES,
        "output_pixels_max": MAX_OUTPUT_PIXELS,
        "body_bytes_max": MAX_BODY_BYTES,
    }


def as_list(value: object) -> object:
    """Return one text as a list."""
    return [value] if isinstance(value, str) else value


def _split(value: object) -> object:
    """Split a list at its commas. A form has commas or repeats the field; JSON may do either too."""
    parts = as_list(value)
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        return parts
    return list(dict.fromkeys(word.strip() for part in parts for word in part.split(",") if word.strip()))


def whole_base64(texts: list[str]) -> list[str]:
    """Return texts that are strict base64."""
    for text in texts:
        try:
            decode_base64(text)
        except BadImage as error:
            raise ValueError(f"a picture {error}") from error
    return texts


def _one_whole_base64(text: str) -> str:
    return whole_base64([text])[0]


Side = Annotated[int, Field(ge=MIN_SIDE_PX, le=MAX_SIDE_PX, multiple_of=SIZE_STEP_PX)]
Base64Picture = Annotated[str, AfterValidator(_one_whole_base64)]
Skipped = Literal["mediums", "artists", "trendings", "movements"]


def words_for_defaults(schema: dict[str, Any]) -> None:
    """Describe what a parameter that is left out means, without `default` and null.

    Some client generators demand or send every property with a default, and a client that sends `n` means it; null is
    refused.
    """
    for spec in schema["properties"].values():
        default = spec.pop("default", None)
        if default is not None:
            spec["description"] = f"By default {json.dumps(default)}."
        for kind in spec.pop("anyOf", ()):
            spec.update(kind if kind != {"type": "null"} else {})


class Adapter(BaseModel):
    """A LoRA that the client has sent: the hash of its file, and how much it counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    weight: Annotated[float, Field(ge=-4, le=4)] = 1.0


class KeyedRequest(BaseModel):
    """What the requests that queue a job have in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, json_schema_extra=words_for_defaults)

    # Clients in Go and Java would use 32 bits, and half of all seeds need the 32nd.
    seed: Annotated[int, Field(ge=0, le=MAX_SEED, json_schema_extra={"format": "int64"})] | None = None
    key: Annotated[str, Field(min_length=1, max_length=255)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_null(cls, fields: dict[str, object]) -> dict[str, object]:
        """Refuse null: None means that a parameter was not sent."""
        for name, value in fields.items():
            if value is None:
                raise ParameterError(name, "is null; leave it out instead")
        return fields

    def digest(self) -> bytes:
        """Hash everything except the key: equal for requests that ask for the same."""
        return hashlib.sha256(self.model_dump_json(exclude={"key"}).encode()).digest()

    def first_seed(self) -> int:
        """Return the seed (of the first image), a random one if the request has none."""
        return secrets.randbelow(MAX_SEED + 1) if self.seed is None else self.seed


class GenerationRequest(KeyedRequest):
    """One request to `/initiate_processing`, with the protocol's names.

    An engine gets it as one `ImageRequest` for each image.
    """

    prompt: Annotated[str, Field(max_length=MAX_PROMPT), AfterValidator(composed)] = ""
    neg_prompt: Annotated[str, Field(max_length=MAX_PROMPT), AfterValidator(composed)] = ""
    ups: Annotated[int, Field(le=MAX_UPS)] = 4
    imgs: Annotated[
        list[str], BeforeValidator(as_list), Field(max_length=MAX_SOURCE_IMAGES), AfterValidator(whole_base64)
    ] = []
    strength: Annotated[float, Field(ge=-2, le=1)] = 0.75
    n: Annotated[int, Field(ge=1, le=MAX_N)] = 1
    height: Side | None = None
    width: Side | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS)] = 50
    scale: Annotated[float, Field(ge=0, le=MAX_SCALE)] = 7.5
    desc: bool = False
    cpu: bool = False
    blip_max_len: Annotated[int, Field(ge=5, le=512)] = 32
    clip_max_len: Annotated[int, Field(ge=0, le=512)] = 16
    skip_clip: bool = False
    skip_list: Annotated[list[Skipped], BeforeValidator(_split)] = []
    frames: Annotated[int, Field(ge=0, le=MAX_FRAMES)] = 0
    mask: Base64Picture | None = None
    adapters: Annotated[list[Adapter], Field(max_length=MAX_ADAPTERS)] = []
    scheduler: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    control: Base64Picture | None = None
    control_scale: Annotated[float, Field(ge=0, le=MAX_CONTROL_SCALE)] = 1.0
    background: Base64Picture | None = None
    pose: Base64Picture | None = None
    pose_mask: Base64Picture | None = None
    face_mask: Base64Picture | None = None

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.makes_pictures and not self.prompt.strip():
            raise ParameterError("prompt", "is required unless strength is below 0")
        if not self.makes_pictures and not self.imgs:
            raise ParameterError("imgs", "are required when strength is below 0")
        if self.mask is not None and not (self.imgs and self.makes_pictures):
            raise ParameterError("mask", "needs imgs and a strength of at least 0")
        if self.control is not None and not self.makes_pictures:
            raise ParameterError("control", "needs a strength of at least 0")
        if "control_scale" in self.model_fields_set and self.control is None and self.pose is None:
            raise ParameterError("control_scale", "needs control or pose")
        self._check_scene()
        return self

    def _check_scene(self) -> None:
        """Check that a scene has a background and a pose, and no other pictures beside it."""
        sent = [name for name in SCENE_PICTURES if getattr(self, name) is not None]
        for name in ("background", "pose"):
            if sent and name not in sent:
                raise ParameterError(name, f"is required with {sent[0]}")
        for name in ("imgs", "mask", "control"):
            if sent and getattr(self, name):
                raise ParameterError(name, "cannot be used with a background and a pose")

    @property
    def makes_pictures(self) -> bool:
        """Return whether new images are wanted, not only upscaled or described ones."""
        return self.strength >= 0

    @property
    def count(self) -> int:
        """Return how many new images are made: `n` in all, or without it one from each source image."""
        return self.n if "n" in self.model_fields_set else max(1, len(self.imgs))

    @property
    def upscaling(self) -> int:
        """Return how many times longer each side becomes."""
        return max(1, self.ups)

    @property
    def description_options(self) -> DescriptionOptions:
        """Return how long and detailed the descriptions may be."""
        return DescriptionOptions(self.blip_max_len, self.clip_max_len, self.skip_clip, tuple(self.skip_list))

    def with_defaults(self, model: ModelInfo | None, has_sources: bool) -> Self:
        """Return the request with the model's own steps, scale and size where it has none; sources have a size."""
        if model is None:
            return self
        own: dict[str, int | float] = {"steps": model.steps, "scale": model.scale}
        if not (has_sources or self.width or self.height):
            own |= {"width": model.width, "height": model.height}
        return self.model_copy(update={name: own[name] for name in own.keys() - self.model_fields_set})

    def image_request(self, size: tuple[int, int], seed: int, control: Control | None = None) -> ImageRequest:
        """Return the request for one image of that width and height."""
        width, height = size
        return ImageRequest(
            prompt=self.prompt,
            negative_prompt=self.neg_prompt,
            width=width,
            height=height,
            steps=self.steps,
            scale=self.scale,
            seed=seed & MAX_SEED,
            cpu=self.cpu,
            adapters=tuple((adapter.sha256, adapter.weight) for adapter in self.adapters),
            scheduler=self.scheduler or "",
            control=control,
        )

    def size_for(self, source: tuple[int, int] | None) -> tuple[int, int]:
        """Return width and height of a new image: as requested, else as the source (width, height), else 512 x 512."""
        if source is None or self.width or self.height:
            return self.width or self.height or 512, self.height or self.width or 512
        shrink = min(1.0, MAX_SIDE_PX / max(source))
        return _side(source[0] * shrink), _side(source[1] * shrink)


def _side(length: float) -> int:
    return min(MAX_SIDE_PX, max(MIN_SIDE_PX, round(length / SIZE_STEP_PX) * SIZE_STEP_PX))
