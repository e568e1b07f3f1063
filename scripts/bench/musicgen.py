"""Compare `harness generate` and `harness export` with transformers' MusicGen: same machine, same run, alternating.

    python scripts/bench/musicgen.py --model FOLDER --harness target/release/harness

FOLDER is a MusicgenForConditionalGeneration of full size with its tokenizer.json; weights may be random. Without --harness
only transformers is measured. README.md says what is printed.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import re
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import inputs
import measure

PIECES = 8
PROMPTS = [f"{taste} music, {place}" for place in ("ambient for fine restaurant", "slow and gentle")
           for taste in ("bitter", "salty", "sour", "sweet")]
PROBE_STEPS = 24  # tells transformers' two kinds of attention apart
LONG_S = 29.92  # the notebooks' pieces
EARLY_STEPS = 64


@dataclass(frozen=True)
class Phases:
    """Where `harness generate` spent its time, in seconds."""

    load: float
    text: float
    decoder: float
    steps: int
    codec: float


def phases(notes: str) -> Phases:
    """From the last line that the command leaves on standard error."""
    number = r"([0-9.]+)"
    found = re.search(rf"loading {number} s, text {number} s, decoder {number} s \((\d+) steps of {number} ms\), codec {number} s",
                      notes)
    if not found:
        raise ValueError(f"no times in what `harness generate` said:\n{notes[-500:]}")
    load, text, decoder, steps, step_ms, codec = found.groups()
    # the milliseconds of a step have more digits than the seconds of all
    return Phases(float(load), float(text), int(steps) * float(step_ms) / 1e3, int(steps), float(codec))


class Bench:
    """The set-up that all parts share, and everything measured, by name."""

    def __init__(self, args: argparse.Namespace, folder: Path):
        self.args, self.folder = args, folder
        config = json.loads((args.model / "config.json").read_text())
        codec, self.codebooks = config["audio_encoder"], config["decoder"]["num_codebooks"]
        self.frame_rate = codec["sampling_rate"] / math.prod(codec["upsampling_ratios"])
        self.tokenizer = args.tokenizer or args.model / "tokenizer.json"
        self.models = folder / "models"
        self.card = inputs.write_card(self.models, "musicgen", args.model, self.tokenizer)
        self.bytes = sum(p.stat().st_size for p in args.model.glob("*.safetensors"))
        self.runs = 0
        self.results: dict = {}

    def tokens(self, seconds: float) -> int:
        """Steps of the decoder for a piece of `seconds`: the last codebook ends `codebooks - 1` steps after the first."""
        return round(seconds * self.frame_rate) + self.codebooks - 1

    def peer(self, attention: str) -> measure.Peer:
        return measure.Peer("musicgen_peer.py", ["--model", self.args.model, "--tokenizer", self.tokenizer, "--threads",
                                                 self.args.threads, "--attention", attention])

    def export(self, models: Path) -> measure.Usage:
        return measure.run([self.args.harness, "export", self.card, "--models", models])

    def generate(self, pieces: int, *length) -> measure.Usage:
        """Make `pieces` pieces in one batch, in a folder of their own."""
        self.runs += 1
        prompts = inputs.write_lines(self.folder / f"prompts_{self.runs}.txt", PROMPTS[:pieces])
        return measure.run([self.args.harness, "generate", "--model", self.card, "--models", self.models, "--threads",
                            self.args.threads, "--batch", pieces, "--prompts", prompts, *length, "--seed", self.runs, "--out",
                            self.folder / f"pieces_{self.runs}"])

    def note(self, name: str, value: float, text: str) -> None:
        self.results[name] = value
        print(f"{name}: {text}", flush=True)

    def spread(self, name: str, seconds: list[float], more: str = "") -> None:
        mid = statistics.median(seconds)
        self.note(name, mid, f"{mid:.2f} s ({min(seconds):.2f} to {max(seconds):.2f}){more}")

    def ratio(self, name: str, ours: list[float], theirs: list[float], bar: float) -> None:
        mid, low, high = measure.ratio(ours, theirs)
        self.note(name, mid, f"harness is {mid:.2f} x transformers ({low:.2f} to {high:.2f}); bar {bar}"
                             f"{'' if mid >= bar else ', MISSED'}")


def faster_attention(bench: Bench) -> str:
    """Of transformers' two, the one that makes a batch faster here."""
    if bench.args.attention:
        return bench.args.attention
    taken = {}
    for attention in ("sdpa", "eager"):
        peer = bench.peer(attention)
        taken[attention] = min(peer.ask(do="generate", prompts=PROMPTS, batch=0, tokens=PROBE_STEPS) for _ in range(2))
        peer.close()
    best = min(taken, key=taken.get)
    print(f"transformers: {best} attention, {PROBE_STEPS} steps of {PIECES} pieces in {taken[best]:.1f} s; "
          + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in taken.items() if name != best), flush=True)
    return best


