"""Run exported MusicGen graphs under one provider, in a process of its own: providers come in different ONNX Runtime packages.

    graphs_peer.py --graphs FOLDER --inputs IN.npz --out OUT.npz [--ep NAME] [--threads N] [--device N]

FOLDER is what `harness export` printed. IN.npz holds `codes` [pieces, codebooks, frames], `pad`, the code that is fed where a
codebook does not speak, `steps`, how many steps are teacher-forced, and `ids.0`, `ids.1`, ...: the tokens of the text of each
piece. OUT.npz gets `logits` [rows, codebooks, steps, vocab] of the pieces and behind them of their null branches, and `audio`
[pieces, samples].

Needs numpy and the onnxruntime package with the provider, nothing else.
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))

import musicgen_graphs


def delayed(codes: np.ndarray, pad: int, steps: int) -> np.ndarray:
    """What is fed [pieces, codebooks, steps]: codebook k says the code of frame s - k - 1 at step s, and else `pad`."""
    pieces, codebooks, frames = codes.shape
    fed = np.full((pieces, codebooks, steps), pad, np.int64)
    for k in range(codebooks):
        count = max(0, min(frames, steps - k - 1))
        fed[:, k, k + 1:k + 1 + count] = codes[:, k, :count]
    return fed


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--graphs", type=Path, required=True)
    ap.add_argument("--inputs", type=Path, required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--ep", default="cpu")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--device", type=int, default=0)
    args = ap.parse_args()
    given = np.load(args.inputs)
    codes = given["codes"]
    graphs = musicgen_graphs.Graphs(args.graphs, args.threads, args.ep, args.device)
    texts = [graphs.attended(graphs.states(given[f"ids.{i}"])) for i in range(len(codes))]
    fed = delayed(codes, int(given["pad"]), int(given["steps"]))
    logits = graphs.logits(texts, np.concatenate([fed, fed]))
    audio = graphs.audio(codes)
    np.savez(args.out, logits=logits, audio=audio)


if __name__ == "__main__":
    main()
