"""What is measured on a card, the most valuable first: a function a step, which tells its figures as they come."""
from __future__ import annotations

import array
import csv
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import wave
from dataclasses import dataclass
from pathlib import Path

import npy
from results import Clock, NotHere, Results, StepError, run

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ("bitter music, ambient for fine restaurant", "sweet music, ambient for fine restaurant",
           "sour music, ambient for fine restaurant", "salty music, ambient for fine restaurant")
KERNELS = {"": {}, ", sums of products in fp32": {"ORT_CUDA_GEMM_OPTIONS": "2"},
           ", attention unfused": dict.fromkeys(("ORT_DISABLE_FLASH_ATTENTION", "ORT_DISABLE_TRT_FLASH_ATTENTION",
                                                 "ORT_DISABLE_FUSED_ATTENTION", "ORT_DISABLE_MEMORY_EFFICIENT_ATTENTION"), "1")}
"""Ways of ONNX Runtime to compute the same in half precision, to tell which of its kernels loses how much."""
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
    clips: int
    """Of 10 s, for CLAP."""
    results: Results
    trace: Path | None = None
    """What trace.c was compiled to."""
    making: subprocess.Popen | None = None
    """full_size.py at work, beside the first steps."""

    @property
    def full_size(self) -> Path:
        return self.out / "full_size"

    def take_full_size(self, clock: Clock) -> None:
        """From now on, work with the checkpoints of full size that were made meanwhile."""
        if self.making is None:
            raise NotHere("PyTorch and transformers, which make checkpoints of full size")
        try:
            said, _ = self.making.communicate(timeout=clock.left())
        except subprocess.TimeoutExpired:
            raise StepError("checkpoints of full size took longer to make than the step's seconds") from None
        if self.making.returncode:
            raise StepError(f"full_size.py ended with {self.making.returncode}: {said.strip().splitlines()[-1:]}")
        self.models, self.musicgen = self.full_size / "models", "musicgen"

    def embed(self, card: str, clock: Clock, audio: Path, ep: str, precision: str,
              **variables: str) -> tuple[float, dict[str, list[float]]]:
        """Seconds from start to exit, and the embeddings of every file by its name."""
        out = self.out / f"{card}-{ep}-{precision}.csv"
        seconds, _ = run([self.harness, "embed", "--model", card, "--models", self.models, "--offline", "--audio", audio, "--ep", ep,
                          "--precision", precision, "--out", out], clock, **variables)
        with out.open(newline="") as rows:
            return seconds, {row["id"]: json.loads(row["embedding"]) for row in csv.DictReader(rows)}

    def generate(self, name: str, clock: Clock, count: int, *more: str, **variables: str) -> tuple[float, Path]:
        """Seconds that `count` pieces took from start to exit, and their folder."""
        prompts, folder = self.out / f"{name}.txt", self.out / name
        prompts.write_text("".join(f"{PROMPTS[i % len(PROMPTS)]}\n" for i in range(count)))
        shutil.rmtree(folder, ignore_errors=True)
        seconds, _ = run([self.harness, "generate", "--model", self.musicgen, "--models", self.models, "--offline",
                          "--prompts", prompts, "--out", folder, *more], clock, **variables)
        return seconds, folder

    def half(self) -> tuple[str, ...]:
        return ("--precision", self.precisions[0]) if self.ep != "cpu" and self.precisions else ()

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


def full_size(bench: Bench, step: str, clock: Clock) -> None:
    """(b, c) Checkpoints of full size beside the CPU: greedy codes of one piece, and embeddings in every precision."""
    bench.take_full_size(clock)
    more = ("--greedy", "--save-codes", "--duration", "2")
    folders = [bench.generate(f"full-{ep}", clock, 1, "--ep", ep, *more)[1] for ep in ("cpu", bench.ep)]
    codes = [[npy.read(file) for file in sorted(folder.glob("*.npy"))] for folder in folders]
    bench.results.tell_of(step, greedy_codes_are_equal=bool(codes[0]) and codes[0] == codes[1])
    sounds = noise(bench.out / "noise", 8)
    for card in ("clap-base", "clap-fused"):
        _, made = bench.embed(card, clock, sounds, "cpu", "fp32")
        for precision in ("fp32", *bench.precisions):
            for name, variables in KERNELS.items() if precision == bench.precisions[0] else [("", {})]:
                _, here = bench.embed(card, clock, sounds, bench.ep, precision, **variables)
                if made.keys() != here.keys() or not made:
                    raise StepError(f"{card} has embeddings of {len(made)} files on the CPU and of {len(here)} here")
                cosines = [sum(a * b for a, b in zip(made[file], here[file])) for file in made]
                bench.results.tell_of(step, **{f"{card}, {precision}{name}: lowest cosine": min(cosines)})


