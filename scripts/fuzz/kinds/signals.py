"""Signals at random moments of every command: the exit code says which, and the same command then ends with the same results."""
from __future__ import annotations

import hashlib
import shutil
import signal
import threading
from pathlib import Path

import watch
from case import Case
from lab import Lab, settings
from process import Limits, run

COUNT, CI_COUNT = 1000, 120

# A shell calls a death by signal N 128 + N; here it is -N. Before the program has set itself up, the kernel's answer is one.
CODES = {signal.SIGINT: (0, 130, -2), signal.SIGTERM: (0, 143, -15), signal.SIGHUP: (0, 129, -1), signal.SIGKILL: (0, -9)}

GRAPHS = "models/graphs"
COMMANDS = {
    # name: arguments, what it needs beside models and inputs, where its results are, how often
    "run": (["run", *settings("weights")], ["experiments", "runs/gen_spanio_base"], "runs/weights", 5),
    "run that makes pieces": (["run", *settings("gen_spanio_base")], ["experiments"], "runs/gen_spanio_base", 3),
    "generate": (Lab.generate("runs/pieces"), [], "runs/pieces", 6),
    "generate, to be exported": (Lab.generate("runs/pieces"), [], "runs/pieces", 2),
    "embed": (Lab.embed("runs/texts.csv"), [], "runs/texts.csv", 3),
    "embed audio": (Lab.embed("runs/audio.csv", what=("--audio", "inputs/pieces")), [], "runs/audio.csv", 2),
    "export": (["export", "music_audioset", "tasty-musicgen-small", "--offline"], [], GRAPHS, 3),
    "export in int8": (["export", "music_audioset", "tasty-musicgen-small", "--precision", "int8", "--offline"], [], GRAPHS, 4),
    "figures": (["figures", "runs/weights"], ["runs/weights"], "runs/weights/figures", 1),
    "report": (["report", "runs/weights"], ["runs/weights"], "runs/weights/figures", 1),
    "nearest": (["nearest", "runs/weights", "sweet", "--offline", "--threads", "1"], ["runs/weights"], "runs/weights", 1),
    "check": (["check", *settings("weights")], ["experiments", "runs/gen_spanio_base"], "runs/gen_spanio_base", 1),
}
TURNS = [name for name, (*_, often) in COMMANDS.items() for _ in range(often)]

# When, how long and where, but no result.
NO_RESULTS = ("manifest.json", "report.html", "export.json")


def prepare(lab: Lab, work: Path, name: str) -> None:
    for part in ("models", "inputs", *COMMANDS[name][1]):
        (work / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(lab.work / part, work / part, symlinks=True)
    if name.startswith("export") or name.endswith("exported"):
        shutil.rmtree(work / GRAPHS)
    (work / "runs").mkdir(exist_ok=True)


def results(work: Path, name: str) -> dict[str, str]:
    root = work / COMMANDS[name][2]
    files = [root] if root.is_file() else sorted(p for p in root.rglob("*") if p.is_file())
    kept = [p for p in files if not p.name.startswith(".") and p.name not in NO_RESULTS]
    return {str(p.relative_to(work)): hashlib.blake2b(p.read_bytes()).hexdigest() for p in kept}


_lock = threading.Lock()
_known: dict[str, tuple[float, dict]] = {}


def undisturbed(case: Case, name: str) -> tuple[float, dict]:
    """Seconds and results of the command when nobody disturbs it; measured once."""
    with _lock:
        if name not in _known:
            seconds = []
            for turn in range(2):
                folder = case.folder.parent / "undisturbed" / f"{name.replace(' ', '-')}-{turn}"
                for part in ("work", "home", "tmp", "cache"):
                    (folder / part).mkdir(parents=True)
                prepare(case.lab, folder / "work", name)
                ended = run([case.lab.binary, *COMMANDS[name][0]], folder / "work", case.lab.environment(folder), Limits(60, 4000))
                if ended.code != 0:
                    raise RuntimeError(f"{name} fails undisturbed: {ended.err[-500:]!r}")
                seconds.append(ended.seconds)
                found = results(folder / "work", name)
                shutil.rmtree(folder)
            _known[name] = min(seconds), found
        return _known[name]


def attack(case: Case) -> None:
    name = TURNS[case.turn % len(TURNS)]
    args, _, where, _ = COMMANDS[name]
    seconds, good = undisturbed(case, name)
    prepare(case.lab, case.work, name)
    which = case.rng.choices(list(CODES), [7, 4, 3, 6])[0]
    at = case.rng.uniform(0, 1.05) * seconds
    signals = [(at, which)]
    codes = CODES[which]
    if which != signal.SIGKILL and case.rng.random() < 0.3:
        second = case.rng.choice([which, which, signal.SIGINT, signal.SIGTERM])
        signals.append((at + case.rng.choice([0.0, 0.0005, 0.005, 0.05]), second))
        codes += CODES[second]
    case.what = f"{name}, " + " and ".join(f"{signal.Signals(s).name} after {t * 1e3:.1f} ms" for t, s in signals) + f" of {seconds * 1e3:.0f}"
    writes = [where, GRAPHS, "runs"]
    case.harness(*args, writes=writes, leaves=["tmp"], codes=codes, signals=signals)
    if case.rng.random() < 0.2:  # and once more before it is left alone
        case.harness(*args, writes=writes, leaves=["tmp"], codes=CODES[signal.SIGKILL],
                      signals=[(case.rng.uniform(0, 1.05) * seconds, signal.SIGKILL)])
    ended = case.succeeds(*args, writes=writes, leaves=["tmp"])
    if ended.code != 0:
        return
    found = results(case.work, name)
    if found != good:
        differ = sorted(k for k in found.keys() | good.keys() if found.get(k) != good.get(k))
        case.fault(f"other results after {case.what}: {differ[:5]}", ended)
    for left in watch.leftovers(watch.snapshot(case.folder)):
        case.fault(f"left after the next command: {left}", ended)
