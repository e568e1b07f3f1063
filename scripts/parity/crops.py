"""Know where the reference cut its crops: record what it draws from numpy.random.

laion_clap and transformers draw with numpy.random.choice (front, middle and back crop of a fused model, mel frames) and
numpy.random.randint (waveform offset, samples). Another program need not copy numpy's generator: it is told the crops.
"""
from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import torch


class Crops:
    """The crops drawn inside the last `recorded` block."""

    def __init__(self) -> None:
        self.chunks: list[int] = []
        self.offset: list[int] = []

    @contextmanager
    def recorded(self, seed: int):
        """Seed numpy's global generator and record its draws until the end of the block."""
        self.chunks, self.offset = [], []
        choice, randint = np.random.choice, np.random.randint

        def recorded_choice(*a, **k):
            self.chunks.append(int(choice(*a, **k)))
            return self.chunks[-1]

        def recorded_randint(*a, **k):
            self.offset.append(int(randint(*a, **k)))
            return self.offset[-1]

        np.random.seed(seed)
        np.random.choice, np.random.randint = recorded_choice, recorded_randint
        try:
            yield self
        finally:
            np.random.choice, np.random.randint = choice, randint

    def tensor(self) -> torch.Tensor:
        """(front, middle, back, waveform offset), i64; -1 for what was not drawn."""
        if len(self.chunks) not in (0, 3) or len(self.offset) not in (0, 1):
            raise ValueError(f"not the draws of one clip: {self.chunks}, {self.offset}")
        return torch.tensor((self.chunks or [-1] * 3) + (self.offset or [-1]))
