"""One process with limits on time, memory and output: how it ended and what it said."""
from __future__ import annotations

import os
import resource
import select
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

OUTPUT_BYTES = 16 << 20
FILE_BYTES = 1 << 30
POLL_S = 0.02


@dataclass(frozen=True)
class Limits:
    seconds: float
    memory_mb: int
    """Resident. What is asked for without being used is limited too, to `room_mb` more: ONNX Runtime alone maps some hundred."""
    room_mb: int = 3000


@dataclass(frozen=True)
class Ended:
    """How one process ended."""

    command: list[str]
    code: int
    """Negative: the signal."""
    cut: str | None
    """Which limit ended it."""
    children: bool
    """Something that it started was still there."""
    seconds: float
    peak_mb: int
    out: bytes
    err: bytes


def peak_mb(pid: int) -> int:
    """The largest resident size so far; 0 once the process has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) >> 10
    except OSError:
        pass
    return 0


def kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def group_is_there(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def run(command: list, cwd: Path, env: dict[str, str], limits: Limits, signals: list[tuple[float, int]] = (), stdout=None,
        stderr=None) -> Ended:
    """Run to the end, or to a limit. `signals` are (seconds after the start, which), in order. What `stdout` and `stderr` are
    given is written to instead, and not read."""
    command = [os.fspath(part) if isinstance(part, Path) else str(part) for part in command]
    signals = list(signals)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = subprocess.Popen(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=stderr or err,
                                 process_group=0)
        for which, limit in ((resource.RLIMIT_AS, (limits.memory_mb + limits.room_mb) << 20), (resource.RLIMIT_FSIZE, FILE_BYTES),
                             (resource.RLIMIT_CORE, 0)):
            try:
                resource.prlimit(child.pid, which, (limit, limit))
            except ProcessLookupError:
                pass  # has ended
        cut = None
        ended = select.poll()
        pidfd = os.pidfd_open(child.pid)
        try:
            ended.register(pidfd, select.POLLIN)
            while True:
                wait = POLL_S
                if signals:
                    wait = min(wait, max(0.0, signals[0][0] - (time.monotonic() - began)))
                if ended.poll(wait * 1e3):
                    break
                now = time.monotonic() - began
                while signals and now >= signals[0][0]:
                    os.kill(child.pid, signals.pop(0)[1])  # not reaped yet: the id is still its own
                if now > limits.seconds:
                    cut = f"ran longer than {limits.seconds:.0f} s"
                elif peak_mb(child.pid) > limits.memory_mb:
                    cut = f"took more than {limits.memory_mb} MB"
                elif max(os.fstat(f.fileno()).st_size for f in (out, err)) > OUTPUT_BYTES:
                    cut = f"said more than {OUTPUT_BYTES >> 20} MB"
                if cut:
                    kill_group(child.pid)
                    break
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            os.close(pidfd)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        patience = time.monotonic() + 0.5
        while group_is_there(child.pid) and time.monotonic() < patience and not cut:
            time.sleep(POLL_S)
        children = not cut and group_is_there(child.pid)
        kill_group(child.pid)
        peak = usage.ru_maxrss >> 10
        if peak > limits.memory_mb and not cut:
            cut = f"took {peak} MB, more than {limits.memory_mb}"
        for file in (out, err):
            file.seek(0)
        return Ended(command, child.returncode, cut, children, seconds, peak, out.read(OUTPUT_BYTES), err.read(OUTPUT_BYTES))