def noise(folder: Path, count: int) -> Path:
    """A folder of `count` WAV files of 10 s at 48 kHz."""
    folder.mkdir(exist_ok=True)
    numbers = random.Random(1)
    for clip in range(count):
        values = array.array("h", numbers.randbytes(2 * 480_000))
        with wave.open(str(folder / f"{clip:04}.wav"), "wb") as file:
            file.setparams((1, 2, 48_000, len(values), "NONE", "not compressed"))
            file.writeframes(values.tobytes())
    return folder


def clap(bench: Bench, step: str, clock: Clock) -> None:
    """(d) CLAP clips a second, from start to the CSV."""
    card = "clap-base" if bench.musicgen == "musicgen" else "630k-audioset-best"
    sounds = noise(bench.out / "clips", bench.clips)
    for precision in (*bench.precisions, "fp32"):
        seconds, embeddings = bench.embed(card, clock, sounds, bench.ep, precision)
        bench.results.tell_of(step, **{f"{card}, {precision}": {"seconds": seconds, "clips": len(embeddings),
                                                               "clips_a_second": len(embeddings) / seconds}})


def peer(bench: Bench, step: str, clock: Clock) -> None:
    """(e) The same by transformers."""
    if bench.making is None:
        raise NotHere("PyTorch and transformers")
    program = [sys.executable, ROOT / "scripts/gpu/peer.py"]
    dtype = ("--dtype", "float32" if bench.ep == "cpu" else "float16")
    steps = str(round(min(bench.durations_s) * 50) + 3)
    musicgen = ("musicgen", bench.full_size / "musicgen", "--tokenizer", bench.full_size / "tokenizers/musicgen/tokenizer.json",
                "--steps", steps, *dtype)
    of = {"one": (*musicgen, "--pieces", "1"),
          "clap": ("clap", bench.full_size / "clap-base", "--audio", bench.out / "clips", "--batch", str(min(64, bench.clips)), *dtype),
          "many": (*musicgen, "--pieces", str(bench.pieces[-1] if len(bench.pieces) < 3 else bench.pieces[2])),
          "one, compiled over a static cache": (*musicgen, "--pieces", "1", "--static")}
    failed = []
    for name, more in of.items():
        try:
            _, said = run([*program, *more], clock)
        except StepError as error:
            said = error.said
            failed.append(f"{name}: {error}")
        figures = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        bench.results.tell_of(step, **{name: figures})
    if failed:
        raise StepError("; ".join(failed))


def trace(bench: Bench, step: str, clock: Clock) -> None:
    """(f) Kernels and copies of one piece."""
    if bench.trace is None:
        raise NotHere("what trace.c compiles to; name it with --trace")
    out, library = bench.out / "kernels.json", str(bench.trace)
    bench.generate("traced", clock, 1, "--ep", bench.ep, *bench.half(), "--duration", "4", CUDA_INJECTION64_PATH=library,
                   LD_PRELOAD=library, TRACE=str(out))
    told = json.loads(out.read_text())
    rows = sorted(told["rows"], key=lambda row: -row[2])[:24]
    bench.results.tell_of(step, span_s=told["span_ns"] / 1e9, busy_s=told["busy_ns"] / 1e9,
                          kernels_and_copies=sum(row[1] for row in told["rows"]),
                          largest=[{"name": name, "number": count, "ms": ns / 1e6} for name, count, ns, *_ in rows])


