"""Make the two small fonts in assets/fonts/ from Inter (SIL Open Font License 1.1).

    python3 -m pip install fonttools
    apt-get download fonts-inter && dpkg-deb -x fonts-inter_*.deb inter
    python3 scripts/fonts/subset.py inter/usr/share/fonts/opentype/inter assets/fonts

Keeps the characters that figures need and the kerning, and drops the rest: ligatures and contextual alternates would
make a browser shape a label ("->") otherwise than the PNG renderer. The same input gives the same bytes.
Also writes coverage.txt, the ranges of code points that both fonts hold, which the program reads.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

RANGES = [
    (0x20, 0x7E),  # Latin
    (0xA0, 0xFF),  # Latin-1
    (0x100, 0x17F),  # Latin Extended-A
    (0x1E9E, 0x1E9E),
    (0x384, 0x3CE),  # Greek
    (0x400, 0x45F),  # Cyrillic
    (0x2010, 0x2026),  # dashes, quotes, bullet, ellipsis
    (0x2030, 0x203A),
    (0x2070, 0x208E),  # superscripts and subscripts
    (0x20AC, 0x20AC),
    (0x2190, 0x2199),  # arrows
    (0x2206, 0x2206),
    (0x2212, 0x221E),  # minus, root, infinity
    (0x2248, 0x2265),  # almost equal, not equal, at most, at least
    (0x25A1, 0x25A1),  # white square, drawn for a character that is not here
    (0x25CF, 0x25CF),
    (0x25C6, 0x25C6),
]
WEIGHTS = ["Regular", "SemiBold"]


def make(source: Path, target: Path) -> set[int]:
    options = subset.Options()
    options.layout_features = ["kern", "mark", "mkmk", "ccmp"]
    options.hinting = False
    options.desubroutinize = False
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14, 16, 17]
    options.notdef_outline = True
    options.recalc_timestamp = False
    font = subset.load_font(str(source), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[c for low, high in RANGES for c in range(low, high + 1)])
    subsetter.subset(font)
    subset.save_font(font, str(target), options)
    return set(TTFont(target).getBestCmap())


def ranges(code_points: set[int]) -> list[str]:
    lines, points = [], sorted(code_points)
    start = previous = points[0]
    for point in points[1:] + [None]:
        if point is None or point != previous + 1:
            lines.append(f"{start:04x} {previous:04x}")
            start = point
        previous = point
    return lines


if __name__ == "__main__":
    inter, out = Path(sys.argv[1]), Path(sys.argv[2])
    covered = [make(inter / f"Inter-{w}.otf", out / f"Inter-{w}.otf") for w in WEIGHTS]
    (out / "coverage.txt").write_text("\n".join(ranges(set.intersection(*covered))) + "\n")