def pieces(bench: Bench) -> None:
    """Eight pieces and one, and the codec alone."""
    args, tokens = bench.args, bench.tokens(bench.args.seconds)
    alone = PIECES if args.full else 1  # pieces that transformers makes one at a time
    frames = tokens - bench.codebooks + 1
    theirs: dict[str, list[float]] = {"one at a time": [], "one batch": [], "one piece": [], "codec": []}
    ours: dict[str, list[float]] = {"eight": [], "one": [], "codec": [], "eight, whole process": [], "one, whole process": []}
    peer = bench.peer(faster_attention(bench))
    for i in range(args.rounds):
        def peer_turn():
            theirs["one batch"].append(peer.ask(do="generate", prompts=PROMPTS, batch=0, tokens=tokens))
            each = peer.ask(do="generate", prompts=PROMPTS[:alone], batch=1, tokens=tokens) / alone
            theirs["one piece"].append(each)
            theirs["one at a time"].append(each * PIECES)
            theirs["codec"].append(min(peer.ask(do="codec", pieces=PIECES, frames=frames, batch=batch) for batch in (1, 0)))

        def our_turn():
            for name, count in (("eight", PIECES), ("one", 1)):
                run = bench.generate(count, "--max-new-tokens", tokens)
                spent = phases(run.notes)
                ours[f"{name}, whole process"].append(run.seconds)
                ours[name].append(run.seconds - spent.load)  # transformers' model is loaded before its clock starts
                if count == PIECES:
                    ours["codec"].append(spent.codec)
                print(f"harness, {count} of {args.seconds} s: text {spent.text:.2f} s, {spent.steps} steps of "
                      f"{1e3 * spent.decoder / spent.steps:.1f} ms, codec {spent.codec:.2f} s, loading {spent.load:.2f} s, "
                      f"peak {run.peak_rss_bytes / 1e6:.0f} MB", flush=True)

        turns = [peer_turn] + ([our_turn] if args.harness else [])
        for turn in turns if i % 2 == 0 else reversed(turns):  # whoever is first finds a cooler machine
            turn()
    peak = peer.close()
    for name, seconds in theirs.items():
        scaled = "; one piece times 8" if name == "one at a time" and alone == 1 else ""
        bench.spread(f"transformers, {name}", seconds, scaled)
    print(f"transformers: peak {peak / 1e6:.0f} MB", flush=True)
    if not args.harness:
        return
    for name, seconds in ours.items():
        bench.spread(f"harness, {name}", seconds)
    bench.ratio("8 pieces to one at a time", ours["eight"], theirs["one at a time"], 4.0)
    bench.ratio("8 pieces to one batch", ours["eight"], theirs["one batch"], 1.8)
    bench.ratio("1 piece", ours["one"], theirs["one piece"], 1.4)
    bench.ratio("codec of 8 pieces", ours["codec"], theirs["codec"], 4.0)


