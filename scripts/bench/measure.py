"""Run a process and know its wall time and peak memory; talk to a peer; reduce pairs to a ratio; name the machine.

This module, clap.py and musicgen.py import neither torch nor the peers' packages: Linux counts the memory of the process
that starts a child into the child's peak.
"""
from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """What one finished process took."""

    seconds: float
    peak_rss_bytes: int
    notes: str
    """What it wrote to standard error."""


def clean_env() -> dict[str, str]:
    """The environment without settings that slow a BLAS down."""
    dropped = {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}
    return {k: v for k, v in os.environ.items() if k not in dropped}


def _wait(process: subprocess.Popen) -> tuple[int, int]:
    """(exit status, peak resident bytes) of `process`."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def run(command: list) -> Usage:
    """Run to the end; an error with the last lines of standard error if it fails."""
    command = [str(c) for c in command]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as errors:  # not a pipe: nobody reads while we wait
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, env=clean_env())
        code, peak = _wait(process)
        seconds = time.perf_counter() - started
        errors.seek(0)
        notes = errors.read().decode(errors="replace")
        if code != 0:
            raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{notes[-2000:]}")
    return Usage(seconds, peak, notes)


class Peer:
    """A script of this folder that holds the other program, started once and asked many times."""

    def __init__(self, name: str, arguments: list):
        self.name, script = name, Path(__file__).resolve().parent / name
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(script), *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_env(), text=True)
        self.hello = self._answer()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended early; run it by hand to see why: " + " ".join(self.process.args))
        return json.loads(line)

    def ask(self, **job) -> float:
        """Seconds that the job took, without the model's load."""
        return self.answer(**job)["seconds"]

    def answer(self, **job) -> dict:
        """All that the peer says of the job."""
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> int:
        """End it; its peak resident bytes."""
        self.process.stdin.close()
        return _wait(self.process)[1]


def ratio(ours: list[float], theirs: list[float]) -> tuple[float, float, float]:
    """(median, lowest, highest) of theirs / ours, pair by pair: above 1, ours is faster."""
    pairs = [t / o for o, t in zip(ours, theirs, strict=True)]
    return statistics.median(pairs), min(pairs), max(pairs)


def machine() -> str:
    """System, processor and number of CPUs, for the head of a report."""
    model = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} CPUs"


def instructions() -> str:
    """Of those that arithmetic below 32 bits is fast with, the ones that this processor has."""
    wanted = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8", "bf16", "i8mm")
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features"))).split()
    except (OSError, StopIteration):
        return "unknown"
    return " ".join(flag for flag in wanted if flag in flags) or "none of them"
