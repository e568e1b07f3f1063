#!/usr/bin/env python3
"""Shares on a real Slurm: submitted, killed, told to end, lost with their node, submitted again, and put together to the same bytes.

    python3 scripts/slurm/check.py target/release/harness

Starts a Slurm of four nodes on this machine (install.sh brings it), and runs the demo of gen_spanio_base in 8 shares and weights
behind it. Ends with 1 when a file differs from that of one machine.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cluster import Cluster

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
RUNS = ("gen_spanio_base", "weights")
# When, how long and where, but no result.
NO_RESULTS = ("manifest.json", "report.html")


class Check:
    def __init__(self, binary: Path, folder: Path):
        self.binary, self.folder = binary.resolve(), folder
        self.cluster = Cluster(folder / "slurm", nodes=4, array=6)
        self.environment = self.cluster.environment

    def run(self, where: str, *args: str, check: bool = True) -> str:
        folder = self.folder / where
        folder.mkdir(exist_ok=True)
        ended = subprocess.run([self.binary, *args], cwd=folder, env=self.environment, capture_output=True, text=True)
        if check and ended.returncode != 0:
            raise RuntimeError(f"harness {' '.join(args)} ended with {ended.returncode}: {ended.stderr}")
        return ended.stdout + ended.stderr

    def slurm(self, *words: str) -> str:
        return subprocess.run(words, env=self.environment, capture_output=True, text=True).stdout

    def jobs(self, state: str = "pending,running,suspended,completing,configuring") -> list[str]:
        return self.slurm("squeue", "-h", "-r", "-t", state, "-o", "%i").split()

    def until_idle(self, seconds: int = 180) -> None:
        until = time.monotonic() + seconds
        while self.jobs():
            if time.monotonic() > until:
                logs = [path.read_text() for path in sorted(self.folder.glob("cluster/runs/*/submit/*.log"))]
                raise RuntimeError("jobs are left:\n" + self.slurm("squeue", "-r") + self.slurm("sinfo") + "\n".join(logs)[-3000:])
            self.hurry()
            time.sleep(0.5)

    def hurry(self) -> None:
        """What is queued again begins after two minutes, and no setting says otherwise; people may."""
        for line in self.slurm("squeue", "-h", "-r", "-t", "pending", "-o", "%i %r").splitlines():
            job, reason = line.split(maxsplit=1)
            if reason.strip("()") == "BeginTime":
                self.slurm("scontrol", "update", f"jobid={job}", "starttime=now")

    def tasks(self) -> list[int]:
        """The processes of shares in the cluster's working folder."""
        found = []
        for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = cmdline.read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] == os.fsencode(self.binary) and b"--shard" in words:
                found.append(int(cmdline.parent.name))
        return found

    def disturb(self) -> list[str]:
        """One of each kind, as soon as there is something to disturb."""
        done = []
        for what in ("kill -9", "scancel --signal=USR1", "scancel --signal=TERM", "a node", "kill -9"):
            until = time.monotonic() + 30
            while not (self.tasks() and self.jobs("running")) and time.monotonic() < until and self.jobs():
                if time.monotonic() > until - 28:
                    self.hurry()
                time.sleep(0.02)
            tasks, running = self.tasks(), self.jobs("running")
            if not (tasks and running):
                break
            done.append(what)
            if what == "kill -9":
                os.kill(tasks[0], signal.SIGKILL)
            elif what == "a node":
                self.cluster.kill_node(4)
            else:
                self.slurm("scancel", what.split()[1], "--batch", running[0])
            time.sleep(0.3)
        return done

    def submit(self) -> str:
        # Four nodes on one machine share its disk, and so the copies.
        share = ("--shards", "8", "--local-scratch", str(self.folder / "node"), "--", "--cpus-per-task", "1")
        return self.run("cluster", "submit", str(EXPERIMENTS / "weights.yaml"), "--demo", "--to", "slurm", *share)

    def attempts(self) -> list[str]:
        """What is wrong with what attempts say of themselves: a task may use one processor, whatever the node has."""
        found = [json.loads(path.read_text()) for path in self.folder.glob("cluster/runs/*/shards/*/*/attempt.json")]
        threads = {attempt["threads"] for attempt in found}
        copies = list(self.folder.glob("node/harness-*/*/*.onnx"))
        return ([f"attempts had threads {threads}"] if threads != {1} else []) + ([] if copies else ["nothing was copied to the nodes"])

    def compare(self) -> list[str]:
        faults = []
        for name in RUNS:
            one, many = (self.folder / where / "runs" / name for where in ("one", "cluster"))
            results = [path.relative_to(one) for path in sorted(one.rglob("*"))
                       if path.is_file() and not path.name.startswith(".") and path.name not in NO_RESULTS]
            if len(results) < 10:
                faults.append(f"{name} has {len(results)} results on one machine")
            for path in results:
                there = many / path
                if not there.is_file() or there.read_bytes() != (one / path).read_bytes():
                    faults.append(f"{name}: {path} differs")
        return faults

    def __call__(self) -> int:
        # `run` makes what it waits for.
        self.run("one", "run", str(EXPERIMENTS / "weights.yaml"), "--demo")
        self.cluster.start()
        try:
            print("; ".join(line for line in self.submit().splitlines() if "shares" in line))
            disturbed = self.disturb()
            print("disturbed by " + ", ".join(disturbed))
            if "a node" in disturbed:
                self.cluster.start_node(4)
            self.until_idle()
            for _ in range(6):
                if all((self.folder / "cluster/runs" / name / "manifest.json").exists() for name in RUNS):
                    break
                print("again: " + "; ".join(line for line in self.submit().splitlines() if "shares" in line))
                self.until_idle()
            else:
                logs = [path.read_text() for path in sorted(self.folder.glob("cluster/runs/*/submit/*.log"))]
                raise RuntimeError("the runs are not finished:\n" + "\n".join(logs)[-3000:])
        finally:
            self.cluster.stop()
        faults = self.compare() + self.attempts() + ([] if len(disturbed) == 5 else [f"only {len(disturbed)} of 5 were disturbed"])
        for fault in faults:
            print("FAULT", fault)
        print(f"{len(RUNS)} runs of 8 shares on Slurm, {len(faults)} faults")
        return 1 if faults else 0


def main(args: list[str]) -> int:
    if len(args) != 1:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="harness-slurm-", ignore_cleanup_errors=True) as folder:
        return Check(Path(args[0]), Path(folder))()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
