"""What is checked of a model's folder before a library reads it: files, classes and sizes.

A model comes from a third party. Its configuration is JSON that decides how much memory is taken, and its weights may
be a pickle, which is a program. Only safetensors are read, and only configurations whose networks fit their weights.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeVar

from generator.engines.base import BadSetting

AnyPath = TypeVar("AnyPath", bound=PurePath)

MAX_CONFIG_BYTES = 256 * 1024
MAX_HEADER_BYTES = 32 * 1024 * 1024
MAX_HEADER_VALUES = 1_000_000
"""Most lists, objects and members in a header. Parsed, the three bytes `[],` take about twenty times as much memory."""

MAX_PARAMETERS = 15_000_000_000
MAX_NUMBER = 2**20
"""No size in a configuration is larger: the widest vocabularies have 250,000 words."""

MAX_LAYERS = 128
MAX_LIST = 64

PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle")

OWN_VAE = "PatchBasis"
"""The autoencoder of easel-mini, which no library knows."""

CLASSES = {
    "unet": {"UNet2DConditionModel"},
    "vae": {"AutoencoderKL", "AutoencoderTiny", OWN_VAE},
    "text_encoder": {"CLIPTextModel"},
    "text_encoder_2": {"CLIPTextModelWithProjection"},
    "tokenizer": {"CLIPTokenizer", "CLIPTokenizerFast", "PreTrainedTokenizerFast"},
    "tokenizer_2": {"CLIPTokenizer", "CLIPTokenizerFast", "PreTrainedTokenizerFast"},
}
"""The classes that a model may name, for each part. A scheduler is one of `schedulers.SCHEDULERS`."""

CONTROLNET = "ControlNetModel"

_SHARED = ("in_channels", "block_out_channels", "layers_per_block", "cross_attention_dim")
_ADDED = ("addition_embed_type", "addition_time_embed_dim", "projection_class_embeddings_input_dim")
_UNUSED = ("class_embed_type", "num_class_embeds", "encoder_hid_dim_type")
"""What a ControlNet must have in common with the U-Net, what too if it takes SDXL's vectors, and what none may have."""

REQUIRED = ("unet", "vae", "text_encoder", "tokenizer", "scheduler")

MODEL_FILES = (
    "*.json",
    *(f"{part}/*{suffix}" for part in (*CLASSES, "scheduler") for suffix in (".json", ".txt", ".safetensors")),
)
NETWORK_FILES = ("config.json", "diffusion_pytorch_model*.safetensors")

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}(@[\w./-]{1,64})?")

_COUNTS = ("layers", "heads", "blocks", "depth")


class BadModel(BadSetting):
    """The model cannot be used; the message says why."""


_END_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One part of a model: its class, its folder and its configuration."""

    class_name: str
    folder: Path
    config: dict[str, object]


def find_folder(name: str, files: Sequence[str] = MODEL_FILES) -> Path:
    """Return the folder of a model: the folder itself, or a hub's model, of which only these files are fetched.

    Raises:
        BadModel: There is neither a folder nor a model of that name.
    """
    folder = local_folder(name)
    if folder is not None:
        return folder
    from generator.engines.diffusion.hub import fetch

    return fetch(name, files)


def local_folder(name: str) -> Path | None:
    """Return the folder of a model, None for a hub's model. `~` is the home directory.

    Raises:
        BadModel: It is the name of neither.
    """
    path = os.path.expanduser(name)
    if name and os.path.isdir(path):
        return Path(path).resolve()
    if not HUB_ID.fullmatch(name):
        raise BadModel(f"{name[:200]} is neither a folder nor the name of a hub's model")
    return None


def read_parts(folder: Path) -> dict[str, Part]:
    """Return the parts of a model that this engine uses.

    Raises:
        BadModel: A part is missing, is of a class that is not known here, or has a configuration out of bounds.
    """
    index = read_json(folder / "model_index.json")
    parts: dict[str, Part] = {}
    for name in (*CLASSES, "scheduler"):
        entry = index.get(name)
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], str)):
            continue
        parts[name] = _read_part(folder, name, entry[1])
    missing = [name for name in REQUIRED if name not in parts]
    if missing:
        raise BadModel(f"{folder.name} has no {', '.join(missing)}")
    return parts


def _read_part(folder: Path, name: str, class_name: str) -> Part:
    if name in CLASSES and class_name not in CLASSES[name]:
        known = ", ".join(sorted(CLASSES[name]))
        raise BadModel(f"{name} is of the class {class_name[:64]}; known are {known}")
    place = folder / name
    if name.startswith("tokenizer"):
        return Part(class_name, place, {})
    config = read_json(place / ("scheduler_config.json" if name == "scheduler" else "config.json"))
    check_numbers(name, config)
    if name != "scheduler":
        check_weights(place)
    return Part(class_name, place, config)


def read_controlnet(folder: Path) -> Part:
    """Return the ControlNet of a folder.

    Raises:
        BadModel: It is something else, or has a configuration out of bounds.
    """
    config = read_json(folder / "config.json")
    if config.get("_class_name") != CONTROLNET:
        raise BadModel(f"{folder.name} is not a {CONTROLNET}")
    check_numbers(folder.name, config)
    check_weights(folder)
    return Part(CONTROLNET, folder, config)


def find_misfit(own: Mapping[str, object], unet: Mapping[str, object], latent_scale: int) -> str | None:
    """Return why a ControlNet cannot steer a U-Net, from their configurations, or None if it can."""
    blocks = len(_each(unet["block_out_channels"], 1))
    wanted = {name: unet[name] for name in _SHARED}
    wanted |= {"conditioning_channels": 3, "global_pool_conditions": False} | dict.fromkeys(_UNUSED)
    if own["addition_embed_type"] is not None:
        wanted |= {name: unet[name] for name in _ADDED}
    for name, value in wanted.items():
        if _each(own[name], blocks) != _each(value, blocks):
            return f"its {name} is {own[name]} instead of {value}"
    # Each stage but the first halves the picture's sides.
    scale = 2 ** (len(_each(own["conditioning_embedding_out_channels"], 1)) - 1)
    return None if scale == latent_scale else f"it makes one latent of {scale} pixels a side instead of {latent_scale}"


def _each(value: object, blocks: int) -> list[object]:
    """Return a value for each block; a configuration may have one for all."""
    return list(value) if isinstance(value, list | tuple) else [value] * blocks


def read_json(path: Path) -> dict[str, object]:
    """Return a JSON object.

    Raises:
        BadModel: The file is missing, too large or something else.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise BadModel(f"{where} has more than {MAX_CONFIG_BYTES} bytes")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise BadModel(f"{where} cannot be read: {os.strerror(error.errno or 0)}") from error
    except (ValueError, RecursionError) as error:
        raise BadModel(f"{where} is not JSON") from error
    if not isinstance(found, dict):
        raise BadModel(f"{where} is not a JSON object")
    return found


