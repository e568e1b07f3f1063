"""Two small transformers.ClapModel folders with random weights, and their golden embeddings.

They stand for `laion/clap-htsat-fused` and `laion/clap-htsat-unfused`: transformers' key names, q, k and v apart, sizes
that only config.json tells (text heads 8 wide, layer_norm_eps 1e-12).
"""
from __future__ import annotations

from pathlib import Path

import torch

import laion_offline
from crops import Crops
from random_weights import centre, draw_weights

FOLDERS = (("clap_hf_unfused", False, 111), ("clap_hf_fused", True, 112))  # name, fused, seed
RECOMPUTED = "relative_position_index"  # in the hub's files; follows from the window, and left out of the fused one


def pooled(output) -> torch.Tensor:
    """Newer transformers wrap the embedding in an output object."""
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def tokenize(tokenizer: laion_offline.LocalTokenizer, texts: list[str]) -> dict:
    """ClapProcessor(padding=True), truncated to laion_clap's length: padded to the longest text only."""
    inner = tokenizer.inner
    inner.enable_truncation(laion_offline.MAX_TOKENS)
    inner.enable_padding(pad_id=1, pad_token="<pad>")
    encoded = inner.encode_batch(texts)
    return {"input_ids": torch.tensor([e.ids for e in encoded]),
            "attention_mask": torch.tensor([e.attention_mask for e in encoded])}


def sizes(vocab_size: int) -> dict:
    """Of the small ones."""
    return dict(
        projection_dim=48,
        text_config=dict(vocab_size=vocab_size, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                         intermediate_size=64, max_position_embeddings=80, layer_norm_eps=1e-12),
        audio_config=dict(depths=[2, 2, 3, 2], hidden_size=32, patch_embeds_hidden_size=4, num_attention_heads=[1, 2, 4, 8],
                          num_classes=2))


def make_folder(folder: Path, fused: bool, seed: int, sizes: dict, texts: dict, sounds: list[torch.Tensor]) -> None:
    """Write config.json, preprocessor_config.json and model.safetensors of a ClapModel of such sizes."""
    from safetensors.torch import save_file
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel
    audio = dict(sizes["audio_config"], enable_fusion=fused, fusion_type=None)
    config = ClapConfig(**{**sizes, "audio_config": audio})
    model = draw_weights(ClapModel(config), seed)
    extractor = ClapFeatureExtractor(frequency_min=50, frequency_max=14000,
                                     truncation="fusion" if fused else "rand_trunc")
    inputs = extractor([y.numpy() for y in sounds], sampling_rate=48000, return_tensors="pt")
    audio = model.audio_model(input_features=inputs["input_features"].float(), is_longer=inputs["is_longer"])
    centre(model.audio_projection.linear2, model.audio_projection(audio.pooler_output))
    centre(model.text_projection.linear2, model.text_projection(model.text_model(**texts).pooler_output))
    model.save_pretrained(folder)
    extractor.save_pretrained(folder)
    state = {k: v.contiguous() for k, v in model.state_dict().items() if not (fused and k.endswith(RECOMPUTED))}
    save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})


def golden(folder: Path, fused: bool, texts: dict, pieces: dict[str, torch.Tensor], seed: int) -> dict:
    """Text and audio embeddings of the folder's model, and the crops that were drawn.

    transformers calls one clip of a batch longer although none is (facts 31); laion_clap does not, and `audio.*` here
    follows laion_clap: `is_longer` is false for clips that are not longer than the window.
    """
    from safetensors.torch import load_file
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel
    model = ClapModel(ClapConfig.from_pretrained(folder, attn_implementation="eager")).eval()
    # not from_pretrained: it would leave an absent buffer uninitialised
    missing, unexpected = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    lost = [k for k in missing if not k.endswith(RECOMPUTED)]
    if lost or unexpected:
        raise ValueError(f"{folder.name} does not load: missing {lost}, left over {unexpected}")
    extractor = ClapFeatureExtractor.from_pretrained(folder)
    out = {"text_embed": pooled(model.get_text_features(**texts))}
    crops = Crops()
    for i, (name, y) in enumerate(pieces.items()):
        with crops.recorded(seed + i):
            inputs = extractor(y.numpy(), sampling_rate=48000, return_tensors="pt")
        longer = torch.tensor([[len(y) // 480 + 1 > 1001]])
        if fused and not longer:
            crops.offset.clear()  # drawn to name a clip of the batch as longer, not for a crop
        out[f"crops.{name}"] = crops.tensor()
        out[f"audio.{name}"] = pooled(model.get_audio_features(
            input_features=inputs["input_features"].float(), is_longer=longer))[0]
    return out
