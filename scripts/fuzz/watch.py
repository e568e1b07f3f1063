"""What is below a folder, and what has changed there."""
from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

HASHED_BYTES = 32 << 20
"""Of a larger file the size, the time and the beginning."""


def _content(path: str, found: os.stat_result) -> str:
    with open(path, "rb") as file:
        return hashlib.blake2b(file.read(min(found.st_size, HASHED_BYTES)), digest_size=12).hexdigest()


def snapshot(folder: Path) -> dict[str, tuple]:
    """Relative path to what it is; links, pipes and devices are not followed."""
    out = {}
    root = os.fspath(folder)

    def below(at: str, prefix: str) -> None:
        for entry in os.scandir(at):
            name = prefix + os.fsencode(entry.name).decode(errors="backslashreplace")
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                out[name] = ("folder",)
                below(entry.path, name + "/")
            elif stat.S_ISLNK(found.st_mode):
                out[name] = ("link", os.readlink(entry.path))
            elif stat.S_ISREG(found.st_mode):
                out[name] = ("file", found.st_size, found.st_mtime_ns, _content(entry.path, found))
            else:
                out[name] = ("special", stat.S_IFMT(found.st_mode))

    below(root, "")
    return out


def changes(before: dict, after: dict, may_write) -> list[str]:
    """What was made, changed or removed but below the paths of `may_write`."""
    def allowed(name: str) -> bool:
        return any(name == path or name.startswith(path + "/") for path in may_write)

    out = []
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name) or allowed(name):
            continue
        done = "made" if name not in before else "removed" if name not in after else "changed"
        # A folder above one that may be written is made with it.
        if done == "made" and after[name] == ("folder",) and any(path.startswith(name + "/") for path in may_write):
            continue
        out.append(f"{done} {name}")
    return out


def leftovers(snapshot_: dict) -> list[str]:
    """What was being written and is neither whole nor gone."""
    return [name for name in snapshot_ if name.rsplit("/", 1)[-1].startswith((".part-", ".tmp"))]
