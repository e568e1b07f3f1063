"""How far two computations of the same things lie apart: cosines, scores, rankings, relative L2, decibels."""
from __future__ import annotations

import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[rows] of two arrays [rows, width], in 64 bits."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def scores(audio: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """[pieces, texts]: the cosine of every piece and every text."""
    unit = lambda x: x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    return unit(audio) @ unit(texts).T


def ranking(means: np.ndarray, names: list[str]) -> list[str]:
    """Highest mean first."""
    return [names[i] for i in np.argsort(-means, kind="stable")]


def kendall_tau(a: np.ndarray, b: np.ndarray) -> float:
    """Of two lists without ties among a few values."""
    pairs = [(i, j) for i in range(len(a)) for j in range(i)]
    return float(np.mean([np.sign(a[i] - a[j]) * np.sign(b[i] - b[j]) for i, j in pairs]))


def relative_l2(ours: np.ndarray, reference: np.ndarray) -> float:
    difference = ours.astype(np.float64) - reference.astype(np.float64)
    return float(np.linalg.norm(difference) / np.linalg.norm(reference.astype(np.float64)))


def decibels(ours: np.ndarray, reference: np.ndarray) -> float | None:
    """Power of the signal over that of the error; None for the same samples."""
    error = relative_l2(ours, reference)
    return float(-20 * np.log10(error)) if error > 0.0 else None
