"""What counts as a fault in how a process ended and in what it said."""
from __future__ import annotations

import re
import signal

from process import Ended

LINE_CHARACTERS = 4000
GOOD_CODES = (0, 1, 2, 130)

# Moves the cursor, changes colours, turns the writing direction: all but the end of a line and a tab.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"{signal.Signals(-code).name} ({code})"
    except ValueError:
        return f"signal {-code}"


def of_text(name: str, said: bytes) -> list[str]:
    """Faults of what came on a stream that a terminal shows."""
    found = []
    try:
        text = said.decode()
    except UnicodeDecodeError as e:
        found.append(f"{name}: not UTF-8 at byte {e.start}")
        text = said.decode(errors="replace")
    control = CONTROLS.search(text)
    if control:
        around = text[max(0, control.start() - 30):control.start() + 10]
        found.append(f"{name}: control character U+{ord(control.group()):04X} in {ascii(around)}")
    longest = max((len(line) for line in text.split("\n")), default=0)
    if longest > LINE_CHARACTERS:
        found.append(f"{name}: a line of {longest} characters")
    return found


def faults(ended: Ended, codes=GOOD_CODES, heard: bool = True) -> list[str]:
    """Nothing for a process that ended as it may; `heard` is whether standard error was read."""
    found = []
    text = ended.err.decode(errors="replace")
    if ended.cut:
        found.append(ended.cut)
    elif ended.code not in codes:
        found.append(ending(ended.code))
    if "panicked at" in text:
        found.append("panicked")
    if ended.children:
        found.append("left a process running")
    # `diff` ends with 1 when the runs differ, and says where on standard output.
    told = ended.out if ended.code == 1 and "diff" in ended.command[1:2] else b""
    if heard and ended.code in (1, 2) and not told and not re.search(r"^error: ", text, re.MULTILINE):
        found.append("failed without `error:`")
    return found + of_text("standard output", ended.out) + of_text("standard error", ended.err)
