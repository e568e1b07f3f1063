"""A file that is replaced by another of the same size and the same time: its numbers are the new ones, never the old."""
from __future__ import annotations

import io
import os
import shutil
import struct
import zipfile
from pathlib import Path

from case import Case
from lab import Lab, settings

COUNT, CI_COUNT = 60, 12


def _torch(rng, data: bytes) -> tuple[bytes, bytes]:
    """The archive written twice, once with other weights in the table of tokens: its largest tensor but the mel filters, which are
    checked."""
    source = zipfile.ZipFile(io.BytesIO(data))
    infos = source.infolist()
    table = sorted((info for info in infos if "/data/" in info.filename), key=lambda info: info.file_size)[-2]
    out = []
    for changed in (False, True):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as target:
            for info in infos:
                content = source.read(info)
                if changed and info is table:
                    content = content[len(content) // 8 * 4:] + content[:len(content) // 8 * 4]
                target.writestr(zipfile.ZipInfo(info.filename), content)
        out.append(buffer.getvalue())
    return out[0], out[1]


def _safetensors(rng, data: bytes) -> tuple[bytes, bytes]:
    size = struct.unpack_from("<Q", data)[0] + 8
    middle = size + (len(data) - size) // 8 * 4
    return data, data[:size] + data[middle:] + data[size:middle]


def _tokenizer(rng, data: bytes) -> tuple[bytes, bytes]:
    text = data.decode()
    a, b = '"e":', '"i":'
    return data, text.replace(a, "\ue000").replace(b, a).replace("\ue000", b).encode()


def _sound(rng, data: bytes) -> tuple[bytes, bytes]:
    middle = 44 + (len(data) - 44) // 8 * 4
    return data, data[:44] + data[middle:] + data[44:middle]


WHAT = {"inputs/630k-audioset-best.pt": _torch, "inputs/hf/model.safetensors": _safetensors, "inputs/tokenizer.json": _tokenizer,
        "pieces/sweet_01.wav": _sound}


def _replace(path: Path, content: bytes, in_place: bool) -> None:
    found = path.stat()
    new = path if in_place else path.with_name("new")
    if not in_place:
        shutil.copy2(path, new)
    with open(new, "r+b") as file:
        file.write(content)
    os.utime(new, ns=(found.st_atime_ns, found.st_mtime_ns))
    if not in_place:
        new.rename(path)


def attack(case: Case) -> None:
    name = list(WHAT)[case.turn % len(WHAT)]
    in_place = bool(case.turn // len(WHAT) % 2)
    case.what = f"{name} swapped {'in place' if in_place else 'for another file'}"
    case.take("models", "experiments", "inputs")
    if name.startswith("pieces"):
        case.write(name, (case.lab.work / "inputs/pieces/sweet_02.wav").read_bytes())
        case.write("pieces/bitter_01.wav", (case.lab.work / "inputs/pieces/bitter_01.wav").read_bytes())
    path = case.work / name
    first, second = WHAT[name](case.rng, path.read_bytes())
    assert len(first) == len(second) and first != second
    path.write_bytes(first)
    card = case.card("mine", "inputs/hf" if "hf" in name else "inputs/630k-audioset-best.pt", "inputs/tokenizer.json")

    def numbers(turn: str, **env) -> bytes | None:
        if name.startswith("pieces"):
            out = "runs/weights" if turn != "fresh" else "runs/fresh"
            ended = case.succeeds("run", *settings("weights"), "--set", "audio.files=pieces", "--set", "arms=[{name: a, model: models/mine.yaml}]",
                                  "--out", out, writes=["runs"], env=env)
            folder = ended.out.decode().splitlines()[-1] if ended.code == 0 else out
            made = case.work / folder / "scores.csv"
        else:
            ended = case.succeeds(*Lab.embed(f"{turn}.csv", card), writes=[f"{turn}.csv"], env=env)
            made = case.work / f"{turn}.csv"
        return made.read_bytes() if ended.code == 0 else None

    before = numbers("before")
    _replace(path, second, in_place)
    after = numbers("after")
    fresh = numbers("fresh", HARNESS_CACHE=str(case.folder / "cache" / "fresh"))
    if None in (before, after, fresh):
        return
    assert before != fresh, "the swap changes no number, and this case cannot fail"
    if after != fresh:
        case.fault("the numbers of the file that was there before" if after == before else "numbers of neither file")
