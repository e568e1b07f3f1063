"""Inputs without end: sparse files, devices and pipes in place of every input, and sound that is small on disk and large in memory."""
from __future__ import annotations

import os
import shutil
import struct

from case import Case
from lab import Lab, settings

COUNT, CI_COUNT = 320, 80

SPARSE_BYTES = 2300 << 20
"""More than a command may take, and hashed in seconds. Sound is chosen likewise: decoding it piece by piece takes seconds, too."""


# -- sound

def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value


def flac(frames: int, channels: int = 8, rate: int = 48000) -> bytes:
    """A FLAC of silence: 65,535 samples of every channel in each frame of some 30 bytes."""
    block = 65535
    info = struct.pack(">HH", block, block) + bytes(6)
    info += (rate << 44 | (channels - 1) << 41 | 15 << 36 | frames * block).to_bytes(8, "big") + bytes(16)
    out = [b"fLaC", b"\x80" + len(info).to_bytes(3, "big") + info]
    for k in range(frames):
        number = bytes([k]) if k < 0x80 else chr(k).encode() if k < 0x800 else bytes([0xE0 | k >> 12, 0x80 | k >> 6 & 63, 0x80 | k & 63])
        head = b"\xff\xf8" + bytes([0x70 | 0x0A, (channels - 1) << 4 | 0x08]) + number + struct.pack(">H", block - 1)
        head += bytes([_crc(head, 0x07, 8)])
        frame = head + b"\x00\x00\x00" * channels  # a constant subframe: its head, and one sample of 16 bits
        out.append(frame + struct.pack(">H", _crc(frame, 0x8005, 16)))
    return b"".join(out)


def wav(data_bytes: int, channels: int = 1, rate: int = 48000, bits: int = 16) -> bytes:
    """The head of a WAV whose samples are to follow."""
    width = channels * bits // 8
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", min(data_bytes + 36, 2**32 - 1), b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * width % 2**32, width % 2**16, bits, b"data", data_bytes)


