"""A folder with places and actions, as it is imported: `scenes.toml` with the words, and the pictures beside it.

A place's pictures are `places/<key>/<number>`, numbered from 1. An action's are `actions/<key>/<shot>-<picture>` with
the shots CLS, MES and FUS and the pictures pose, pose_mask and face_mask. Each is a PNG, WebP or JPEG file.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.api.fields import Text
from shared.api.scene_schemas import MAX_PLACE_PICTURES, SHOTS, Key, Shot
from shared.core.limits import MAX_SIDE_PX, MAX_UPLOAD_BYTES, MIN_SIDE_PX, SIDE_STEP_PX
from shared.images import codec
from shared.scenes import pictures
from shared.scenes.store import Names, Size

WORDS = "scenes.toml"
MAX_WORDS_BYTES = 1024 * 1024
MAX_PLACES, MAX_ACTIONS = 50, 100
SUFFIXES = (".png", ".webp", ".jpg")
WHITE = 128
"""From this grey on a mask counts as white."""


class FolderError(Exception):
    """The folder cannot be imported; the message is one sentence that names the file."""


Name = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Description = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    key: Key
    en: Name
    ru: Name


class _Place(_Entry):
    pictures: Annotated[list[Description], Field(min_length=1, max_length=MAX_PLACE_PICTURES)]


class _Action(_Entry):
    description: Description
    description_ru: Description


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    places: Annotated[list[_Place], Field(max_length=MAX_PLACES)] = []
    actions: Annotated[list[_Action], Field(max_length=MAX_ACTIONS)] = []


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one place's picture or one action's shot, as they are stored under their row's prefix."""

    size: Size
    digest: bytes
    objects: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture of a place in a folder."""

    index: int
    description: str
    files: Files


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """A place in a folder."""

    key: str
    names: Names
    pictures: tuple[FoundPicture, ...]


@dataclass(frozen=True, slots=True)
class FoundAction:
    """An action in a folder."""

    key: str
    names: Names
    descriptions: Names
    shots: dict[Shot, Files]


@dataclass(frozen=True, slots=True)
class Folder:
    """All places and actions of a folder, checked: every picture is there and has the same size."""

    size: Size
    places: tuple[FoundPlace, ...]
    actions: tuple[FoundAction, ...]


def read_folder(folder: Path) -> Folder:
    """Read and check a folder; nothing is written.

    Raises:
        FolderError: Something is missing, too large, of another size, or no picture.
    """
    words = _read_words(folder / WORDS)
    for kind, keys in (("place", [one.key for one in words.places]), ("action", [one.key for one in words.actions])):
        if repeated := next((key for key in keys if keys.count(key) > 1), None):
            raise FolderError(f"{WORDS}: the {kind} {repeated} is listed twice.")
    places = tuple(_read_place(folder / "places" / one.key, one) for one in words.places)
    actions = tuple(_read_action(folder / "actions" / one.key, one) for one in words.actions)
    sizes = {picture.files.size: f"places/{place.key}" for place in places for picture in place.pictures}
    sizes |= {files.size: f"actions/{action.key}" for action in actions for files in action.shots.values()}
    if not sizes:
        raise FolderError(f"{WORDS} lists no place and no action.")
    (size, first), *others = sizes.items()
    if others:
        (width, height), other = others[0]
        raise FolderError(
            f"The pictures of {other} have {width}x{height} pixels and those of {first} {size[0]}x{size[1]}: all need"
            " the same size."
        )
    return Folder(size, places, actions)


def _read_words(path: Path) -> _Words:
    try:
        text = _read(path, MAX_WORDS_BYTES).decode()
        return _Words.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise FolderError(f"{WORDS}: {place}: {first['msg'].removeprefix('Value error, ')}.") from None
    except ValueError as error:
        raise FolderError(f"{WORDS} is not TOML in UTF-8: {error}.") from None


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}.") from None
    if len(data) > most_bytes:
        raise FolderError(f"{path} has more than {most_bytes} bytes.")
    return data


def _read_place(folder: Path, words: _Place) -> FoundPlace:
    found = []
    for number, description in enumerate(words.pictures, 1):
        data, image = _read_picture(folder / str(number))
        objects = {pictures.BACKGROUND: image, pictures.THUMBNAIL: image}
        found.append(FoundPicture(number - 1, description, _files(objects, [data])))
    return FoundPlace(words.key, Names(words.en, words.ru), tuple(found))


def _read_action(folder: Path, words: _Action) -> FoundAction:
    shots = {shot: _read_shot(folder, shot) for shot in SHOTS}
    return FoundAction(words.key, Names(words.en, words.ru), Names(words.description, words.description_ru), shots)


def _read_shot(folder: Path, shot: Shot) -> Files:
    pose_file, pose = _read_picture(folder / f"{shot}-pose")
    objects, files = {pictures.POSE: pose, pictures.THUMBNAIL: pose}, [pose_file]
    for name, stored in (("pose_mask", pictures.POSE_MASK), ("face_mask", pictures.FACE_MASK)):
        path = folder / f"{shot}-{name}"
        data, image = _read_picture(path)
        if image.size != pose.size:
            raise FolderError(f"{path} has another size than the pose.")
        mask = image.convert("L").point(lambda grey: 255 if grey >= WHITE else 0)
        if mask.getbbox() is None:
            raise FolderError(f"{path} shows nothing white.")
        objects[stored] = mask
        files.append(data)
    return _files(objects, files)


def _read_picture(stem: Path) -> tuple[bytes, Image.Image]:
    """Return a picture's file and its pixels; its size is one that generators take."""
    path = next((found for suffix in SUFFIXES if (found := stem.with_name(stem.name + suffix)).exists()), None)
    if path is None:
        raise FolderError(f"{stem} is missing: it may be a {', '.join(SUFFIXES)} file.")
    data = _read(path, MAX_UPLOAD_BYTES)
    try:
        width, height = codec.read_size(data)
        image = codec.decode_source(data)
    except codec.PictureError as error:
        raise FolderError(f"{path}: {error.message}") from None
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX and side % SIDE_STEP_PX == 0 for side in (width, height)):
        raise FolderError(
            f"{path} has {width}x{height} pixels: sides need {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels in"
            f" multiples of {SIDE_STEP_PX}."
        )
    return data, image


def _files(images: dict[str, Image.Image], files: Sequence[bytes]) -> Files:
    """Return the objects to be stored; the digest is that of the files, so it does not change with the encoder."""
    digest = hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in files)).digest()
    objects = {
        name: codec.thumbnail_webp(image) if name.endswith(".webp") else codec.small_png(image, MAX_SIDE_PX)
        for name, image in images.items()
    }
    return Files(next(iter(images.values())).size, digest, objects)
