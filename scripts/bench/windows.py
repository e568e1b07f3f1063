"""Whole songs in windows: `harness embed --windows` beside laion_clap on the same windows.

    python scripts/bench/windows.py --ckpt CKPT --harness target/release/harness [--songs 4] [--seconds 180] [--rounds 3]

CKPT is as for clap.py. The songs are noise of many colours at 48 kHz, since no number of operations depends on what is heard. laion_clap gets
every window as a file of its own, ready cut, 8 in a call, its model loaded and warm; harness is a whole process that reads songs.
"""
from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import measure

RATE, WINDOW_S, HOP_S = 48_000, 10, 5


def song(seed: int, seconds: int) -> np.ndarray:
    """Noise whose colour changes every three seconds, of 16 bits as a file has it."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(0, seconds, 3):
        noise = rng.standard_normal(3 * RATE)
        width = int(rng.integers(1, 60))
        parts.append(np.convolve(noise, np.ones(width) / np.sqrt(width), "same"))
    sound = np.concatenate(parts)[:seconds * RATE] * 0.1
    return np.round(sound * 32767).clip(-32768, 32767).astype(np.int16)


def starts(samples: int) -> list[int]:
    every = list(range(0, samples - WINDOW_S * RATE + 1, HOP_S * RATE))
    last = samples - WINDOW_S * RATE
    return every if every[-1] == last else [*every, last]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ckpt", type=Path, required=True)
    ap.add_argument("--harness", type=Path, required=True)
    ap.add_argument("--songs", type=int, default=4)
    ap.add_argument("--seconds", type=int, default=180)
    ap.add_argument("--rounds", type=int, default=3)
    args = ap.parse_args()
    checkpoint, tokenizer = args.ckpt / "laion_unfused_base.pt", args.ckpt / "roberta_tokenizer" / "tokenizer.json"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "songs").mkdir()
        windows = []
        for s in range(args.songs):
            samples = song(s, args.seconds)
            soundfile.write(folder / "songs" / f"song_{s:03}.wav", samples, RATE)
            for start in starts(len(samples)):
                path = folder / f"window_{s:03}_{start:09}.wav"
                soundfile.write(path, samples[start:start + WINDOW_S * RATE], RATE)
                windows.append(str(path))
        card = folder / "models" / "base.yaml"
        card.parent.mkdir()
        card.write_text(f"kind: clap\nsource: {{ path: {json.dumps(str(checkpoint.resolve()))} }}\n"
                        f"tokenizer: {{ path: {json.dumps(str(tokenizer.resolve()))} }}\nlicence: cc0-1.0\nrandom_weights: true\n")
        out = folder / "out.csv"
        embed = [args.harness, "embed", "--model", "base", "--models", card.parent, "--offline", "--windows", "--hop", HOP_S, "--pool", "none",
                 "--audio", folder / "songs", "--out", out]
        measure.run([args.harness, "export", "base", "--models", card.parent, "--offline"])
        peer = measure.Peer("laion_peer.py", ["--ckpt", checkpoint, "--tokenizer", tokenizer])
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(measure.run(embed))
            theirs.append(peer.ask(do="audio_files", files=windows, batch=8, save=str(folder / "laion.npy")))
        csv.field_size_limit(sys.maxsize)
        with out.open(newline="") as file:
            found = np.array([json.loads(row["embedding"]) for row in csv.DictReader(file)])
        expected = np.load(folder / "laion.npy")
        off = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
        seconds = [usage.seconds for usage in ours]
        middle, low, high = measure.ratio(seconds, theirs)
        print(measure.machine())
        print(f"{args.songs} songs of {args.seconds} s, {len(windows)} windows every {HOP_S} s; largest relative difference {off.max():.1e}")
        print(f"harness embed --windows, whole process: {statistics.median(seconds):.1f} s ({min(seconds):.1f} to {max(seconds):.1f}); peak "
              f"{max(usage.peak_rss_bytes for usage in ours) / 1e6:.0f} MB")
        print(f"laion_clap, the windows as files: {statistics.median(theirs):.1f} s ({min(theirs):.1f} to {max(theirs):.1f})")
        print(f"harness is {middle:.2f} x laion_clap ({low:.2f} to {high:.2f})")
        peer.close()


if __name__ == "__main__":
    main()
