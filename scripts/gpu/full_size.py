#!/usr/bin/env python3
"""Make checkpoints of full size with random weights, for figures of speed and precision; needs PyTorch and transformers.

    scripts/gpu/full_size.py --out FOLDER [--small]

`musicgen` has the sizes of musicgen-small (decoder of 24 layers and 1,024 wide, T5-base, EnCodec at 32 kHz), `clap-base` is HTSAT-base, and
`clap-fused` HTSAT-tiny with fusion, each with RoBERTa-base. FOLDER/models holds their cards; tokenizers are the demo's. --small makes
the same files in small, for a try.
"""
from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/parity"))

import hf_small
import musicgen_small

MUSICGEN = musicgen_small.SmallMusicgen(
    "musicgen", 220, True, 1, torch.float32,
    text=dict(vocab_size=32128, d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12),
    decoder=dict(vocab_size=2048, hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, ffn_dim=4096, num_codebooks=4,
                 max_position_embeddings=2048),
    codec=dict(sampling_rate=32000, upsampling_ratios=[8, 5, 4, 4], num_filters=64, hidden_size=128, codebook_size=2048,
               target_bandwidths=[2.2]))
ROBERTA = dict(vocab_size=50265, hidden_size=768, num_hidden_layers=12, num_attention_heads=12, intermediate_size=3072,
               max_position_embeddings=514)
CLAPS = {
    "clap-base": (False, dict(projection_dim=512, text_config=ROBERTA, audio_config=dict(
        depths=[2, 2, 12, 2], hidden_size=1024, patch_embeds_hidden_size=128, num_attention_heads=[4, 8, 16, 32]))),
    "clap-fused": (True, dict(projection_dim=512, text_config=ROBERTA, audio_config=dict(
        depths=[2, 2, 6, 2], hidden_size=768, patch_embeds_hidden_size=96, num_attention_heads=[4, 8, 16, 32]))),
}
"""By name: whether it fuses, and its sizes; each has a seed from its place."""


def card(folder: Path, name: str, kind: str, tokenizer: Path) -> None:
    lines = [f"kind: {kind}", f"source: {{ path: ../{name} }}", f"tokenizer: {{ path: {tokenizer} }}", "licence: cc0-1.0",
             "random_weights: true"]
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / f"{name}.yaml").write_text("\n".join(lines) + "\n")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--small", action="store_true")
    args = ap.parse_args()
    torch.set_grad_enabled(False)
    for part in ("tokenizer.json", "musicgen/tokenizer.json"):
        (args.out / "tokenizers" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "assets/demo" / part, args.out / "tokenizers" / part)
    started = time.perf_counter()
    arch = replace(musicgen_small.DEMO, name="musicgen") if args.small else MUSICGEN
    musicgen_small.write_folder(arch, args.out / arch.name)
    card(args.out, arch.name, "musicgen", Path("../tokenizers/musicgen/tokenizer.json"))
    print(f"{arch.name}: {time.perf_counter() - started:.1f} s", flush=True)
    generator = torch.Generator().manual_seed(5)
    sounds = [0.1 * torch.randn(480_000, generator=generator) for _ in range(2)]
    for seed, (name, (fused, sizes)) in enumerate(CLAPS.items(), start=411):
        started = time.perf_counter()
        if args.small:
            sizes = hf_small.sizes(vocab_size=400)
        ids = torch.randint(4, 400, (4, 12), generator=generator)
        hf_small.make_folder(args.out / name, fused, seed, sizes, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, sounds)
        card(args.out, name, "clap", Path("../tokenizers/tokenizer.json"))
        print(f"{name}: {time.perf_counter() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
