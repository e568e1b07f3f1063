"""Shares of a run that are killed, asked to end, started again and put together at random moments: the same results as of one machine."""
from __future__ import annotations

import shutil
import signal

import watch
from case import Case
from lab import settings

from . import signals

COUNT, CI_COUNT = 300, 30

# 75 asks to be started again: what a scheduler's signal ends with, once the program has set itself up.
CODES = {signal.SIGKILL: (0, -9), signal.SIGTERM: (0, 75, 143, -15), signal.SIGUSR1: (0, 75, 138, -10)}
COMMANDS = {"run": "weights", "run that makes pieces": "gen_spanio_base"}


def attack(case: Case) -> None:
    name = case.rng.choice(list(COMMANDS))
    args, where = settings(COMMANDS[name]), f"runs/{COMMANDS[name]}"
    seconds, good = signals.undisturbed(case, name)
    signals.prepare(case.lab, case.work, name)
    shares = case.rng.randint(2, 5)
    writes = [where, "models/graphs", "runs"]
    case.what = f"{name} in {shares} shares"
    order = list(range(1, shares + 1))
    case.rng.shuffle(order)
    for index in order:
        share = ["run", *args, "--shard", f"{index}/{shares}"]
        for _ in range(case.rng.choice([0, 1, 1, 2])):
            which = case.rng.choice(list(CODES))
            at = case.rng.uniform(0, 1.1) * seconds
            case.what += f", {index}: {signal.Signals(which).name} after {at * 1e3:.0f} ms"
            case.harness(*share, writes=writes, leaves=["tmp", where], codes=CODES[which], signals=[(at, which)])
            if case.rng.random() < 0.15:  # put together too early: what is missing is told, or all of it is there
                case.harness("run", *args, "--no-compute", writes=writes, leaves=["tmp", where], codes=(0, 1))
                (case.work / where / "manifest.json").unlink(missing_ok=True)
        # A share that never comes is computed where they are put together.
        if case.rng.random() < 0.9:
            case.harness(*share, writes=writes, leaves=["tmp", where])
    ended = case.succeeds("run", *args, writes=writes, leaves=["tmp", where])
    if ended.code != 0:
        return
    shutil.rmtree(case.work / where / "shards", ignore_errors=True)
    found = signals.results(case.work, name)
    if found != good:
        differ = sorted(k for k in found.keys() | good.keys() if found.get(k) != good.get(k))
        case.fault(f"other results of {case.what}: {differ[:5]}", ended)
    for left in watch.leftovers(watch.snapshot(case.folder)):
        case.fault(f"left after the last command: {left}", ended)
