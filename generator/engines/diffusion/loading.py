"""Load a model: its networks on the chosen device, and its own defaults."""

from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import diffusers
import torch
import transformers
from huggingface_hub.errors import StrictDataclassError

from generator.engines.base import ModelInfo, named
from generator.engines.diffusion.fixed_rows import fix_rows
from generator.engines.diffusion.folder import (
    NETWORK_FILES,
    OWN_VAE,
    BadModel,
    Part,
    find_folder,
    find_misfit,
    fingerprint,
    local_folder,
    parameters_in,
    read_controlnet,
    read_json,
    read_parts,
    weights_of,
)
from generator.engines.diffusion.samplers import Sampler
from generator.engines.diffusion.samplers import load as load_sampler
from generator.engines.diffusion.schedulers import SCHEDULERS

OWN_DEFAULTS = "easel.json"
"""A file beside `model_index.json` that may name `name`, `steps`, `scale` and `size` of a model."""

MAX_NAME = 100


@dataclass(frozen=True)
class TextEncoder:
    """A tokenizer and the network behind it."""

    tokenizer: transformers.PreTrainedTokenizerBase
    network: torch.nn.Module


@dataclass(frozen=True)
class ControlNet:
    """A network that steers the U-Net by a picture."""

    network: torch.nn.Module
    key: str


@dataclass(frozen=True)
class Model:
    """A loaded model. `large` is SDXL: two text encoders, of which the second also gives one vector for all."""

    unet: torch.nn.Module
    vae: torch.nn.Module
    text_encoders: tuple[TextEncoder, ...]
    sampler: Sampler
    info: ModelInfo
    device: torch.device
    dtype: torch.dtype
    key: str
    zeroes_empty: bool = False
    """An empty negative prompt is zeros instead of what the text encoders make of it."""

    controlnet: ControlNet | None = None

    @property
    def large(self) -> bool:
        """Return whether the model is of the SDXL kind."""
        return len(self.text_encoders) == 2

    @property
    def guides_by_input(self) -> bool:
        """Return whether the U-Net takes the guidance as an input (LCM) and needs no second row."""
        return self.unet.config.time_cond_proj_dim is not None

    @property
    def latent_scale(self) -> int:
        """Return how many pixels a latent has on each side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))


def load(name: str, controlnet: str | None = None) -> Model:
    """Load the model of a folder or a hub's name, and a ControlNet for it.

    Raises:
        BadModel: It cannot be used; the message says why.
    """
    folder = find_folder(name)
    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
    parts = read_parts(folder)
    device, dtype = choose_device()
    unet = load_network(diffusers, parts["unet"], dtype).to(device)
    vae = _vae(parts["vae"], dtype).to(device)
    encoders = [_text_encoder(parts, "text_encoder", "tokenizer", dtype, device)]
    if "text_encoder_2" in parts:
        encoders.append(_text_encoder(parts, "text_encoder_2", "tokenizer_2", dtype, device))
    for network in (unet, vae, *(encoder.network for encoder in encoders)):
        network.requires_grad_(False)
        network.eval()
    if unet.config.in_channels != unet.config.out_channels:
        raise BadModel(f"the U-Net takes {unet.config.in_channels} channels and gives {unet.config.out_channels}")
    fix_rows(unet)
    if device.type == "cpu":
        unet.to(memory_format=torch.channels_last)  # for oneDNN's convolutions the quickest order of numbers
    large = len(encoders) == 2
    zeroes = large and bool(read_json(folder / "model_index.json").get("force_zeros_for_empty_prompt", True))
    sampler = load_sampler(parts["scheduler"], large=large)
    key = _key(folder.name, folder / "unet")
    model = Model(unet, vae, tuple(encoders), sampler, _no_info(), device, dtype, key, zeroes)
    if controlnet is not None:
        with named("EASEL_CONTROLNET"):
            model = replace(model, controlnet=_load_controlnet(controlnet, model))
    return _with_info(model, folder, folder.name if local_folder(name) else name.partition("@")[0])


def _load_controlnet(name: str, model: Model) -> ControlNet:
    part = read_controlnet(find_folder(name, NETWORK_FILES))
    network = load_network(diffusers, part, model.dtype).to(model.device)
    misfit = find_misfit(network.config, model.unet.config, model.latent_scale)
    if misfit:
        raise BadModel(f"the ControlNet {part.folder.name} does not fit the model: {misfit}")
    network.requires_grad_(False)
    network.eval()
    fix_rows(network)
    return ControlNet(network, _key(part.folder.name, part.folder))


def choose_device() -> tuple[torch.device, torch.dtype]:
    """Return the device and its precision: half on a GPU, float32 on a CPU, where bfloat16 is 3 to 4 times slower."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.float16
    return torch.device("cpu"), torch.float32


