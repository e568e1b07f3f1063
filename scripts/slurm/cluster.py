"""A Slurm of several nodes on this machine alone, without systemd: munged, slurmctld and one slurmd a node, on loopback ports.

    python3 scripts/slurm/cluster.py DIR [NODES]     starts one, and prints the line that lets sbatch find it
    python3 scripts/slurm/cluster.py DIR --stop

For tests. Root only, as Slurm's daemons here are root's.
"""
from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

CONF = """ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={dir}/munge/socket
CredType=cred/munge
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool/%n
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd-%n.pid
SlurmctldLogFile={dir}/log/slurmctld.log
SlurmdLogFile={dir}/log/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
MaxArraySize={array}
MinJobAge=300
KillWait=5
SlurmdTimeout=10
ReturnToService=2
MpiDefault=none
"""


class Cluster:
    """A running Slurm; `environment` lets its commands find it."""

    def __init__(self, folder: Path, nodes: int = 4, array: int = 1001):
        self.folder, self.nodes = folder.resolve(), nodes
        for name in ("state", "spool", "log", "munge"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "munge").chmod(0o700)
        self.conf = self.folder / "slurm.conf"
        self.environment = {**os.environ, "SLURM_CONF": str(self.conf)}
        host, port = socket.gethostname().split(".")[0], 20000 + secrets.randbelow(9000)
        text = CONF.format(host=host, port=port, dir=self.folder, array=array)
        for n in range(1, nodes + 1):
            text += f"NodeName=n{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={port + n} CPUs=1 State=UNKNOWN\n"
        text += "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:1\n"
        self.conf.write_text(text)

    def start(self) -> Cluster:
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        munge = self.folder / "munge"
        self._call("munged", f"--key-file={key}", f"--socket={munge / 'socket'}", f"--pid-file={self.folder / 'munged.pid'}",
                   f"--log-file={self.folder / 'log' / 'munged.log'}", f"--seed-file={munge / 'seed'}", "--force")
        self._call("slurmctld", "-f", str(self.conf))
        for n in range(1, self.nodes + 1):
            self.start_node(n)
        for _ in range(120):
            idle = self._call("sinfo", "-h", "-t", "idle", "-o", "%D", check=False).stdout.split()
            if idle == [str(self.nodes)]:
                return self
            time.sleep(0.25)
        raise RuntimeError("the nodes of the local Slurm do not come up: see " + str(self.folder / "log"))

    def start_node(self, n: int) -> None:
        self._call("slurmd", "-N", f"n{n}", "-f", str(self.conf))

    def kill_node(self, n: int) -> None:
        """As a machine that loses its power: its daemon, and every task on it."""
        pid = int((self.folder / f"slurmd-n{n}.pid").read_text())
        for child in self._descendants(pid):
            self._kill(child, signal.SIGKILL)
        self._kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        self._call("scancel", "--user=root", check=False)
        for path in sorted(self.folder.glob("*.pid")):
            try:
                self._kill(int(path.read_text()), signal.SIGTERM)
            except ValueError:
                pass

    def _call(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run(words, env=self.environment, check=check, capture_output=True, text=True)

    @staticmethod
    def _kill(pid: int, which: int) -> None:
        try:
            os.kill(pid, which)
        except ProcessLookupError:
            pass

    @staticmethod
    def _descendants(pid: int) -> list[int]:
        """Also those whose parent is gone: slurmstepd leaves the daemon."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = stat.read_text()
            except OSError:
                continue
            parents[int(stat.parent.name)] = int(text.rsplit(") ", 1)[1].split()[1])
        found, todo = [], [pid]
        while todo:
            one = todo.pop()
            children = [child for child, parent in parents.items() if parent == one]
            found += children
            todo += children
        return found


def main(args: list[str]) -> int:
    if not args:
        print(__doc__)
        return 2
    cluster = Cluster(Path(args[0]), int(args[1]) if len(args) > 1 and args[1].isdigit() else 4)
    if "--stop" in args:
        cluster.stop()
    else:
        cluster.start()
        print(f"export SLURM_CONF={cluster.conf}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
