#!/usr/bin/env python3
"""What it costs to cut a run into shares, on one machine: the same cores, one share after the other.

    python3 scripts/bench/shares.py target/release/harness FOLDER [--shards 8] [--draws 16] [--seconds 1] [--rounds 3]

FOLDER has the checkpoints of full size of scripts/gpu/full_size.py. The whole is one share of one, of all pieces and of an
eighth of them: the difference says what a piece costs, and the rest what a process costs that loads the models. The overhead is
what the shares take more than the whole and one more load each, of what the pieces cost. Bar: 3 %. Leave other programs alone.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("harness", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--draws", type=int, default=16, help="pieces of each of four prompts")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a piece")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    harness, cards = str(args.harness.resolve()), args.models.resolve() / "models"
    pieces = 4 * args.draws
    few = pieces // args.shards
    with tempfile.TemporaryDirectory(prefix="shares-") as work:
        Path(work, "x.yaml").write_text(
            f"experiment: x\ntask: generate\nmodel: {cards}/musicgen.yaml\n"
            'prompts: { text: "{taste} music" }\ntastes: [sweet, bitter, sour, salty]\n'
            f"draws: {args.draws}\nduration_s: {args.seconds}\n"
            f"arms: [{{ name: base, model: {cards}/clap-base.yaml }}, {{ name: fused, model: {cards}/clap-fused.yaml }}]\n"
        )

        def call(*words):
            before = time.monotonic()
            ended = subprocess.run([harness, *words, "--offline"], cwd=work, capture_output=True, text=True)
            if ended.returncode != 0:
                sys.exit(f"harness {' '.join(words)}: {ended.stderr}")
            return time.monotonic() - before

        # Batches of one size, so that only the cutting differs.
        share = lambda which, out, *more: call("run", "x.yaml", "--shard", which, "--out", out, "--batch", str(few), *more)
        call("prepare", "x.yaml")
        overheads = []
        for _ in range(args.rounds):
            for out in ("whole", "few", "cut"):
                shutil.rmtree(Path(work, out), ignore_errors=True)
            whole = share("1/1", "whole")
            small = share("1/1", "few", "--limit", str(few))
            shares = sum(share(f"{i}/{args.shards}", "cut") for i in range(1, args.shards + 1))
            put_together = call("run", "x.yaml", "--no-compute", "--out", "cut")
            piece = (whole - small) / (pieces - few)
            load = small - few * piece
            overheads.append((shares - whole - (args.shards - 1) * load) / (pieces * piece))
            print(
                f"whole {whole:.1f} s, {few} pieces {small:.1f} s: {piece:.2f} s a piece, {load:.1f} s a process; "
                f"{args.shards} shares {shares:.1f} s, overhead {100 * overheads[-1]:.1f} %; put together with every result {put_together:.1f} s",
                flush=True,
            )
        print(f"{pieces} pieces of {args.seconds} s in {args.shards} shares: overhead {100 * statistics.median(overheads):.1f} %")


if __name__ == "__main__":
    main()
