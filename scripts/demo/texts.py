"""Invented sentences, to train the demo's small tokenizer on and to centre its embeddings."""
from __future__ import annotations

import random

_TASTE = "sweet bitter sour salty".split()
_ADJECTIVE = "warm cold bright dark slow fast gentle heavy soft rough calm playful".split()
_INSTRUMENT = "piano guitar violin cello flute trumpet drums bass organ harp bells strings synth".split()
_PLACE = ("for fine restaurant|in a small room|by the sea|at midnight|before sunrise|in the rain").split("|")


def sentences(count: int, seed: int) -> list[str]:
    """`count` sentences about music and taste, the same for the same seed."""
    r = random.Random(seed)
    out = []
    for _ in range(count):
        taste, a, b = r.choice(_TASTE), r.choice(_ADJECTIVE), r.choice(_ADJECTIVE)
        i, j, place = r.choice(_INSTRUMENT), r.choice(_INSTRUMENT), r.choice(_PLACE)
        out.append(r.choice((
            f"{taste} music, ambient {place}",
            f"A {taste} piece with {a} {i} and {b} {j}.",
            f"{a.capitalize()} {i} plays {place} while {b} {j} plays.",
            f"This is {a}, {b} music of {i}, {j} & {r.randint(50, 190)} bpm!",
        )))
    return out
