"""The networks of easel-mini, their folder as diffusers and transformers read it, and their moving average."""

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from generator.engines.diffusion.mini import vocabulary
from generator.engines.diffusion.mini.vae import PatchBasis

PATCH = 8
CHANNELS = 48
STEPS_TRAINED = 1000


@dataclass(frozen=True)
class Shape:
    """The sizes of the networks; the first three are the U-Net's."""

    side: int = 64
    widths: tuple[int, ...] = (96, 160)
    layers: int = 1
    text_width: int = 128
    text_layers: int = 2


@dataclass
class Mini:
    """The model: U-Net, text encoder, tokenizer, and the autoencoder, which is not trained but computed."""

    unet: UNet2DConditionModel
    text: CLIPTextModel
    tokenizer: CLIPTokenizer
    vae: PatchBasis

    def parameters(self) -> list[torch.nn.Parameter]:
        """Return the weights that are trained."""
        return [*self.unet.parameters(), *self.text.parameters()]

    def to(self, device: str) -> "Mini":
        """Move the networks to a device."""
        self.unet.to(device)
        self.text.to(device)
        self.vae.to(device)
        return self


def build(shape: Shape, tokenizer: CLIPTokenizer | None = None, vae: PatchBasis | None = None) -> Mini:
    """Return a model with random weights."""
    tokenizer = tokenizer or vocabulary.build()
    return Mini(_unet(shape), _text_encoder(shape, tokenizer), tokenizer, vae or PatchBasis())


def _unet(shape: Shape) -> UNet2DConditionModel:
    crossed = len(shape.widths) - 1
    return UNet2DConditionModel(
        sample_size=shape.side // PATCH,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=shape.widths,
        layers_per_block=shape.layers,
        down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * crossed),
        up_block_types=(*["CrossAttnUpBlock2D"] * crossed, "UpBlock2D"),
        attention_head_dim=8,
        norm_num_groups=16,
        cross_attention_dim=shape.text_width,
        # The whole prompt also steers every layer by scale and shift: attention alone learns subjects far later.
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
        resnet_time_scale_shift="scale_shift",
    )


def _text_encoder(shape: Shape, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.text_width,
        intermediate_size=2 * shape.text_width,
        projection_dim=shape.text_width,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=4,
        max_position_embeddings=vocabulary.LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def scheduler() -> DPMSolverMultistepScheduler:
    """Return the scheduler whose configuration the model is saved with: it tells all others what the model predicts."""
    return DPMSolverMultistepScheduler(
        num_train_timesteps=STEPS_TRAINED,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        timestep_spacing="trailing",
        steps_offset=1,  # as the pipeline demands; without effect on this spacing
    )


def save(mini: Mini, folder: Path, *, half: bool = True) -> None:
    """Write the model as a folder of diffusers, in half precision unless told otherwise."""
    for part, own in (("unet", mini.unet), ("text_encoder", mini.text), ("vae", mini.vae)):
        copy.deepcopy(own).to(torch.float16 if half else torch.float32).save_pretrained(folder / part)
    mini.tokenizer.save_pretrained(folder / "tokenizer")
    scheduler().save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["generator.engines.diffusion.mini.vae", "PatchBasis"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    side = int(mini.unet.config.sample_size) * PATCH
    own = {"name": "easel-mini", "steps": 16, "scale": 2.5, "size": side}
    (folder / "easel.json").write_text(json.dumps(own, indent=2) + "\n")


def load(folder: Path) -> Mini:
    """Read a model's folder in single precision."""
    options = {"local_files_only": True}
    return Mini(
        UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32, **options),
        CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32, **options),
        vocabulary.load(folder / "tokenizer"),
        PatchBasis.from_pretrained(folder / "vae", torch_dtype=torch.float32, **options),
    )


def pipeline(mini: Mini) -> StableDiffusionPipeline:
    """Return the pipeline of diffusers around a model. Its autoencoder is passed, since no library knows its class."""
    pipe = StableDiffusionPipeline(
        vae=mini.vae,
        text_encoder=mini.text,
        tokenizer=mini.tokenizer,
        unet=mini.unet,
        scheduler=scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


class Average:
    """A moving average of weights whose window grows with the training: about a tenth of it."""

    def __init__(self, mini: Mini) -> None:
        self.weights = [weight.detach().clone() for weight in mini.parameters()]

    def add(self, mini: Mini, step: int) -> None:
        """Take the weights after `step` steps into the average."""
        torch._foreach_lerp_(self.weights, [weight.detach() for weight in mini.parameters()], 10 / (step + 10))

    def copy_to(self, mini: Mini) -> None:
        """Replace the weights of a model by the average."""
        with torch.no_grad():
            for weight, mean in zip(mini.parameters(), self.weights, strict=True):
                weight.copy_(mean)


def shape_of(text: str) -> Shape:
    """Return the shape that `text_of` wrote."""
    values = json.loads(text)
    return Shape(**{**values, "widths": tuple(values["widths"])})


def text_of(shape: Shape) -> str:
    """Return a shape as JSON."""
    return json.dumps(asdict(shape))
