"""Names in LoRA files: which layer of which network a tensor belongs to.

Three families of names are read: those of kohya's scripts (`lora_unet_..._to_q.lora_down.weight`, for SDXL with the
block numbers of its first implementation), those of diffusers (`unet....to_q.lora.down.weight`) and those of peft
(`unet....to_q.lora_A.weight`). Instead of rewriting a name, the names that each layer may have are listed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from generator.engines.base import CannotDo
from generator.engines.diffusion.folder import BadModel

_PARTS = {
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".alpha": "alpha",
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    ".lora.down.weight": "down",
    ".lora.up.weight": "up",
    ".lora_linear_layer.down.weight": "down",
    ".lora_linear_layer.up.weight": "up",
    "_lora.down.weight": "down",
    "_lora.up.weight": "up",
}


class BadAdapter(BadModel, CannotDo):
    """The adapter cannot be used with this model; the message says why."""


@dataclass(frozen=True)
class Layer:
    """One changed layer: its network (0 the U-Net, 1 and 2 the text encoders), its name, and the change."""

    network: int
    name: str
    down: torch.Tensor
    up: torch.Tensor
    scale: float


def layers(tensors: dict[str, torch.Tensor], networks: list[torch.nn.Module]) -> list[Layer]:
    """Return the layers that the tensors of a file change.

    Raises:
        BadAdapter: A tensor belongs to no layer of this model, or has another shape.
    """
    places = dict(_places(networks))
    found: dict[tuple[int, str], dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        ending = next((ending for ending in _PARTS if key.endswith(ending)), None)
        place = places.get(_plain(key.removesuffix(ending))) if ending else None
        if ending is None or place is None:
            raise BadAdapter(f"{key[:128]} is no part of a LoRA for this model")
        found.setdefault(place, {})[_PARTS[ending]] = tensor
    if not found:
        raise BadAdapter("the adapter is empty")
    return [_layer(networks[network], network, name, parts) for (network, name), parts in found.items()]


def _layer(network: torch.nn.Module, number: int, name: str, parts: dict[str, torch.Tensor]) -> Layer:
    if not {"down", "up"} <= parts.keys():
        raise BadAdapter(f"{name} has only a half")
    weight = network.get_submodule(name).weight
    # Checked as they are used: in half precision more values are out of range.
    down, up = (parts[half].to(weight.dtype) for half in ("down", "up"))
    shape, kernel = weight.shape, weight.shape[2:]
    rank = down.shape[0] if down.ndim else 0
    fits = rank > 0 and tuple(down.shape[1:]) == (shape[1], *kernel)
    if not fits or tuple(up.shape) != (shape[0], rank, *(1 for _ in kernel)):
        raise BadAdapter(f"{name} has other sizes in this model")
    alpha = parts["alpha"].to(weight.dtype) if "alpha" in parts and parts["alpha"].numel() == 1 else torch.tensor(rank)
    if not all(torch.isfinite(one).all() for one in (down, up, alpha)):
        raise BadAdapter(f"{name} has values that are no numbers here")
    return Layer(number, name, down, up, float(alpha) / rank)


def _plain(path: str) -> str:
    """Return a path in the form in which `_places` lists it."""
    path = path.replace(".processor.", ".")
    path = path.replace("to_out_lora", "to_out.0").removesuffix("_lora")
    if path.endswith(".to_out"):
        path += ".0"
    return path.replace("text_model.", "")


def _places(networks: list[torch.nn.Module]) -> Iterator[tuple[str, tuple[int, str]]]:
    """Return each name that a layer may have in a file, and the layer."""
    for number, network in enumerate(networks):
        for name, module in network.named_modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d):
                for alias in _unet_names(name) if number == 0 else _text_names(name, number):
                    yield alias, (number, name)


def _unet_names(name: str) -> Iterator[str]:
    yield f"unet.{name}"
    yield f"base_model.model.{name}"
    yield f"lora_unet_{name.replace('.', '_')}"
    first = _first_name(name)
    if first is not None:
        yield f"lora_unet_{first.replace('.', '_')}"


def _text_names(name: str, number: int) -> Iterator[str]:
    # Older versions of the library had all layers in a part `text_model`.
    name = name.replace("text_model.", "")
    yield f"text_encoder.{name}" if number == 1 else f"text_encoder_2.{name}"
    for prefix in ("lora_te", "lora_te1") if number == 1 else ("lora_te2",):
        yield f"{prefix}_text_model_{name.replace('.', '_')}"
        yield f"{prefix}_{name.replace('.', '_')}"


_RESNET = {
    "conv1": "in_layers.2",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
_SINGLE = {
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def _first_name(name: str) -> str | None:
    """Return the name of an SDXL layer in the first implementation: three blocks with two layers each."""
    if name in _SINGLE:
        return _SINGLE[name]
    if middle := _MIDDLE.fullmatch(name):
        kind, number, rest = middle.groups()
        place = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{place}.{_RESNET.get(rest, rest)}"
    block = _BLOCK.fullmatch(name)
    if block is None:
        return None
    side, level, kind, number, rest = block.groups()
    place = 3 * int(level) + int(number) + (1 if side == "down" else 0)
    if kind == "downsamplers":
        return f"input_blocks.{3 * int(level) + 3}.0.op"
    if kind == "upsamplers":
        # Behind the attention of the last layer, where there is one.
        return f"output_blocks.{3 * int(level) + 2}.{2 if int(level) < 2 else 1}.{rest}"
    inner = f"{1 if kind == 'attentions' else 0}.{_RESNET.get(rest, rest)}"
    return f"{'input' if side == 'down' else 'output'}_blocks.{place}.{inner}"
