"""The .npy files that the harness writes, without numpy, which a bare machine need not have."""
from __future__ import annotations

import array
import ast
import math
from pathlib import Path

TYPES = {"<f4": "f", "<i8": "q"}


def read(path: Path) -> tuple[tuple[int, ...], array.array]:
    """Shape and values, row-major."""
    data = path.read_bytes()
    if data[:6] != b"\x93NUMPY":
        raise ValueError(f"{path} is no .npy file")
    size, start = (int.from_bytes(data[8:10], "little"), 10) if data[6] == 1 else (int.from_bytes(data[8:12], "little"), 12)
    head = ast.literal_eval(data[start:start + size].decode())
    values = array.array(TYPES[head["descr"]])
    values.frombytes(data[start + size:])
    if math.prod(head["shape"]) != len(values):
        raise ValueError(f"{path} has {len(values)} values and the shape {head['shape']}")
    return head["shape"], values


def lowest_cosine(a: Path, b: Path) -> float:
    """Of the rows of two files of embeddings, the lowest cosine."""
    (shape, x), (other, y) = read(a), read(b)
    if shape != other or len(shape) != 2 or not shape[0]:
        raise ValueError(f"{a} has the shape {shape}, {b} {other}")
    width = shape[1]
    lowest = 1.0
    for start in range(0, len(x), width):
        p, q = x[start:start + width], y[start:start + width]
        lowest = min(lowest, sum(a * b for a, b in zip(p, q)))
    return lowest


def largest_difference(a: Path, b: Path) -> float:
    (shape, x), (other, y) = read(a), read(b)
    if shape != other:
        raise ValueError(f"{a} has the shape {shape}, {b} {other}")
    return max((abs(p - q) for p, q in zip(x, y)), default=0.0)
