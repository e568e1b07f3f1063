"""Recompute the scores of a finished run with laion_clap, on the crops that the run recorded.

    python scripts/parity/laion_scores.py RUN_DIR [--laion-path P] [--tolerance 1e-3]

Reads scores.csv and manifest.json of a `clap_scores` run whose arms have full-size laion checkpoints, and computes every
score as the notebook did: torchaudio's resampler, `get_audio_embedding_from_data(use_tensor=True)`, cosine. The fusion
shrink follows the arm's card. Prints the largest difference per arm; exit code 1 when one is over the tolerance.
Needs torch, torchaudio, torchvision, transformers, tokenizers, soundfile and laion_clap 1.1.7.
"""
from __future__ import annotations

import argparse
import csv
import json
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
import torchvision

import laion_offline

MODELS = {"htsat-tiny": "HTSAT-tiny", "htsat-base": "HTSAT-base", "htsat-large": "HTSAT-large"}


@contextmanager
def crops(row: dict):
    """Make laion_clap draw the crops of `row` instead of random ones."""
    chunks = iter([int(row[c]) for c in ("front", "middle", "back") if row[c]])
    offset = int(row["offset"]) if row["offset"] else 0
    choice, randint = np.random.choice, np.random.randint
    np.random.choice, np.random.randint = lambda *a, **k: next(chunks), lambda *a, **k: offset
    try:
        yield
    finally:
        np.random.choice, np.random.randint = choice, randint


@contextmanager
def shrink(how: str):
    """Resize as torchvision did when the checkpoints were trained (`plain`), or as it does now (`antialias`)."""
    original = torchvision.transforms.Resize
    if how == "plain":
        torchvision.transforms.Resize = lambda size, **k: original(size, antialias=False)
    try:
        yield
    finally:
        torchvision.transforms.Resize = original


def load_48k(path: str) -> torch.Tensor:
    data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return torchaudio.functional.resample(torch.from_numpy(data).mean(dim=1), rate, 48000)


def load_model(laion, arm: dict):
    size, _, fusion = arm["architecture"].partition(", fusion ")
    path = arm["files"][0]["path"]
    state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
    laion_offline.use_text_tower(laion_offline.roberta_config_of(state))
    module = laion.CLAP_Module(enable_fusion=fusion == "on", device="cpu", amodel=MODELS[size])
    module.load_ckpt(path, verbose=False)
    return module.eval()


@torch.no_grad()
def arm_scores(laion, arm: dict, rows: list[dict]) -> list[float]:
    module = load_model(laion, arm)
    scores = []
    for row in rows:
        with crops(row), shrink(arm["fusion_shrink"]):
            audio = module.get_audio_embedding_from_data([load_48k(row["audio_path"])], use_tensor=True)
        text = module.get_text_embedding([row["prompt"]], use_tensor=True)
        scores.append(float((audio @ text.T).item()))
    return scores


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("run_dir", type=Path)
    ap.add_argument("--laion-path", help="folder that holds the laion_clap package, if it is not installed")
    ap.add_argument("--tolerance", type=float, default=1e-3)
    args = ap.parse_args()
    manifest = json.loads((args.run_dir / "manifest.json").read_text())
    rows = list(csv.DictReader((args.run_dir / "scores.csv").open(newline="")))
    laion_offline.use_text_tower(laion_offline.roberta_config())
    laion_offline.use_tokenizer(laion_offline.LocalTokenizer(manifest["arms"][0]["tokenizer"]["path"]))
    laion = laion_offline.load_laion(args.laion_path)
    worst = 0.0
    for arm in manifest["arms"]:
        laion_offline.use_tokenizer(laion_offline.LocalTokenizer(arm["tokenizer"]["path"]))
        mine = [row for row in rows if row["arm"] == arm["name"]]
        theirs = arm_scores(laion, arm, mine)
        largest = max(abs(float(row["clap_score"]) - score) for row, score in zip(mine, theirs))
        worst = max(worst, largest)
        print(f"{arm['name']}: {len(mine)} scores, largest difference {largest:.1e}")
    sys.exit(0 if worst <= args.tolerance else 1)


if __name__ == "__main__":
    main()
