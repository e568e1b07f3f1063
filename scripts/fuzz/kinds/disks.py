"""Disks that are full, folders that are missing, and streams that nobody takes: work may stop, but nothing is lost or wrong in silence."""
from __future__ import annotations

import functools
import json
import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import watch
from case import Case
from lab import Lab, settings

COUNT, CI_COUNT = 260, 60

DISK_MB = 24


def _mount(at: Path) -> bool:
    at.mkdir(exist_ok=True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", at], capture_output=True).returncode == 0


def _unmount(at: Path) -> None:
    subprocess.run(["umount", "-l", at], capture_output=True)


@functools.cache
def _may_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "disk"
        try:
            return _mount(at)
        except OSError:
            return False
        finally:
            _unmount(at)


def cannot() -> str | None:
    return None if _may_mount() else "full disks are left out, because this user may not mount; streams and missing folders are not"


@contextmanager
def small_disk(case: Case):
    at = case.folder / "disk"
    if not _mount(at):
        raise RuntimeError(f"cannot mount {at}")
    try:
        yield at
    finally:
        _unmount(at)


def _fill(disk: Path, free: int) -> None:
    """Leave some bytes beside a file that takes the rest."""
    found = os.statvfs(disk)
    (disk / "filler").write_bytes(bytes(max(0, found.f_bavail * found.f_frsize - free)))


def command(case: Case, name: str, out: str) -> list[str]:
    """With results in `out`, a folder; `export` has its own."""
    return {"run": lambda: ["run", *settings("weights"), "--out", f"{out}/weights"],
            "make": lambda: ["run", *settings("gen_spanio_base"), "--out", f"{out}/gen_spanio_base"],
            "generate": lambda: Lab.generate(f"{out}/pieces"),
            "embed": lambda: Lab.embed(f"{out}/texts.csv"),
            "export": lambda: ["export", "630k-audioset-best", "--offline", "--precision", case.rng.choice(["fp32", "int8"])]}[name]()


def _check(case: Case, name: str, out: Path, ended) -> None:
    """What a command that ended well has left is what the lab has."""
    if ended.code != 0:
        return
    if name in ("run", "make"):
        run = {"run": "weights", "make": "gen_spanio_base"}[name]
        same_below(case, out / run, case.lab.work / "runs" / run, case.lab.RESULTS)
        empty = [(arm["name"], graph) for arm in json.loads((out / run / "manifest.json").read_bytes())["arms"]
                 for graph, said in arm["graphs"].items() if not said.get("nodes_ran_on")]
        if empty and b"nodes" not in ended.err and b"TMPDIR" not in ended.err and b"profile" not in ended.err:
            case.fault(f"nodes_ran_on is empty, and nothing said so: {empty}", ended)
    elif name == "generate":
        same_below(case, out / "pieces", case.lab.work / "runs/pieces", ("1.wav", "2.wav", "3.wav", "1.npy"))
    elif name == "embed":
        same_below(case, out, case.lab.work / "runs", ("texts.csv",))


def same_below(case: Case, found: Path, good: Path, names) -> None:
    for name in names:
        if (good / name).exists() and (not (found / name).is_file() or _numbers(found / name) != _numbers(good / name)):
            case.fault(f"other results: {name} is not what it was")
            return


def _numbers(path: Path) -> bytes:
    """Without the paths of pieces, which are relative to the folder that they are in."""
    return path.read_bytes().replace(b"runs/gen_spanio_base/audio", b"audio")


# -- what is wrong with the machine

def full(case: Case) -> None:
    """Somewhere no room is left; once there is some, the same command ends well."""
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    what = case.rng.choice(["out", "out", "cache", "models", "TMPDIR", "TMPDIR"])
    name = case.rng.choice(["run", "make", "generate", "embed", "export"])
    with small_disk(case) as disk:
        env = {"cache": {"HARNESS_CACHE": str(disk / "cache")}, "TMPDIR": {"TMPDIR": str(disk)}}.get(what, {})
        out = disk if what == "out" else case.work / "runs"
        args = command(case, name, str(out))
        if what == "models":
            (disk / "models").mkdir()
            for card in (case.work / "models").glob("*.yaml"):
                (disk / "models" / card.name).write_bytes(card.read_bytes())
            args += ["--models", str(disk / "models")]
        free = case.rng.choice([0, 0, 4, 8, 16, 40, 100, 300, 1000, 3000]) << 10
        case.what = f"{name} with {free >> 10} kB free for {what}"
        _fill(disk, free)
        ended = case.harness(*args, env=env, watched=False)
        if ended.code == 1 and b"space" not in ended.err and b"room" not in ended.err and b"free" not in ended.err and b"TMPDIR" not in ended.err:
            case.fault("fails for want of space, and does not say so", ended)
        _check(case, name, out, ended)
        (disk / "filler").unlink()
        ended = case.succeeds(*args, env=env, watched=False)
        _check(case, name, out, ended)
        for left in watch.leftovers(watch.snapshot(case.folder)):
            case.fault(f"leaves {left}", ended)


def missing(case: Case) -> None:
    """A folder for temporary files that is not there, or is none."""
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    name = case.rng.choice(["run", "make", "generate", "embed", "export"])
    (case.folder / "file").write_text("")
    tmp = case.rng.choice(["/nowhere/at/all", str(case.folder / "not-there"), str(case.folder / "file"), "/dev/null", "relative", ""])
    case.what = f"{name} with TMPDIR={tmp}"
    ended = case.harness(*command(case, name, "runs"), writes=["runs"], env={"TMPDIR": tmp})
    if ended.code == 1 and b"TMPDIR" not in ended.err and tmp.encode() not in ended.err:
        case.fault("fails for want of TMPDIR, and does not name it", ended)
    _check(case, name, case.work / "runs", ended)
    ended = case.succeeds(*command(case, name, "runs"), writes=["runs"])
    _check(case, name, case.work / "runs", ended)


def _closed_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def streams(case: Case) -> None:
    """Nobody takes what is said: the work is done all the same."""
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    name = case.rng.choice(["run", "make", "generate", "embed", "export"])
    stream, kind = case.rng.choice(["stderr", "stderr", "stdout"]), case.rng.choice(["full", "closed"])
    case.what = f"{name} with {stream} {kind}"
    target = os.open("/dev/full", os.O_WRONLY) if kind == "full" else _closed_pipe()
    try:
        # Results that cannot be written are an error; notes that cannot are none.
        codes = (0, 1) if (stream, kind) == ("stdout", "full") else (0,)
        ended = case.harness(*command(case, name, "runs"), writes=["runs"], codes=codes, **{stream: target})
        _check(case, name, case.work / "runs", ended)
        case.harness("check", "not-there.yaml", codes=(1, 2), **{stream: target})
        case.harness("--help", codes=(0, 1, 2), **{stream: target})
        case.harness(case.rng.choice(["models", "providers", "inspect"]), case.rng.choice(["--offline", "--nonsense"]), **{stream: target})
    finally:
        os.close(target)


def attack(case: Case) -> None:
    if case.number % 2 == 0 and _may_mount():
        full(case)
    elif case.number % 4 == 1:
        missing(case)
    else:
        streams(case)
