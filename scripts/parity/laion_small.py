"""Small CLAP models made of laion_clap's own classes, and their `.pt` files.

laion_clap builds HTSAT in three fixed sizes and expects roberta-base. `small_model` gives its CLAP class a smaller
HTSAT_Swin_Transformer and a smaller RobertaModel; every forward pass is laion_clap's code.
"""
from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import laion_offline

JOINT_DIM = 64
TEXT_HIDDEN = 64  # one head: laion's text heads are 64 wide
MAX_POSITIONS = 80  # 77 tokens, and positions start at 2
AUDIO_CFG = dict(audio_length=1024, clip_samples=480000, mel_bins=64, sample_rate=48000, window_size=1024,
                 hop_size=480, fmin=50, fmax=14000, class_num=2, model_type="HTSAT", model_name="tiny")

# Constant buffers that a demo file leaves out for its size. What they hold follows from the architecture.
LEFT_OUT = (".attn_mask", ".relative_position_index", "stft.conv_real.weight", "stft.conv_imag.weight")
MEL_BANK = "logmel_extractor.melW"


@dataclass(frozen=True)
class SmallArch:
    """One demo checkpoint: `stem` of the file, and the sizes of its two towers."""

    stem: str
    fused: bool
    embed_dim: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    text_layers: int
    text_intermediate: int
    seed: int
    keeps_mel_bank: bool


# The arms of experiments/weights.yaml. As with the real files, the first two have one architecture apart from fusion
# and the third is bigger. The odd depth checks that a block's shift follows its parity.
ARMS = (
    SmallArch("630k-audioset-fusion-best", True, 4, (2, 2, 3, 2), (1, 2, 4, 8), 1, 128, 101, False),
    SmallArch("630k-audioset-best", False, 4, (2, 2, 3, 2), (1, 2, 4, 8), 1, 128, 102, True),
    SmallArch("music_audioset", False, 6, (2, 2, 4, 2), (1, 2, 4, 8), 2, 128, 103, False),
)


@contextmanager
def _htsat_of(arch: SmallArch):
    """While active, laion_clap builds an HTSAT of this size instead of one of its three."""
    from clap_module import model as laion_model
    from clap_module.htsat import HTSAT_Swin_Transformer

    def create(cfg, enable_fusion=False, fusion_type="None"):
        return HTSAT_Swin_Transformer(
            spec_size=256, patch_size=4, patch_stride=(4, 4), num_classes=cfg.class_num, embed_dim=arch.embed_dim,
            depths=list(arch.depths), num_heads=list(arch.heads), window_size=8, config=cfg,
            enable_fusion=enable_fusion, fusion_type=fusion_type)

    original, laion_model.create_htsat_model = laion_model.create_htsat_model, create
    try:
        yield laion_model
    finally:
        laion_model.create_htsat_model = original


def small_model(arch: SmallArch, vocab_size: int) -> nn.Module:
    """laion_clap's CLAP with towers of the size `arch`; call `laion_offline.load_laion` first."""
    laion_offline.use_text_tower(laion_offline.roberta_config(
        vocab_size=vocab_size, hidden_size=TEXT_HIDDEN, num_hidden_layers=arch.text_layers, num_attention_heads=1,
        intermediate_size=arch.text_intermediate, max_position_embeddings=MAX_POSITIONS))
    text_cfg = dict(context_length=77, vocab_size=vocab_size, width=TEXT_HIDDEN, heads=1, layers=arch.text_layers,
                    model_type="roberta")
    with _htsat_of(arch) as laion_model:
        model = laion_model.CLAP(
            embed_dim=8 * arch.embed_dim, audio_cfg=AUDIO_CFG, text_cfg=text_cfg, enable_fusion=arch.fused,
            fusion_type="aff_2d" if arch.fused else "None", joint_embed_shape=JOINT_DIM)
    # laion_clap writes the width of roberta-base, 768, into this layer
    model.text_projection[0] = nn.Linear(TEXT_HIDDEN, JOINT_DIM)
    return model.eval()


def load_small(laion, arch: SmallArch, folder: Path, tokenizer: laion_offline.LocalTokenizer):
    """A CLAP_Module, laion_clap's public class, with the weights of `folder`/`stem`.pt."""
    from clap_module.factory import load_state_dict
    from laion_clap import hook
    state = load_state_dict(str(folder / f"{arch.stem}.pt"))
    model = small_model(arch, state["text_branch.embeddings.word_embeddings.weight"].shape[0])
    missing, unexpected = model.load_state_dict(state, strict=False)
    lost = [k for k in missing if not k.endswith((*LEFT_OUT, MEL_BANK))]
    if lost or unexpected:
        raise ValueError(f"{arch.stem}.pt does not fit its architecture: missing {lost}, left over {unexpected}")
    laion_offline.use_tokenizer(tokenizer)
    original = hook.create_model
    hook.create_model = lambda *a, **k: (model, {"audio_cfg": AUDIO_CFG})
    try:
        return laion.CLAP_Module(enable_fusion=arch.fused, device="cpu").eval()
    finally:
        hook.create_model = original


def features(waveforms: list[torch.Tensor], fused: bool) -> list[dict]:
    """laion_clap's model input for waveforms at 48 kHz, one dict each."""
    from training.data import get_audio_features
    truncation = "fusion" if fused else "rand_trunc"
    return [get_audio_features({}, y, 480000, truncation, "repeatpad", AUDIO_CFG) for y in waveforms]
