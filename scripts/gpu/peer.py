#!/usr/bin/env python3
"""The same work by transformers on the same card: a line of JSON for each figure, as soon as it is known.

    scripts/gpu/peer.py musicgen FOLDER --tokenizer FILE --pieces N,... --steps N [--dtype float16] [--static]
    scripts/gpu/peer.py clap FOLDER --audio FOLDER --batch N,... [--dtype float16]

Pieces: `generate` with guidance 3 and top-k 50, sdpa attention, EnCodec included; --static compiles the step over a static cache.
Clips: WAV files of 16 bits at 48 kHz, log-mels by ClapFeatureExtractor on the host, then the audio tower with its projection. Times
begin with a model that is loaded and warm.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
import wave
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

import musicgen_peer

PROMPT = "bitter music, ambient for fine restaurant"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def told(**figures) -> None:
    print(json.dumps(figures), flush=True)


def finish() -> float:
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def musicgen(args: argparse.Namespace) -> None:
    peer = musicgen_peer.Peer(args.model, args.tokenizer, "sdpa", args.dtype, DEVICE)
    more = {"cache_implementation": "static"} if args.static else {}
    for pieces in args.pieces:
        started = finish()
        peer.generate([PROMPT] * pieces, args.steps if args.static else 8, **more)
        warm = finish()
        peer.generate([PROMPT] * pieces, args.steps, **more)
        told(peer="transformers", dtype=str(args.dtype), static=args.static, pieces=pieces, steps=args.steps, seconds=finish() - warm,
             warming_s=warm - started)


def clap(args: argparse.Namespace) -> None:
    import numpy as np
    from transformers import ClapFeatureExtractor, ClapModel
    model = ClapModel.from_pretrained(args.model, dtype=args.dtype).to(DEVICE).eval()
    extractor = ClapFeatureExtractor.from_pretrained(args.model)
    sounds = []
    for file in sorted(args.audio.glob("*.wav")):
        with wave.open(str(file)) as wav:
            sounds.append(np.frombuffer(wav.readframes(wav.getnframes()), np.int16).astype(np.float32) / 32768)

    def embed(batch: list) -> tuple[float, float]:
        """Seconds on the host and in the tower."""
        started = finish()
        inputs = extractor(batch, sampling_rate=48000, return_tensors="pt")
        read = finish()
        model.get_audio_features(input_features=inputs["input_features"].to(DEVICE, args.dtype), is_longer=inputs["is_longer"].to(DEVICE))
        return read - started, finish() - read

    for size in args.batch:
        embed(sounds[:size])
        host, tower = map(sum, zip(*(embed(sounds[first:first + size]) for first in range(0, len(sounds), size))))
        told(peer="transformers", dtype=str(args.dtype), clips=len(sounds), batch=size, clips_a_second=len(sounds) / (host + tower),
             clips_a_second_in_the_tower=len(sounds) / tower)


def main() -> None:
    numbers = lambda text: [int(n) for n in text.split(",")]  # noqa: E731
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = ap.add_subparsers(required=True)
    of = which.add_parser("musicgen")
    of.add_argument("--tokenizer", type=Path, required=True)
    of.add_argument("--pieces", type=numbers, default=[1])
    of.add_argument("--steps", type=int, default=503)
    of.add_argument("--static", action="store_true")
    of.set_defaults(run=musicgen)
    of = which.add_parser("clap")
    of.add_argument("--audio", type=Path, required=True)
    of.add_argument("--batch", type=numbers, default=[64])
    of.set_defaults(run=clap)
    for of in which.choices.values():
        of.add_argument("model", type=Path)
        of.add_argument("--dtype", type=lambda name: getattr(torch, name), default=torch.float16)
    args = ap.parse_args()
    torch.set_grad_enabled(False)
    args.run(args)


if __name__ == "__main__":
    main()