def _sparse(path, head: bytes, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(size)


def _flac_file(case: Case, folder) -> None:
    (folder / "sweet_01.flac").write_bytes(flac(case.rng.choice([400, 1100]), case.rng.choice([1, 2, 8])))


def _flac_files(case: Case, folder) -> None:
    content = flac(350)
    for k in range(3):
        (folder / f"sweet_{k:02}.flac").write_bytes(content)


def _large_wav(case: Case, folder) -> None:
    size = 1 << 29
    _sparse(folder / "sweet_01.wav", wav(size, case.rng.choice([1, 2, 8]), 48000, case.rng.choice([8, 16])), 44 + size)


def _slow_wav(case: Case, folder) -> None:
    """So few samples a second that the same length at 48 kHz is enormous."""
    rate = case.rng.choice([1, 2, 10, 100])
    size = 2 * 6000 * rate
    (folder / "sweet_01.wav").write_bytes(wav(size, 1, rate) + bytes(size))


def _fast_wav(case: Case, folder) -> None:
    (folder / "sweet_01.wav").write_bytes(wav(200_000, 1, case.rng.choice([2**31, 2**32 - 1, 99_999_989])) + bytes(200_000))


def _many_channels(case: Case, folder) -> None:
    (folder / "sweet_01.wav").write_bytes(wav(131_070 * 2, 65535, 48000) + bytes(131_070 * 2))


SOUNDS = (_flac_file, _flac_files, _large_wav, _slow_wav, _fast_wav, _many_channels)


def sound(case: Case) -> None:
    case.take("models", "experiments")
    folder = case.work / "pieces"
    folder.mkdir()
    make = case.rng.choice(SOUNDS)
    make(case, folder)
    threads = case.rng.choice(["1", "3"])
    command = case.rng.choice(["check", "check", "embed"])
    case.what = f"{make.__name__.strip('_')}, {command} with {threads} threads"
    if command == "embed":
        case.harness(*Lab.embed("out.csv", what=("--audio", "pieces"))[:-1], threads, writes=["out.csv"])
    else:
        case.harness("check", *settings("weights")[:-1], threads, "--set", "audio.files=pieces")


# -- every input

def _zeros(path) -> None:
    _sparse(path, b"", SPARSE_BYTES)


def _tail(path) -> None:
    """What it was, and then zeros."""
    os.truncate(path, SPARSE_BYTES) if path.exists() else _zeros(path)


def _device(path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def _pipe(path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


ENDLESS = (_zeros, _tail, _device, _pipe)

WEIGHTS = settings("weights")
PIECES = ["--set", "audio={csv: inputs/pieces.csv}"]
INPUTS = (
    ("inputs/texts.txt", [Lab.embed("out.csv")]),
    ("inputs/texts.txt", [Lab.generate("out")]),
    ("inputs/tokenizer.json", [Lab.embed("out.csv", "models/mine.yaml")]),
    ("inputs/630k-audioset-best.pt", [["inspect", "inputs/630k-audioset-best.pt", "--offline"]]),
    ("inputs/630k-audioset-best.pt", [["check", *WEIGHTS, "--set", "arms=[{name: a, model: models/mine.yaml}]", *PIECES]]),
    ("inputs/hf/model.safetensors", [["inspect", "inputs/hf", "--offline"]]),
    ("inputs/hf/config.json", [["inspect", "inputs/hf", "--offline"]]),
    ("inputs/hf/preprocessor_config.json", [["inspect", "inputs/hf", "--offline"]]),
    ("inputs/musicgen/config.json", [["inspect", "inputs/musicgen", "--offline"]]),
    ("inputs/musicgen/generation_config.json", [["inspect", "inputs/musicgen", "--offline"]]),
    ("inputs/musicgen/model.safetensors", [["inspect", "inputs/musicgen", "--offline"]]),
    ("inputs/sharded/model.safetensors.index.json", [["inspect", "inputs/sharded", "--offline"]]),
    ("models/music_audioset.yaml", [["models", "--offline"], ["inspect", "models/music_audioset.yaml", "--offline"]]),
    ("experiments/weights.yaml", [["check", *WEIGHTS]]),
    ("inputs/descriptions.json", [["check", *settings("gen_spanio")]]),
    ("inputs/captions.csv", [["check", *settings("musiccaps_text")]]),
    ("inputs/pieces.csv", [["check", *WEIGHTS, *PIECES]]),
    ("inputs/crops.csv", [["check", *WEIGHTS, *PIECES, "--crops", "inputs/crops.csv"]]),
    *((f"runs/weights/{name}", [["figures", "runs/weights"], ["report", "runs/weights"], ["diff", "runs/weights", "runs/fusion_tsne"]])
      for name in ("scores.csv", "manifest.json", "stats.csv", "maps.csv", "clusters.csv", "draws.csv", "similarity.csv", "skipped.csv")),
    *((f"runs/weights/{name}", [["run", *WEIGHTS]]) for name in (".journal.jsonl", ".embeddings.f32", ".identity", "manifest.json", ".lock")),
    ("runs/weights/embeddings.csv", [["nearest", "runs/weights", "sweet", "--offline"], ["diff", "runs/weights", "runs/fusion_tsne"]]),
    ("runs/weights/figures/scores.svg", [["report", "runs/weights"]]),
    ("runs/weights/audio/sweet_01.wav", [["report", "runs/weights"], ["run", *WEIGHTS, "--fresh"]]),
    ("runs/musiccaps_text/nearest.csv", [["figures", "runs/musiccaps_text"], ["report", "runs/musiccaps_text"]]),
    ("runs/musiccaps_text/histogram.csv", [["figures", "runs/musiccaps_text"], ["report", "runs/musiccaps_text"]]),
    ("runs/gen_spanio_base/scores.csv", [["check", *WEIGHTS], ["run", *WEIGHTS]]),
    ("runs/gen_spanio_base/manifest.json", [["check", *WEIGHTS], ["run", *WEIGHTS]]),
    ("runs/gen_spanio_base/.identity", [["check", *WEIGHTS]]),
)


def attack(case: Case) -> None:
    if case.number % 4 == 3:
        sound(case)
        return
    turn = case.turn
    pairs = [(entry, endless) for entry in INPUTS for endless in ENDLESS]
    (name, commands), endless = pairs[turn * 29 % len(pairs)]
    case.what = f"{name}: {endless.__name__.strip('_')}"
    case.take("models", "experiments", "inputs", "runs/weights", "runs/fusion_tsne", "runs/gen_spanio_base", "runs/musiccaps_text")
    card = "inputs/630k-audioset-best.pt", "inputs/tokenizer.json"
    case.card("mine", *card)
    if "audio" in name:  # a link of the run's own
        shutil.copy(case.work / name, case.work / "copy")
        (case.work / name).unlink()
        shutil.move(case.work / "copy", case.work / name)
    endless(case.work / name)
    for command in commands:
        case.harness(*command, writes=["runs", "out", "out.csv"])
