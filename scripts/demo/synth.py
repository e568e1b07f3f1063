"""A small synthesiser: four characters of sound, one for each taste. Nothing here is recorded or borrowed.

bitter is low and rough, sour high and dissonant, sweet slow and consonant, salty short and noisy.
"""
from __future__ import annotations

import numpy as np

# A noise floor in every piece keeps the empty mel bins above the rounding noise of a float32 spectrum, so that correct
# programs agree there too.
NOISE_FLOOR = 1e-3


def _time(n: int, rate: int) -> np.ndarray:
    return np.arange(n) / rate


def _tone(n: int, rate: int, hz: float, partials: int, tilt: float) -> np.ndarray:
    """Harmonics of `hz` below 0.45 of the rate, the k-th as loud as k ** -tilt."""
    t = _time(n, rate)
    heard = (k for k in range(1, partials + 1) if k * hz < 0.45 * rate)
    return sum(np.sin(2 * np.pi * k * hz * t + 0.7 * k) / k ** tilt for k in heard)


def _fade(n: int, rate: int, attack_s: float, release_s: float) -> np.ndarray:
    out = np.ones(n)
    a, r = min(n, int(attack_s * rate)), min(n, int(release_s * rate))
    out[:a] *= np.linspace(0, 1, a, endpoint=False)
    out[n - r:] *= np.linspace(1, 0, r)
    return out


def bitter(n: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A detuned low chord with tremolo, over a falling sweep."""
    t = _time(n, rate)
    root = 45 * 2 ** rng.uniform(0, 0.5)
    chord = sum(_tone(n, rate, root * f, 14, 0.8) for f in (1, 1.02, 1.414, 1.06 * 1.414))
    tremolo = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(5, 9) * t)
    top = min(3000.0, 0.4 * rate)
    sweep = np.sin(2 * np.pi * (top * t - (top - 150) * t * t / (2 * max(t[-1], 1e-3))))
    return chord * tremolo + 1.5 * sweep


def sour(n: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Fast high plucks, neighbours a semitone apart."""
    out = np.zeros(n)
    step = int(rate * rng.uniform(0.09, 0.14))
    for start in range(0, n, step):
        m = min(4 * step, n - start)
        hz = 1200 * 2 ** (rng.integers(0, 20) / 12)
        t = _time(m, rate)
        out[start:start + m] += (np.sin(2 * np.pi * hz * t + 2 * np.sin(2 * np.pi * 1.41 * hz * t))
                                 + np.sin(2 * np.pi * hz * 1.059 * t)) * np.exp(-14 * t)
    return out


def sweet(n: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Slow major chords with soft edges and vibrato."""
    out = np.zeros(n)
    step = int(rate * rng.uniform(0.7, 1.1))
    for start in range(0, n, step):
        m = min(step, n - start)
        root = 220 * 2 ** (rng.choice([0, 5, 7, 12]) / 12)
        t = _time(m, rate)
        vibrato = 0.004 * np.sin(2 * np.pi * 5.5 * t)
        notes = sum(np.sin(2 * np.pi * root * f * (t + vibrato / 6)) + 0.2 * np.sin(4 * np.pi * root * f * t)
                    for f in (1, 1.25, 1.5, 2))
        out[start:start + m] += notes * _fade(m, rate, 0.15, 0.25)
    return out


def salty(n: int, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Bursts of noise in a rhythm, with short metallic strokes."""
    out = np.zeros(n)
    step = int(rate * rng.uniform(0.12, 0.18))
    for k, start in enumerate(range(0, n, step)):
        m = min(step, n - start)
        t = _time(m, rate)
        decay, level = 18 if k % 4 == 0 else 60, (1.0, 0.3, 0.6, 0.3)[k % 4]
        out[start:start + m] += rng.standard_normal(m) * np.exp(-t * decay) * level
        if k % 3 == 0:
            strokes = sum(np.sin(2 * np.pi * 640 * f * t) for f in (1, 1.73, 2.91, 4.07) if 640 * f < 0.45 * rate)
            out[start:start + m] += 0.5 * strokes * np.exp(-25 * t)
    return out


TASTES = {"bitter": bitter, "sour": sour, "sweet": sweet, "salty": salty}


def piece(taste: str, seconds: float, rate: int, channels: int, seed: int) -> np.ndarray:
    """Samples in +-0.8 [frames, channels]; stereo channels are two different takes."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    takes = []
    for channel in range(channels):
        y = TASTES[taste](n, rate, rng)
        y = y / np.abs(y).max() * (0.75 if channel == 0 else 0.5)
        takes.append(y + NOISE_FLOOR * rng.standard_normal(n))
    return np.stack(takes, axis=1)