def long(bench: Bench) -> None:
    """Eight of the longest pieces: memory, and what a step costs when the caches are full."""
    tokens = bench.tokens(LONG_S)
    early = phases(bench.generate(PIECES, "--max-new-tokens", EARLY_STEPS).notes)
    whole = bench.generate(PIECES, "--max-new-tokens", tokens)
    late = phases(whole.notes)
    gib = whole.peak_rss_bytes / 2**30
    bench.note("memory", gib, f"peak {gib:.2f} GiB with {PIECES} pieces of {LONG_S} s; bar 9{'' if gib < 9 else ', MISSED'}")
    # A step reads what the steps before it left, so its cost is a line: from the means over two lengths.
    means = [run.decoder / run.steps for run in (early, late)]
    slope = (means[1] - means[0]) / ((late.steps - early.steps) / 2)
    first = means[0] - slope * (early.steps - 1) / 2
    growth = (first + 1400 * slope) / first
    bench.note("step 1400 to step 1", growth,
               f"{1e3 * (first + 1400 * slope):.0f} ms to {1e3 * first:.0f} ms, {growth:.2f} times, {2 * PIECES} rows, by a line "
               f"through means of {1e3 * means[0]:.1f} ms over {early.steps} steps and {1e3 * means[1]:.1f} ms over {late.steps}; "
               f"bar 3.2{'' if growth <= 3.2 else ', MISSED'}")


def export(bench: Bench) -> None:
    runs = [bench.export(bench.folder / f"export{i}") for i in range(bench.args.rounds)]
    bench.spread("export", [r.seconds for r in runs], "; bar 30")
    peak = max(r.peak_rss_bytes for r in runs) / bench.bytes
    bench.note("export: memory", peak, f"peak {peak:.2f} x the checkpoint's {bench.bytes / 1e6:.0f} MB, of which {peak - 1:.2f} x "
                                       "beyond it; bar 1.3 x beyond it")


def start(bench: Bench) -> None:
    runs = [bench.generate(1, "--max-new-tokens", bench.codebooks).seconds for _ in range(bench.args.rounds)]
    bench.spread("start", runs, f"; {bench.codebooks} steps, the codec and the end of the process are in; bar 4")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", type=Path, required=True, help="folder of a full-size checkpoint")
    ap.add_argument("--tokenizer", type=Path, help="default: tokenizer.json in that folder")
    ap.add_argument("--harness", type=Path, help="the binary; without it only transformers is measured")
    ap.add_argument("--attention", choices=["sdpa", "eager"], help="transformers' (default: whichever is faster)")
    ap.add_argument("--threads", type=int, default=os.cpu_count(), help="for both sides (default: all CPUs)")
    ap.add_argument("--seconds", type=float, default=10.0, help="of the pieces that are compared")
    ap.add_argument("--rounds", type=int, default=1)
    ap.add_argument("--full", action="store_true",
                    help="transformers makes all eight pieces one at a time, not one of them for a product")
    parts = {"pieces": pieces, "long": long, "export": export, "start": start}
    ap.add_argument("--parts", nargs="+", default=list(parts), choices=parts)
    ap.add_argument("--json", type=Path, help="write every figure here too")
    args = ap.parse_args()
    if args.harness:
        args.harness = args.harness.resolve()
    elif "pieces" not in args.parts:
        ap.error("without --harness there is only the part pieces")

    with tempfile.TemporaryDirectory() as tmp:
        bench = Bench(args, Path(tmp))
        print(f"{measure.machine()}; {args.threads} threads a side, rounds {args.rounds}; {args.model.name}, "
              f"{bench.bytes / 1e6:.0f} MB", flush=True)
        if args.harness:
            bench.export(bench.models)  # the graphs exist from here on
        for part in args.parts:
            if args.harness or part == "pieces":
                parts[part](bench)
        if args.json:
            args.json.write_text(json.dumps({"machine": measure.machine(), **bench.results}, indent=2))


if __name__ == "__main__":
    main()
