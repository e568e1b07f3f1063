#!/usr/bin/env python3
"""Shares on a real HyperQueue: an array of tasks with HQ_TASK_ID, put together to the bytes of one machine. See check.sh."""
from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

EXPERIMENT = Path(__file__).resolve().parents[2] / "experiments" / "gen_spanio_base.yaml"
SHARES, RUN = 4, "runs/gen_spanio_base"
# When, how long and where, but no result.
NO_RESULTS = ("manifest.json", "report.html")


def results(folder: Path) -> dict[str, bytes]:
    """Files by their names: not those of the shares, and not those that begin with a dot."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items()
            if not name.startswith((".", "shards/")) and name not in NO_RESULTS}


def main(args: list[str]) -> int:
    if len(args) != 1:
        print(__doc__)
        return 2
    binary = Path(args[0]).resolve()
    with tempfile.TemporaryDirectory(prefix="harness-hyperqueue-", ignore_cleanup_errors=True) as name:
        one, many = Path(name) / "one", Path(name) / "many"
        one.mkdir()
        many.mkdir()
        run = [str(binary), "run", str(EXPERIMENT), "--demo"]
        subprocess.run(run, cwd=one, check=True, capture_output=True)
        with LocalCluster(server_dir=str(Path(name) / "server")) as cluster:
            for _ in range(2):
                cluster.start_worker(WorkerConfig(cores=1))
            client, job = cluster.client(), Job()
            for _ in range(SHARES):
                job.program([*run, "--offline", "--shard", "auto"], cwd=many, env={"HARNESS_SHARDS": str(SHARES)},
                            stdout=many / "%{TASK_ID}.out", stderr=many / "%{TASK_ID}.err")
            done = client.wait_for_jobs([client.submit(job)], raise_on_error=False)
        told = [path.read_text() for path in sorted(many.glob("*.err"))]
        if not done:
            print("a task failed:", *told, sep="\n")
            return 1
        subprocess.run([*run, "--no-compute"], cwd=many, check=True, capture_output=True)
        good, found = results(one / RUN), results(many / RUN)
        differ = sorted(name for name in good.keys() | found.keys() if good.get(name) != found.get(name))
        print(f"{SHARES} shares on HyperQueue, {len(good)} results, {len(differ)} differ", *differ)
        return 1 if differ or len(good) < 10 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
