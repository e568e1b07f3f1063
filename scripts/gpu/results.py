"""Figures on the disk as soon as they are known, and steps that have so many seconds."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path


class StepError(Exception):
    """Why a step failed, in one line; `said` is what a program that was cut off had said."""

    def __init__(self, why: str, said: str = ""):
        super().__init__(why)
        self.said = said


class NotHere(Exception):
    """What a step needs and this machine does not have."""


class Results:
    """`results.json` in a folder, whole after every figure."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self.known = folder / "results.json", {"steps": {}}

    def tell(self, **figures) -> None:
        self.known |= figures
        self._write()

    def tell_of(self, step: str, **figures) -> None:
        self.known["steps"].setdefault(step, {}).update(figures)
        self._write()

    def _write(self) -> None:
        making = self.path.with_suffix(".making")
        making.write_text(json.dumps(self.known, indent=2) + "\n")
        making.replace(self.path)


class Clock:
    """What is left of a step's seconds."""

    def __init__(self, budget_s: float):
        self.end = time.monotonic() + budget_s

    def left(self) -> float:
        return self.end - time.monotonic()


def run(command: list, clock: Clock, **variables: str) -> tuple[float, str]:
    """Seconds that `command` took, and all that it said; it and what it started end with the clock."""
    if clock.left() <= 0:
        raise StepError("the step's seconds were over before this")
    name = " ".join(Path(str(part)).name for part in command[:2])
    started = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True, env=os.environ | variables)
    try:
        said, _ = process.communicate(timeout=clock.left())
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        raise StepError(f"{name} took longer than the step's seconds", said) from None
    if process.returncode != 0:
        lines = [line for line in said.splitlines() if line.strip()] or ["it said nothing"]
        raise StepError(f"{name} ended with {process.returncode}: {lines[-1][:500]}", said)
    return time.perf_counter() - started, said
