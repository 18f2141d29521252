"""Models and adapters with random weights, made on the spot: speed depends on sizes, not on what was learnt."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import safetensors.torch
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig, get_peft_model_state_dict
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WORDS = 77
CHANGED = ["to_q", "to_k", "to_v", "to_out.0"]
RANK = 8


@dataclass(frozen=True)
class Shape:
    """The sizes of a model of the kind of Stable Diffusion 1.5."""

    widths: tuple[int, ...]
    layers: int
    decoder: tuple[int, ...]
    text_width: int
    text_layers: int
    side: int


SHAPES = {
    "sd15": Shape((320, 640, 1280, 1280), 2, (128, 256, 512, 512), 768, 12, 512),
    "tiny": Shape((16, 32), 1, (8, 8, 8), 16, 2, 64),
}


def random_model(folder: Path, shape: Shape) -> Path:
    """Save a model with random weights in half precision, and return its folder."""
    torch.manual_seed(0)
    words = _tokenizer()
    crossed, patch = len(shape.widths) - 1, 2 ** (len(shape.decoder) - 1)
    unet = UNet2DConditionModel(
        sample_size=shape.side // patch,
        block_out_channels=shape.widths,
        layers_per_block=shape.layers,
        down_block_types=(*["CrossAttnDownBlock2D"] * crossed, "DownBlock2D"),
        up_block_types=("UpBlock2D", *["CrossAttnUpBlock2D"] * crossed),
        attention_head_dim=8,
        norm_num_groups=min(32, shape.widths[0] // 2),
        cross_attention_dim=shape.text_width,
    )
    vae = AutoencoderKL(
        block_out_channels=shape.decoder,
        down_block_types=("DownEncoderBlock2D",) * len(shape.decoder),
        up_block_types=("UpDecoderBlock2D",) * len(shape.decoder),
        layers_per_block=2,
        norm_num_groups=min(32, shape.decoder[0] // 2),
        sample_size=shape.side,
    )
    text = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=shape.text_width,
        intermediate_size=4 * shape.text_width,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=max(2, shape.text_width // 64),
        max_position_embeddings=WORDS,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
    )
    pipe = StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=words,
        unet=unet,
        scheduler=DDIMScheduler(beta_schedule="scaled_linear", steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.to(torch.float16).save_pretrained(folder)
    return folder


def _tokenizer() -> CLIPTokenizer:
    """Return a tokenizer whose tokens are letters."""
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=WORDS)


def random_adapters(model: Path, folder: Path, count: int) -> list[str]:
    """Write LoRA files for the attention of a model's U-Net, and return their names, which are their hashes."""
    config = UNet2DConditionModel.load_config(model / "unet")
    names = []
    for seed in range(count):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel.from_config(config)
        unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=CHANGED))
        tensors = {f"unet.{key}": torch.randn_like(one) * 0.02 for key, one in get_peft_model_state_dict(unet).items()}
        data = safetensors.torch.save(tensors)
        names.append(sha256(data).hexdigest())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{names[-1]}.safetensors").write_bytes(data)
    return names
