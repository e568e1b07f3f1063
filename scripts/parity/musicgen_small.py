"""Small `MusicgenForConditionalGeneration` folders with random weights, in the two forms that public files have.

The demo's is what transformers wrote in 2023: one file, weight norm as `weight_g` and `weight_v`, the table of positions
and the codec's encoder inside, T5's embedding as `shared`. The other is what it writes today, in shards, and every size
that could be taken for granted is another: three codebooks, 8 kHz, T5 heads that do not add up to its width.
"""
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from random_weights import draw_weights

LOUDNESS = 0.07  # root mean square of what random codes sound like; the peak stays well below 1


@dataclass(frozen=True)
class SmallMusicgen:
    """One folder: its name, its form, and the sizes that differ."""

    name: str
    seed: int
    legacy: bool  # weight_g and weight_v, `shared`, positions and the codec's encoder
    shards: int
    dtype: torch.dtype
    text: dict
    decoder: dict
    codec: dict


DEMO = SmallMusicgen(
    "tasty-musicgen-small", 220, True, 1, torch.float16,
    text=dict(vocab_size=264, d_model=24, d_kv=8, d_ff=48, num_layers=2, num_heads=3),
    decoder=dict(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, ffn_dim=64, num_codebooks=4,
                 max_position_embeddings=1536),
    codec=dict(sampling_rate=32000, upsampling_ratios=[8, 5, 4, 4], num_filters=2, hidden_size=8, codebook_size=64,
               target_bandwidths=[1.2]))
OTHER = SmallMusicgen(
    "musicgen_sharded", 203, False, 3, torch.float32,
    text=dict(vocab_size=256, d_model=20, d_kv=8, d_ff=28, num_layers=2, num_heads=4),
    decoder=dict(vocab_size=32, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=40, num_codebooks=3,
                 max_position_embeddings=128),
    codec=dict(sampling_rate=8000, upsampling_ratios=[8, 5, 4], num_filters=4, hidden_size=8, codebook_size=32,
               target_bandwidths=[0.75], num_residual_layers=2, last_kernel_size=5, num_lstm_layers=1))


def build(arch: SmallMusicgen) -> nn.Module:
    """The model with random weights, at an audible level."""
    from transformers import (EncodecConfig, GenerationConfig, MusicgenConfig, MusicgenDecoderConfig,
                              MusicgenForConditionalGeneration, T5Config)
    text = T5Config(feed_forward_proj="relu", is_encoder_decoder=False, use_cache=False, decoder_start_token_id=0,
                    num_decoder_layers=arch.text["num_layers"], **arch.text)
    codec = EncodecConfig(audio_channels=1, use_causal_conv=False, use_conv_shortcut=False, norm_type="weight_norm",
                          pad_mode="reflect", **{"num_lstm_layers": 2, **arch.codec})
    pad = arch.decoder["vocab_size"]
    decoder = MusicgenDecoderConfig(pad_token_id=pad, bos_token_id=pad, **arch.decoder)
    if codec.num_quantizers != decoder.num_codebooks:
        raise ValueError(f"{arch.name}: {codec.num_quantizers} quantizers, {decoder.num_codebooks} codebooks")
    model = draw_weights(MusicgenForConditionalGeneration(MusicgenConfig(
        text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict())), arch.seed)
    for block in model.text_encoder.encoder.block:
        block.layer[0].SelfAttention.q.weight.data.mul_(arch.text["d_kv"] ** -0.5)  # T5 does not scale its scores
    level(model)
    model.generation_config = GenerationConfig(bos_token_id=pad, decoder_start_token_id=pad, pad_token_id=pad,
                                               do_sample=True, guidance_scale=3.0, max_length=1500)
    return model.eval()


@torch.no_grad()
def level(model: nn.Module) -> None:
    """Scale and shift the codec's last convolution so that random codes sound at LOUDNESS, around 0."""
    last = model.audio_encoder.decoder.layers[-1].conv
    audio = random_audio(model, 250)
    factor = LOUDNESS / float(audio.std())
    last.bias.sub_(audio.mean())
    for parameter in (last.parametrizations.weight.original0, last.bias):
        parameter.mul_(factor)


@torch.no_grad()
def random_audio(model: nn.Module, frames: int) -> torch.Tensor:
    """What two pieces of random codes sound like."""
    config = model.decoder.config
    codes = torch.randint(0, config.vocab_size, (1, 2, config.num_codebooks, frames),
                          generator=torch.Generator().manual_seed(7))
    return model.audio_encoder.decode(codes, [None, None]).audio_values


def tensors(arch: SmallMusicgen, model: nn.Module) -> dict[str, torch.Tensor]:
    """The state as the file spells it."""
    state = {name: value.to(arch.dtype) if value.is_floating_point() else value
             for name, value in model.state_dict().items()}
    words = state.pop("text_encoder.shared.weight")
    state.pop("text_encoder.encoder.embed_tokens.weight", None)  # the same
    if arch.legacy:
        state["text_encoder.shared.weight"] = words
        positions = model.decoder.model.decoder.embed_positions.weights
        state["decoder.model.decoder.embed_positions.weights"] = positions.to(arch.dtype)
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            state = {name.replace(f"parametrizations.weight.{new}", old): value for name, value in state.items()}
    else:
        state["text_encoder.encoder.embed_tokens.weight"] = words
        state = {name: value for name, value in state.items() if not name.startswith("audio_encoder.encoder.")}
    return {name: state[name].contiguous() for name in sorted(state)}


def write_folder(arch: SmallMusicgen, folder: Path) -> None:
    """Write config.json, generation_config.json and the weights."""
    from safetensors.torch import save_file
    folder.mkdir(parents=True, exist_ok=True)
    model = build(arch)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    state = tensors(arch, model)
    if arch.shards == 1:
        save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})
        return
    names = list(state)
    place = {}
    for i in range(arch.shards):
        file = f"model-{i + 1:05d}-of-{arch.shards:05d}.safetensors"
        part = names[i * len(names) // arch.shards:(i + 1) * len(names) // arch.shards]
        save_file({name: state[name] for name in part}, str(folder / file), metadata={"format": "pt"})
        place |= dict.fromkeys(part, file)
    size = sum(value.numel() * value.element_size() for value in state.values())
    index = {"metadata": {"total_size": size}, "weight_map": place}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")


def load(arch: SmallMusicgen, folder: Path) -> nn.Module:
    """The folder read by transformers, in float32; an error if anything that computes was not in it."""
    from transformers import MusicgenForConditionalGeneration
    model, said = MusicgenForConditionalGeneration.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, output_loading_info=True)
    lost = [name for name in said["missing_keys"] if not name.startswith("audio_encoder.encoder.")]
    written = build(arch).state_dict()
    wrong = [name for name, value in model.state_dict().items()
             if not name.startswith("audio_encoder.encoder.") and not torch.equal(value, written[name].to(arch.dtype).float())]
    if lost or wrong or said["mismatched_keys"]:
        raise ValueError(f"{folder} does not load: missing {lost}, other values in {wrong}, {said['mismatched_keys']}")
    return model.eval()
