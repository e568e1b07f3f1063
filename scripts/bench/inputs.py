"""What the benchmark feeds to both sides: clips, captions, a card; and how it reads the harness's answer."""
from __future__ import annotations

import csv
import json
import statistics
import sys
import zipfile
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "demo"))

import synth

csv.field_size_limit(1 << 24)


def write_clips(folder: Path, count: int) -> list[Path]:
    """`count` different clips of 10 s at 48 kHz, 16 bit, mono: neither resampled, padded nor cropped by either side."""
    folder.mkdir(parents=True)
    tastes = list(synth.TASTES)
    out = []
    for i in range(count):
        path = folder / f"clip_{i:03d}.wav"
        soundfile.write(path, synth.piece(tastes[i % 4], 10.0, 48000, 1, seed=i), 48000, subtype="PCM_16")
        out.append(path)
    return out


def read_captions(path: Path, count: int) -> list[str]:
    """The first `count` captions of the MusicCaps CSV, each on one line."""
    with open(path, newline="", encoding="utf-8") as f:
        captions = [" ".join(row["caption"].splitlines()) for row in csv.DictReader(f)]
    if len(captions) < count:
        raise ValueError(f"{path} holds {len(captions)} captions, {count} were asked for")
    return captions[:count]


def write_lines(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_card(folder: Path, kind: str, checkpoint: Path, tokenizer: Path, *more: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench.yaml"
    lines = [f"kind: {kind}", f"source: {{ path: {json.dumps(str(checkpoint.resolve()))} }}",
             f"tokenizer: {{ path: {json.dumps(str(tokenizer.resolve()))} }}", *more, "licence: cc0-1.0",
             "random_weights: true"]
    return write_lines(path, lines)


def token_lengths(tokenizer: Path, captions: list[str], limit: int = 77) -> str:
    """One line on how long the captions are in tokens, <s> and </s> included, cut at `limit`."""
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(str(tokenizer))
    tok.no_padding()
    tok.no_truncation()
    full = [len(e.ids) for e in tok.encode_batch(captions)]
    cut = sorted(min(n, limit) for n in full)
    quartiles = statistics.quantiles(cut, n=4)
    return (f"{len(full)} captions: mean {statistics.mean(cut):.1f} tokens of {limit} "
            f"(uncut {statistics.mean(full):.1f}), "
            f"quartiles {quartiles[0]:.0f} {quartiles[1]:.0f} {quartiles[2]:.0f}, "
            f"at {limit}: {sum(n >= limit for n in full) / len(full):.1%}")


def tensor_bytes(checkpoint: Path) -> int:
    """Size of all tensors in a torch zip file."""
    with zipfile.ZipFile(checkpoint) as z:
        return sum(i.file_size for i in z.infolist() if "/data/" in i.filename)


def read_embeddings(path: Path) -> dict[str, np.ndarray]:
    """`id` to vector, of a CSV that `harness embed` wrote."""
    with open(path, newline="", encoding="utf-8") as f:
        return {row["id"]: np.array(json.loads(row["embedding"]), np.float64) for row in csv.DictReader(f)}


def largest_difference(ours: dict[str, np.ndarray], ids: list[str], theirs: np.ndarray) -> float:
    """Largest relative L2 difference over the rows; both sides must have embedded the same things."""
    return max(float(np.linalg.norm(ours[i] - t) / np.linalg.norm(t)) for i, t in zip(ids, theirs, strict=True))