def check_numbers(name: str, config: dict[str, object]) -> None:
    """Check that no number of a configuration asks for more layers or memory than a real model has.

    Raises:
        BadModel: One does.
    """
    for key, number in _numbers(config, ""):
        limit = MAX_LAYERS if any(word in key for word in _COUNTS) else MAX_NUMBER
        # A scheduler may clip at minus infinity.
        if abs(number) > limit and not (name == "scheduler" and math.isinf(number)):
            raise BadModel(f"{name}: {key[:64]} is outside of the limits")


def _numbers(value: object, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _numbers(one, inner)
    elif isinstance(value, list):
        # Schedulers may list a number for each training step.
        if len(value) > (MAX_LIST if key != "trained_betas" else 10_000):
            raise BadModel(f"{key[:64]} has more than {MAX_LIST} values")
        for one in value:
            yield from _numbers(one, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value


def weights_of(folder: Path) -> list[Path]:
    """Return the weight files of a part: those of full precision, else the others. A part may have none."""
    return full_precision(sorted(folder.glob("*.safetensors")))


def full_precision(files: list[AnyPath]) -> list[AnyPath]:
    """Return the files of full precision among the weights of one part, else all."""
    return [path for path in files if ".fp16." not in path.name and ".non_ema." not in path.name] or files


def fingerprint(folder: Path) -> str:
    """Return 12 hexadecimal digits that differ for models with other weights or configurations.

    Of each file of weights the size and both ends are read: a training changes all of it, and gigabytes take long.
    """
    digest = hashlib.sha256()
    for path in sorted((*folder.glob("*.json"), *folder.glob("*/*.json"), *folder.glob("*/*.safetensors"))):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)}:{size}:".encode())
        with path.open("rb") as file:
            digest.update(file.read(_END_BYTES))
            file.seek(max(0, size - _END_BYTES))
            digest.update(file.read(_END_BYTES))
    return digest.hexdigest()[:12]


def check_weights(folder: Path) -> None:
    """Check that a part has no weights but safetensors.

    Raises:
        BadModel: It has a pickle instead, or more parameters than any model here.
    """
    weights = weights_of(folder)
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles and not weights:
        raise BadModel(f"{folder.name} has {pickles[0]}, a pickle, which may run programs; only safetensors are read")
    if parameters_in(weights) > MAX_PARAMETERS:
        raise BadModel(f"{folder.name} has more than {MAX_PARAMETERS} parameters")


def parameters_in(weights: list[Path]) -> int:
    """Count the numbers in safetensors files from their headers.

    Raises:
        BadModel: A header is none.
    """
    return sum(math.prod(shape) for path in weights for shape in tensor_shapes(path).values())


def tensor_shapes(path: Path) -> dict[str, list[int]]:
    """Return the shape of each tensor of a safetensors file.

    Raises:
        BadModel: The file is none, or its tensors are not exactly what it has.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size - 8 - length
            if not 2 <= length <= MAX_HEADER_BYTES or size < 0:
                raise BadModel(f"{path.name} is no safetensors file")
            raw = file.read(length)
        if sum(map(raw.count, (b",", b"[", b"{"))) > MAX_HEADER_VALUES:
            raise BadModel(f"{path.name} has too many tensors")
        entries = {name: entry for name, entry in json.loads(raw).items() if name != "__metadata__"}
        shapes = {name: entry["shape"] for name, entry in entries.items()}
        bits = sum(math.prod(shape) * (8 if "8" in entries[name]["dtype"] else 16) for name, shape in shapes.items())
        ends = 0
        for begin, end in sorted(tuple(entry["data_offsets"]) for entry in entries.values()):
            if begin != ends or end < begin:
                raise BadModel(f"{path.name} is no safetensors file")
            ends = end
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise BadModel(f"{path.name} is no safetensors file") from error
    sound = all(type(side) is int and side >= 0 for shape in shapes.values() for side in shape)
    if not sound or ends != size:
        raise BadModel(f"{path.name} is no safetensors file")
    if bits > size * 8:
        raise BadModel(f"{path.name} claims more tensors than it has")
    return shapes
