"""Tiny models with random weights, saved as folders that diffusers and the engine read."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DDIMScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WORDS = 77

ADAPTERS = Path("/no-such-folder")
"""Where a studio looks for adapters in tests without any."""


def tokenizer() -> CLIPTokenizer:
    """Return a tokenizer whose tokens are letters, joined into a few words."""
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters)]
    merges = [("r", "e"), ("re", "d</w>"), ("s", "e"), ("se", "a</w>")]
    pieces += [first + second for first, second in merges]
    vocabulary = {piece: number for number, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=WORDS)


def _text_config(words: CLIPTokenizer, width: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=WORDS,
        projection_dim=16,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )


def _unet(large: bool, few_steps: bool) -> UNet2DConditionModel:
    more = (
        {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 16 + 6 * 8,
        }
        if large
        else {}
    )
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=40 if large else 16,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        time_cond_proj_dim=12 if few_steps else None,
        **more,
    )


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
    )


def save(folder: Path, kind: str = "plain") -> Path:
    """Save a model of that kind: `plain`, `large` (as SDXL), `turbo` or `few steps` (as LCM), of 64 pixels a side."""
    torch.manual_seed(len(kind))
    words, large = tokenizer(), kind == "large"
    scheduler = DDIMScheduler(beta_schedule="scaled_linear", steps_offset=1, clip_sample=False)
    if kind == "few steps":
        scheduler = LCMScheduler(beta_schedule="scaled_linear", original_inference_steps=50)
    if kind == "turbo":
        scheduler = EulerAncestralDiscreteScheduler(
            beta_schedule="scaled_linear", timestep_spacing="trailing", steps_offset=1
        )
    if large:
        pipe = StableDiffusionXLPipeline(
            vae=_vae(),
            text_encoder=CLIPTextModel(_text_config(words, 16)),
            text_encoder_2=CLIPTextModelWithProjection(_text_config(words, 24)),
            tokenizer=words,
            tokenizer_2=words,
            unet=_unet(large, few_steps=False),
            scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear"),
            add_watermarker=False,
        )
    else:
        pipe = StableDiffusionPipeline(
            vae=_vae(),
            text_encoder=CLIPTextModel(_text_config(words, 16)),
            tokenizer=words,
            unet=_unet(large, few_steps=kind == "few steps"),
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def save_controlnet(folder: Path, model: Path, **changes: object) -> Path:
    """Save a ControlNet for a model; unlike a fresh one it has an effect."""
    torch.manual_seed(1)
    unet = UNet2DConditionModel.from_pretrained(model / "unet")
    # The library cannot copy the weights of an LCM's U-Net.
    network = ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=(8, 8, 16), load_weights_from_unet=False
    )
    if changes:
        network = ControlNetModel.from_config(network.config, **changes)
    for block in (*network.controlnet_down_blocks, network.controlnet_mid_block, network.controlnet_cond_embedding):
        for parameter in block.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    network.save_pretrained(folder, safe_serialization=True)
    return folder


def change(path: Path, **values: object) -> None:
    """Change values of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
