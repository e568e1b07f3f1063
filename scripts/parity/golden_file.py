"""Golden values as a safetensors file that says where they come from, byte for byte the same each time."""
from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import torch
from safetensors.torch import save_file


def _sorted_metadata(path: Path) -> None:
    """Write the safetensors header again with its metadata in order: the library leaves it in a hash table's."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[end:])


def save(path: Path, tensors: dict[str, torch.Tensor], facts: dict, packages: tuple[str, ...]) -> None:
    """Write `tensors`, with `facts` (texts as they are, the rest as JSON) and the versions of `packages` as metadata."""
    for name, value in tensors.items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise ValueError(f"{path.name}: {name} is not finite")
    meta = {**facts, "versions": {p: importlib.metadata.version(p) for p in packages}}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, str(path),
              metadata={k: v if isinstance(v, str) else json.dumps(v) for k, v in meta.items()})
    _sorted_metadata(path)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size / 1e3:.0f} kB", flush=True)
