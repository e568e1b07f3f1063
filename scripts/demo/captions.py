"""Invented captions in the format of musiccaps-public.csv, for the demo of experiments/musiccaps_text.yaml.

    python3 scripts/demo/captions.py        # writes assets/demo/captions.csv; make_demo.py does too
"""
from __future__ import annotations

import csv
import random
from pathlib import Path

import texts

COLUMNS = ("ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,author_id,is_balanced_subset,"
           "is_audioset_eval").split(",")


def write_captions(path: Path, count: int = 48) -> None:
    """`count` rows; one caption holds a line break and one descriptor an apostrophe, as in the real file."""
    r = random.Random(4)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for i, caption in enumerate(texts.sentences(count, seed=3)):
            words = sorted({word.strip(",.!&").lower() for word in caption.split()} - {""})
            aspects = [w for w in words if w.isalpha() and len(w) > 3 and w not in ("with", "this", "while", "music")]
            r.shuffle(aspects)
            aspects = aspects[:4] + (["child's toy piano"] if i == 5 else [])
            if i == 7:
                caption = caption.replace(" ", "\n", 1)
            start = r.randrange(0, 300, 10)
            out.writerow([f"demo-{i:06d}", start, start + 10, "/m/04rlf", repr(aspects), caption, i % 3, False, True])


if __name__ == "__main__":
    write_captions(Path(__file__).resolve().parents[2] / "assets/demo/captions.csv")
