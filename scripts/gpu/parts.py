"""Files in parts that travel alone: each holds one stretch of one file, and says which.

A part is a line of JSON and what it holds, compressed by itself (xz). Its name is the beginning of the SHA-256 of what it holds,
so a part that came need not be sent again, and the order of arrival does not matter.
"""
from __future__ import annotations

import hashlib
import json
import lzma
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

LARGEST = 50_000_000
"""Bytes of one part."""
STRETCH = LARGEST * 24 // 25
"""Bytes of a file in one part: what cannot be compressed grows by less than the rest."""
SUFFIX = ".part"
KEYS = {"file": str, "bytes": int, "sha256": str, "mode": int, "offset": int, "size": int, "part_sha256": str}


class PartError(Exception):
    """A part that cannot be used, in one line."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pack(files: list[Path], out: Path) -> list[Path]:
    """The parts of `files` in `out`, in two processes; those that are there are not made again."""
    out.mkdir(parents=True, exist_ok=True)
    jobs = []
    for file in files:
        data = file.read_bytes()
        whole = {"file": file.name, "bytes": len(data), "sha256": sha256(data), "mode": file.stat().st_mode & 0o777}
        jobs += [(whole, offset, data[offset:offset + STRETCH], out) for offset in range(0, len(data), STRETCH)]
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(_pack_stretch, *zip(*jobs)))


def _pack_stretch(whole: dict, offset: int, data: bytes, out: Path) -> Path:
    part_sha256 = sha256(data)
    path = out / f"{part_sha256[:16]}-{whole['sha256'][:8]}{SUFFIX}"
    if path.is_file():
        return path
    head = json.dumps(whole | {"offset": offset, "size": len(data), "part_sha256": part_sha256}).encode() + b"\n"
    made = path.with_suffix(".making")
    made.write_bytes(head + lzma.compress(data, preset=6))
    made.replace(path)
    return path


def unpack(part: Path, into: Path) -> str:
    """Put what `part` holds in its place; says what came of its file. Twice does no harm."""
    head, _, body = part.read_bytes().partition(b"\n")
    about = _about(part, head)
    done, growing = into / about["file"], into / f"{about['file']}.growing"
    if done.is_file() and done.stat().st_size == about["bytes"]:
        return f"{about['file']} is whole"
    try:
        data = lzma.decompress(body)
    except (lzma.LZMAError, EOFError) as e:
        raise PartError(f"{part} is damaged or cut off: {e}; send it again") from e
    if len(data) != about["size"] or sha256(data) != about["part_sha256"]:
        raise PartError(f"{part} does not hold what it says; send it again")
    into.mkdir(parents=True, exist_ok=True)
    with open(growing, "r+b" if growing.exists() else "w+b") as f:
        f.truncate(about["bytes"])
        f.seek(about["offset"])
        f.write(data)
    came = _came(growing, about)
    if came < about["bytes"]:
        return f"{about['file']}: {came} of {about['bytes']} bytes"
    if sha256(growing.read_bytes()) != about["sha256"]:
        growing.unlink()
        _list(growing).unlink()
        raise PartError(f"{about['file']} is whole and not the file that was packed; unpack all parts again")
    os.chmod(growing, about["mode"])
    growing.replace(done)
    _list(growing).unlink()
    return f"{about['file']} is whole"


def _about(part: Path, head: bytes) -> dict:
    try:
        about = json.loads(head)
        known = isinstance(about, dict) and all(type(about.get(key)) is kind for key, kind in KEYS.items())
    except ValueError:
        known = False
    if not known:
        raise PartError(f"{part} is not a part")
    if Path(about["file"]).name != about["file"] or about["file"] in ("", ".", ".."):
        raise PartError(f"{part} names a file in another folder")
    if not 0 <= about["offset"] <= about["offset"] + about["size"] <= about["bytes"]:
        raise PartError(f"{part} lies outside its file")
    return about


def _list(growing: Path) -> Path:
    return growing.with_name(growing.name + ".came")


def _came(growing: Path, about: dict) -> int:
    """Bytes of the file that came, this part among them."""
    path = _list(growing)
    came = json.loads(path.read_text()) if path.is_file() else {}
    came[str(about["offset"])] = about["size"]
    path.write_text(json.dumps(came))
    return sum(came.values())