def graphs(bench: Bench, step: str, clock: Clock) -> None:
    """(g) The step as one CUDA graph, and kernel by kernel."""
    for recorded in ("1", "0"):
        seconds, _ = bench.generate("recorded", clock, 1, "--ep", bench.ep, *bench.half(), "--duration", str(min(bench.durations_s)),
                                    HARNESS_CUDA_GRAPH=recorded)
        bench.results.tell_of(step, **{f"HARNESS_CUDA_GRAPH={recorded}": {"seconds": seconds}})


def bad_input(bench: Bench, step: str, clock: Clock) -> None:
    """What a machine may have wrong: each is one line, and nothing is left behind."""
    told = {"device 7": (("--device", "7"), {}), "half a library": ((), {"ORT_DYLIB_PATH": str(half_a_library(bench, clock))})}
    if bench.ep == "cuda":
        told |= {"no device is shown": ((), {"CUDA_VISIBLE_DEVICES": ""}), "a device that is gone": ((), {"CUDA_VISIBLE_DEVICES": "9"})}
    wrong = []
    for name, (more, variables) in told.items():
        try:
            bench.generate("refused", clock, 1, "--ep", bench.ep, "--duration", "1", *more, **variables)
            wrong.append(f"{name} is not refused")
        except StepError as error:
            errors = [line for line in error.said.splitlines() if line.startswith("error: ")]
            bench.results.tell_of(step, **{name: errors})
            if len(errors) != 1 or (bench.out / "refused").exists():
                wrong.append(f"{name}: {len(errors)} errors, and files are {'' if (bench.out / 'refused').exists() else 'not '}left")
    if wrong:
        raise StepError("; ".join(wrong))


def half_a_library(bench: Bench, clock: Clock) -> Path:
    """The first half of the ONNX Runtime that is in use."""
    _, said = run([bench.harness, "setup", "--ep", bench.ep], clock)
    library = Path(next(line for line in said.splitlines() if ": ONNX Runtime " in line).split(" at ", 1)[1])
    half = bench.out / "half.so"
    half.write_bytes(library.read_bytes()[:library.stat().st_size // 2])
    return half


def full_card(bench: Bench, step: str, clock: Clock) -> None:
    """A card whose memory another process holds, but for 2 GB and for 200 MB."""
    if bench.ep != "cuda" or not can_make_full_size():
        raise NotHere("a card, and PyTorch to fill it")
    for left_mb in (2000, 200):
        code = ("import sys, torch; free, _ = torch.cuda.mem_get_info(); held = torch.empty(free - int(sys.argv[1]), "
                "dtype=torch.uint8, device='cuda'); print('full', flush=True); sys.stdin.read()")
        with subprocess.Popen([sys.executable, "-c", code, str(left_mb * 1_000_000)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as holder:
            try:
                holder.stdout.readline()
                seconds, _ = bench.generate("full", clock, 8, "--ep", bench.ep, *bench.half(), "--duration", "4")
                bench.results.tell_of(step, **{f"{left_mb} MB left": {"seconds": seconds}})
            except StepError as error:
                errors = [line for line in error.said.splitlines() if line.startswith("error: ")]
                bench.results.tell_of(step, **{f"{left_mb} MB left": errors})
                if len(errors) != 1:
                    raise
            finally:
                holder.kill()


def can_make_full_size() -> bool:
    return all(importlib.util.find_spec(module) for module in ("torch", "transformers", "safetensors", "tokenizers"))


STEPS = {"providers": (providers, 60), "parity": (parity, 120), "precisions": (precisions, 120), "full_size": (full_size, 150),
         "speed": (speed, 300), "clap": (clap, 90), "peer": (peer, 180), "trace": (trace, 30), "graphs": (graphs, 30),
         "bad_input": (bad_input, 30), "full_card": (full_card, 60)}
"""By name: what it does, and its seconds."""


def environment(bench: Bench) -> dict:
    """What the figures belong to."""
    clock = Clock(30)
    told = {"cpus": os.cpu_count(), "ep": bench.ep, "harness": run([bench.harness, "--version"], clock)[1].strip()}
    if shutil.which("nvidia-smi"):
        query = "--query-gpu=name,driver_version,memory.total,memory.free"
        told["gpus"] = run(["nvidia-smi", query, "--format=csv,noheader"], clock)[1].splitlines()
    return told
