"""What is measured on a card, the most valuable first: a function a step, which tells its figures as they come."""
from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import npy
from results import Clock, Results, StepError, run

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ("bitter music, ambient for fine restaurant", "sweet music, ambient for fine restaurant",
           "sour music, ambient for fine restaurant", "salty music, ambient for fine restaurant")
SCORES = 0.01
"""Largest change of a score between precisions."""


@dataclass
class Bench:
    """What the steps share."""

    harness: Path
    ep: str
    precisions: tuple[str, ...]
    """Beside fp32."""
    out: Path
    models: Path
    """Folder of cards."""
    musicgen: str
    pieces: tuple[int, ...]
    durations_s: tuple[float, ...]
    results: Results

    def generate(self, name: str, clock: Clock, count: int, *more: str) -> tuple[float, Path]:
        """Seconds that `count` pieces took from start to exit, and their folder."""
        prompts, folder = self.out / f"{name}.txt", self.out / name
        prompts.write_text("".join(f"{PROMPTS[i % len(PROMPTS)]}\n" for i in range(count)))
        shutil.rmtree(folder, ignore_errors=True)
        seconds, _ = run([self.harness, "generate", "--model", self.musicgen, "--models", self.models, "--offline",
                          "--prompts", prompts, "--out", folder, *more], clock)
        return seconds, folder

    def experiment(self, experiment: str, name: str, clock: Clock, *more: str) -> Path:
        """The folder of the demo's run of `experiment`."""
        folder = self.out / name
        shutil.rmtree(folder, ignore_errors=True)
        run([self.harness, "run", ROOT / f"experiments/{experiment}.yaml", "--demo", "--offline", "--out", folder, *more], clock)
        return folder

    def scored(self, ep: str, precision: str, clock: Clock) -> Path:
        """The same pieces, which the CPU made, under the demo's three CLAP checkpoints."""
        return self.experiment("weights", f"scores-{ep}-{precision}", clock, "--ep", ep, "--precision", precision, "--set",
                               f"audio.from={self.out / 'pieces'}")


def providers(bench: Bench, step: str, clock: Clock) -> None:
    """(a) Every graph of the demo runs."""
    seconds, said = run([bench.harness, "providers", "--check", "--ep", bench.ep], clock)
    bench.results.tell_of(step, seconds=seconds, said=said.splitlines())


def parity(bench: Bench, step: str, clock: Clock) -> None:
    """(b) fp32 beside the CPU: greedy codes, and embeddings of the same pieces."""
    more = ("--greedy", "--save-codes", "--duration", str(min(bench.durations_s)))
    folders = [bench.generate(f"greedy-{ep}", clock, 4, "--ep", ep, *more)[1] for ep in ("cpu", bench.ep)]
    files = sorted(file.name for file in folders[0].glob("*.npy"))
    if len(files) != 4:
        raise StepError(f"{folders[0]} holds {len(files)} files of codes, not 4")
    differ = sum(npy.read(folders[0] / name) != npy.read(folders[1] / name) for name in files)
    bench.results.tell_of(step, pieces_whose_greedy_codes_differ=differ, pieces=len(files))
    bench.experiment("gen_spanio_base", "pieces", clock)
    made = bench.scored("cpu", "fp32", clock)
    here = bench.scored(bench.ep, "fp32", clock)
    for file in ("embeddings.npy", "text_embeddings.npy"):
        bench.results.tell_of(step, **{file: {
            "lowest_cosine": npy.lowest_cosine(made / file, here / file),
            "largest_difference": npy.largest_difference(made / file, here / file)}})
    if differ:
        raise StepError(f"the greedy codes of {differ} of {len(files)} pieces differ from the CPU's")


def precisions(bench: Bench, step: str, clock: Clock) -> None:
    """(c) The other precisions beside fp32 on the CPU."""
    made = bench.out / "scores-cpu-fp32"
    if not (made / "embeddings.npy").is_file():
        raise StepError("step parity left no scores to compare with")
    for precision in bench.precisions:
        here = bench.scored(bench.ep, precision, clock)
        bench.results.tell_of(step, **{precision: {file: npy.lowest_cosine(made / file, here / file)
                                                   for file in ("embeddings.npy", "text_embeddings.npy")}})
        run([bench.harness, "diff", made, here, "--tolerance", str(SCORES)], clock)


def speed(bench: Bench, step: str, clock: Clock) -> None:
    """(d) Seconds of so many pieces of such a length, from start to exit, in every precision."""
    for precision in (*bench.precisions, "fp32"):
        for duration_s in bench.durations_s:
            for count in bench.pieces:
                seconds, _ = bench.generate("speed", clock, count, "--ep", bench.ep, "--precision", precision, "--duration",
                                            str(duration_s))
                bench.results.tell_of(step, **{f"{count} pieces of {duration_s} s, {precision}": {
                    "seconds": seconds, "times_real_time": count * duration_s / seconds}})


STEPS = {"providers": (providers, 60), "parity": (parity, 120), "precisions": (precisions, 120), "speed": (speed, 300)}
"""By name: what it does, and its seconds."""


def environment(bench: Bench) -> dict:
    """What the figures belong to."""
    clock = Clock(30)
    told = {"cpus": os.cpu_count(), "ep": bench.ep, "harness": run([bench.harness, "--version"], clock)[1].strip()}
    if shutil.which("nvidia-smi"):
        query = "--query-gpu=name,driver_version,memory.total,memory.free"
        told["gpus"] = run(["nvidia-smi", query, "--format=csv,noheader"], clock)[1].splitlines()
    return told