def load_network(library: object, part: Part, dtype: torch.dtype) -> torch.nn.Module:
    """Load a network of diffusers, transformers or easel-mini.

    Its configuration is compared with its weights before.
    """
    kind = getattr(library, part.class_name)
    weights = weights_of(part.folder)
    with torch.device("meta"):
        try:
            config = part.config
            empty = kind(kind.config_class(**config)) if library is transformers else kind.from_config(config)
        except (
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            NotImplementedError,
            RuntimeError,
            StrictDataclassError,
        ) as error:
            raise BadModel(f"{part.folder.name}: the configuration is not one of {part.class_name}") from error
    wanted = sum(parameter.numel() for parameter in empty.parameters())
    if wanted > parameters_in(weights):
        raise BadModel(f"{part.folder.name}: the configuration describes more parameters than there are weights")
    variant = "fp16" if weights and all(".fp16." in path.name for path in weights) else None
    options = {"dtype": dtype} if library is transformers else {"torch_dtype": dtype}
    try:
        return kind.from_pretrained(
            part.folder, local_files_only=True, use_safetensors=True, variant=variant, **options
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise BadModel(f"{part.folder.name}: the weights do not fit the configuration") from error


def _vae(part: Part, dtype: torch.dtype) -> torch.nn.Module:
    if part.class_name == OWN_VAE:
        return load_network(import_module("generator.engines.diffusion.mini.vae"), part, dtype)
    # In half precision some of these give NaN; they say so.
    return load_network(diffusers, part, torch.float32 if part.config.get("force_upcast") else dtype)


def _text_encoder(
    parts: dict[str, Part], network: str, tokenizer: str, dtype: torch.dtype, device: torch.device
) -> TextEncoder:
    if tokenizer not in parts:
        raise BadModel(f"there is no {tokenizer}")
    kind = getattr(transformers, parts[tokenizer].class_name)
    try:
        words = kind.from_pretrained(parts[tokenizer].folder, local_files_only=True)
    except Exception as error:  # the library underneath raises nothing more special
        raise BadModel(f"the {tokenizer} is missing or cannot be read") from error
    return TextEncoder(words, load_network(transformers, parts[network], dtype).to(device))


def _no_info() -> ModelInfo:
    return ModelInfo("", "", "", 0, 0.0, 0, 0)


def _key(name: str, folder: Path) -> str:
    """Return what names a network's weights in the profile: the model's folder and their size."""
    return f"{name}:{sum(path.stat().st_size for path in weights_of(folder))}"


def _with_info(model: Model, folder: Path, name: str) -> Model:
    steps, scale = _defaults(model)
    cells = model.unet.config.sample_size
    if not isinstance(cells, int) or cells < 1:
        raise BadModel("unet: sample_size is not a whole number")
    own = read_json(folder / OWN_DEFAULTS) if (folder / OWN_DEFAULTS).exists() else {}
    side = int(_number(own, "size", cells * model.latent_scale, 64, 2048))
    if side % 8:
        raise BadModel(f"{OWN_DEFAULTS}: size is {side}, which is not a multiple of 8")
    info = ModelInfo(
        name=_name(own, name),
        device=torch.cuda.get_device_name() if model.device.type == "cuda" else "cpu",
        precision=str(model.dtype).removeprefix("torch."),
        steps=int(_number(own, "steps", steps, 1, 150)),
        scale=float(_number(own, "scale", scale, 0, 30)),
        width=side,
        height=side,
        revision=fingerprint(folder),
        scheduler=next(key for key, kind in SCHEDULERS.items() if kind == model.sampler.name),
    )
    return replace(model, info=info)


def _defaults(model: Model) -> tuple[int, float]:
    """Return steps and scale that suit a model, by what it is."""
    if model.guides_by_input:
        return 4, 8.0
    config = model.sampler.config
    if "Ancestral" in model.sampler.name and config.get("timestep_spacing") == "trailing":
        return 4, 0.0  # Turbo: few steps, without guidance
    if model.sampler.name in ("LCMScheduler", "TCDScheduler"):
        return 8, 1.5
    return (30, 5.0) if model.large else (30, 7.5)


def _name(own: dict[str, object], otherwise: str) -> str:
    """Return the name that a model gives itself.

    Raises:
        BadModel: It is not one line of at most 100 characters.
    """
    value = own.get("name", otherwise)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
        raise BadModel(f"{OWN_DEFAULTS}: name is not a line of at most {MAX_NAME} characters")
    return value


def _number(own: dict[str, object], name: str, otherwise: float, low: float, high: float) -> float:
    """Return a number of the model's own file, checked.

    Raises:
        BadModel: It is none or out of bounds.
    """
    value = own.get(name, otherwise)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise BadModel(f"{OWN_DEFAULTS}: {name} is not a number from {low:g} to {high:g}")
    return value
