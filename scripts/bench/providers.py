"""Speed by provider and precision, beside laion_clap and transformers in fp32: same machine, same run, both sides in turn.

    python scripts/bench/providers.py --harness target/release/harness --ckpt DIR --captions musiccaps-public.csv

DIR holds full-size random weights (laion_unfused_base.pt, roberta_tokenizer/tokenizer.json, musicgen). The harness is given nothing
but --ep and --precision. README.md says what is printed.
"""
from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import tempfile
from pathlib import Path

import numpy as np

import agreement
import inputs
import measure
from musicgen import PROMPTS, phases
from pairs import REFERENCE, Pair, refusal

CPU_INT8, OV_FP32, OV_BF16 = Pair("cpu", "int8"), Pair("openvino", "fp32"), Pair("openvino", "bf16")
PAIRS = [REFERENCE, CPU_INT8, OV_FP32, OV_BF16]
AUDIO_BARS = {OV_BF16: 5.0, REFERENCE: 1.8, CPU_INT8: 2.5}
TEXT_BAR = 6.0  # of the best pair
EIGHT_BAR, ONE_BAR = 8.0, 2.5
LOAD_BAR_S = 2.0
COSINE_BAR = 0.999
SHORT_S = 0.5  # a piece of the warm-up


class Bench:
    """The set-up that all parts share, every figure by name, and the lines of the table."""

    def __init__(self, args: argparse.Namespace, folder: Path):
        self.args, self.folder = args, folder
        self.models = args.models or folder / "models"
        self.clap_checkpoint, self.musicgen = args.ckpt / args.file, args.ckpt / "musicgen"
        self.roberta = args.tokenizer or args.ckpt / "roberta_tokenizer/tokenizer.json"
        self.t5 = self.musicgen / "tokenizer.json"
        self.cards = {
            "clap": inputs.write_card(folder / "clap", "clap", self.clap_checkpoint, self.roberta,
                                      "architecture: { fusion: false }"),
            "musicgen": inputs.write_card(folder / "musicgen", "musicgen", self.musicgen, self.t5)}
        self.results: dict = {}
        self.rows: list[tuple[str, str, str, str, str]] = []
        self.failures = 0
        self.runs = 0

    def harness(self, command: str, card: str, pair: Pair, *arguments) -> measure.Usage:
        return measure.run([self.args.harness, command, "--model", self.cards[card], "--models", self.models, "--threads",
                            self.args.threads, *pair.flags(), *arguments])

    def embed(self, pair: Pair, *what) -> tuple[measure.Usage, Path]:
        out = self.folder / "embeddings.csv"
        return self.harness("embed", "clap", pair, *what, "--out", out), out

    def generate(self, pair: Pair, count: int, seconds: float) -> measure.Usage:
        self.runs += 1
        prompts = inputs.write_lines(self.folder / f"{count}.txt", [PROMPTS[i % len(PROMPTS)] for i in range(count)])
        # a folder of its own: what is finished is not made again
        return self.harness("generate", "musicgen", pair, "--prompts", prompts, "--duration", seconds, "--out",
                            self.folder / f"pieces{self.runs}")

    def laion(self) -> measure.Peer:
        more = ["--laion-path", self.args.laion_path] if self.args.laion_path else []
        return measure.Peer("laion_peer.py", ["--ckpt", self.clap_checkpoint, "--tokenizer", self.roberta, "--amodel",
                                              self.args.amodel, "--threads", self.args.threads, *more])

    def transformers(self) -> measure.Peer:
        return measure.Peer("musicgen_peer.py", ["--model", self.musicgen, "--tokenizer", self.t5, "--threads",
                                                 self.args.threads, "--attention", self.args.attention])

    def ready(self, what: str, pairs: list[Pair], warm_up) -> list[Pair]:
        """The pairs that ran once: graphs are exported and compiled from here on, and the library is installed."""
        ready = []
        for pair in pairs:
            try:
                warm_up(pair)
                ready.append(pair)
            except RuntimeError as error:
                self.failures += 1
                self.row(f"{what}, {pair}", "", f"failed: {refusal(error)}", "", "")
        return ready

    def in_turn(self, turns: list) -> None:
        """Every round in the other order: whoever is first finds a cooler machine."""
        for i in range(self.args.rounds):
            for turn in turns if i % 2 == 0 else reversed(turns):
                turn()

    def row(self, what: str, peer: str, ours: str, ratio: str, bar: str) -> None:
        self.rows.append((what, peer, ours, ratio, bar))
        print(" | ".join((what, peer, ours, ratio, bar)), flush=True)

    def compare(self, name: str, ours: list[float], theirs: list[float], per: int, unit: str, bar: float | None,
                note: str = "", peer_note: str = "") -> None:
        """One line: medians of `per` things in `unit`, and the ratio pair by pair."""
        mid, low, high = measure.ratio(ours, theirs)
        self.results[name] = {"ours_s": ours, "theirs_s": theirs, "ratio": mid, "bar": bar}
        each = lambda seconds: f"{spread([s / per for s in seconds])} {unit}".rstrip()
        missed = ", **missed**" if bar and mid < bar else ""
        self.row(name, each(theirs) + peer_note, each(ours) + note, f"{mid:.2f} ({low:.2f} to {high:.2f})",
                 f"{bar:g}{missed}" if bar else "")

    def table(self) -> str:
        head = "| | fp32 peer | harness | ratio | bar |\n| --- | --- | --- | --- | --- |\n"
        return head + "".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |\n" for row in self.rows)


def spread(seconds: list[float]) -> str:
    """The median, and the lowest and highest where there are several; in ms below a second."""
    scale, digits, unit = (1e3, 1, " ms") if statistics.median(seconds) < 1.0 else (1.0, 2, " s")
    figure = lambda s: f"{scale * s:.{digits}f}"
    several = f" ({figure(min(seconds))} to {figure(max(seconds))})" if len(seconds) > 1 else ""
    return f"{figure(statistics.median(seconds))}{unit}{several}"


class Steady:
    """What each further item costs `harness embed`: a run on many less one on few."""

    def __init__(self, bench: Bench, flag: str, many: Path, few: Path, count: int, count_few: int):
        self.bench, self.flag, self.many, self.few = bench, flag, many, few
        self.scale = count / (count - count_few)

    def seconds(self, pair: Pair) -> float:
        whole = self.bench.embed(pair, self.flag, self.many)[0].seconds
        return max(whole - self.bench.embed(pair, self.flag, self.few)[0].seconds, 1e-9) * self.scale


def embedded(bench: Bench, what: str, unit: str, steady: Steady, ids: list[str], count: int, ask, bars: dict) -> None:
    """Rates of every pair and of laion_clap, and how far each pair's embeddings are from laion_clap's."""
    peer = bench.laion()
    reference = bench.folder / "peer.npy"
    ask(peer, save=str(reference))
    theirs_all = np.load(reference)
    lowest: dict[Pair, float] = {}

    def warm_up(pair: Pair) -> None:
        ours = inputs.read_embeddings(bench.embed(pair, steady.flag, steady.many)[1])
        lowest[pair] = float(agreement.cosines(np.array([ours[i] for i in ids]), theirs_all).min())
        bench.embed(pair, steady.flag, steady.few)

    ready = bench.ready(what, bench.args.pairs, warm_up)
    theirs: list[float] = []
    ours: dict[Pair, list[float]] = {pair: [] for pair in ready}
    turns = [lambda: theirs.append(ask(peer)), *((lambda pair=pair: ours[pair].append(steady.seconds(pair))) for pair in ready)]
    bench.in_turn(turns)
    peer.close()
    ratios = {pair: measure.ratio(ours[pair], theirs)[0] for pair in ready}
    best = max(ratios, key=ratios.get, default=None)
    for pair in ready:
        bar = bars.get(pair) if bars else (TEXT_BAR if pair == best else None)
        good = "" if lowest[pair] > COSINE_BAR else ", **missed**"
        bench.compare(f"{what}, {pair}", ours[pair], theirs, count, unit, bar,
                      f"; lowest cosine to laion_clap {lowest[pair]:.5f}{good}")
        bench.results[f"{what}, {pair}"]["cosine_lowest"] = lowest[pair]


def audio(bench: Bench) -> None:
    count, few = bench.args.clips, bench.args.few
    clips = inputs.write_clips(bench.folder / "clips", count)
    some = bench.folder / "few_clips"
    some.mkdir()
    for clip in clips[:few]:
        (some / clip.name).symlink_to(clip)
    files = [str(clip) for clip in clips]
    ask = lambda peer, **more: peer.ask(do="audio_files", files=files, batch=8, **more)
    steady = Steady(bench, "--audio", clips[0].parent, some, count, few)
    embedded(bench, "audio", "a clip", steady, [clip.stem for clip in clips], count, ask, AUDIO_BARS)


def text(bench: Bench) -> None:
    count, few = bench.args.texts, bench.args.few
    captions = inputs.read_captions(bench.args.captions, count)
    print("text:", inputs.token_lengths(bench.roberta, captions), flush=True)
    many = inputs.write_lines(bench.folder / "captions.txt", captions)
    some = inputs.write_lines(bench.folder / "few_captions.txt", captions[:few])
    ask = lambda peer, **more: peer.ask(do="text", texts=captions, batch=bench.args.text_batch, **more)
    steady = Steady(bench, "--text", many, some, count, few)
    embedded(bench, "text", "a text", steady, [str(i + 1) for i in range(count)], count, ask, {})


def load(bench: Bench) -> None:
    """The start of the program to its end with one clip and one text, less what one more clip and one more text cost."""
    clips = inputs.write_clips(bench.folder / "load_clips", 2)
    one = inputs.write_lines(bench.folder / "one.txt", PROMPTS[:1])
    two = inputs.write_lines(bench.folder / "two.txt", PROMPTS[:2])
    small = lambda pair: bench.embed(pair, "--audio", clips[0], "--text", one)[0].seconds
    large = lambda pair: bench.embed(pair, "--audio", clips[0].parent, "--text", two)[0].seconds
    ready = bench.ready("load of the CLAP pair", bench.args.pairs, small)
    taken: dict[Pair, tuple[list, list]] = {pair: ([], []) for pair in ready}

    def turn(pair: Pair) -> None:
        whole = small(pair)
        # noise may make the longer run the shorter one: the item's cost is then nothing, not less
        more = max(0.0, large(pair) - whole)
        taken[pair][0].append(whole)
        taken[pair][1].append(max(0.0, whole - more))

    bench.in_turn([lambda pair=pair: turn(pair) for pair in ready])
    for pair in ready:
        whole, less = taken[pair]
        mid = statistics.median(less)
        bench.results[f"load, {pair}"] = {"seconds": less, "whole_process_s": whole, "bar": LOAD_BAR_S}
        bench.row(f"load of the CLAP pair, {pair}", "", f"{spread(less)}; whole process {spread(whole)}", "",
                  f"{LOAD_BAR_S:g} s{'' if mid < LOAD_BAR_S else ', **missed**'}")


def pieces(bench: Bench) -> None:
    """Many long pieces and one short, end to end with EnCodec; transformers makes one of each length."""
    args = bench.args
    config = json.loads((bench.musicgen / "config.json").read_text())
    codec, codebooks = config["audio_encoder"], config["decoder"]["num_codebooks"]
    rate = codec["sampling_rate"] / math.prod(codec["upsampling_ratios"])
    tokens = lambda seconds: round(seconds * rate) + codebooks - 1
    peer = bench.transformers()
    ready = bench.ready("pieces", args.generate_pairs, lambda pair: bench.generate(pair, 1, SHORT_S))
    jobs = [(f"{args.pieces} pieces of {args.duration:g} s", args.pieces, args.duration, EIGHT_BAR),
            (f"1 piece of {args.one:g} s", 1, args.one, ONE_BAR)]
    recorded: dict[float, float] = {}
    for name, count, seconds, bar in jobs:
        theirs: list[float] = []
        ours: dict[Pair, list[float]] = {pair: [] for pair in ready}
        told: dict[Pair, str] = {}

        def peer_turn() -> None:
            # a piece of this length may take minutes: with --peer-once it is measured once in a run
            if not (args.peer_once and seconds in recorded):
                recorded[seconds] = peer.ask(do="generate", prompts=PROMPTS[:1], batch=1, tokens=tokens(seconds))
            theirs.append(recorded[seconds] * count)

        def our_turn(pair: Pair) -> None:
            run = bench.generate(pair, count, seconds)
            spent = phases(run.notes)
            ours[pair].append(run.seconds - spent.load)  # transformers' model is loaded before its clock starts
            told[pair] = (f"; {1e3 * spent.decoder / spent.steps:.1f} ms a step, codec {spent.codec:.1f} s, loading "
                          f"{spent.load:.1f} s, peak {run.peak_rss_bytes / 2**30:.2f} GiB")

        bench.in_turn([peer_turn, *((lambda pair=pair: our_turn(pair)) for pair in ready)])
        for pair in ready:
            mid, whole = statistics.median(ours[pair]), count * seconds
            first = pair == args.generate_pairs[0]
            late = ", **missed**" if first and count > 1 and mid >= whole else ""
            note = f"{told[pair]}; {whole:g} s of audio, {whole / mid:.2f} x real time{late}"
            bench.compare(f"{name}, {pair}", ours[pair], theirs, 1, "", bar if first else None, note,
                          f", one piece times {count}" if count > 1 else "")
    peer.close()


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harness", type=Path, required=True)
    ap.add_argument("--ckpt", type=Path, required=True, help="folder of full-size checkpoints")
    ap.add_argument("--file", default="laion_unfused_base.pt", help="the CLAP checkpoint in it")
    ap.add_argument("--amodel", default="HTSAT-base", help="laion_clap's name of its audio tower")
    ap.add_argument("--tokenizer", type=Path, help="RoBERTa's tokenizer.json (default: DIR/roberta_tokenizer)")
    ap.add_argument("--laion-path", help="folder that holds the laion_clap package, if it is not installed")
    ap.add_argument("--models", type=Path, help="folder that keeps the graphs (default: one that is removed at the end)")
    ap.add_argument("--captions", type=Path, help="musiccaps-public.csv; needed for the text part")
    ap.add_argument("--pairs", nargs="+", type=Pair.parse, default=PAIRS, metavar="PROVIDER:PRECISION", help="of CLAP")
    ap.add_argument("--generate-pairs", nargs="+", type=Pair.parse, default=[CPU_INT8, REFERENCE],
                    metavar="PROVIDER:PRECISION", help="of MusicGen; the bars are for the first")
    ap.add_argument("--clips", type=int, default=32)
    ap.add_argument("--texts", type=int, default=512)
    ap.add_argument("--few", type=int, default=8, help="items of the second run, which tells start-up from rate")
    ap.add_argument("--text-batch", type=int, default=0, help="laion_clap's texts a call; 0 is all at once, its faster way")
    ap.add_argument("--pieces", type=int, default=8)
    ap.add_argument("--duration", type=float, default=29.92, help="of each of them, in seconds")
    ap.add_argument("--one", type=float, default=10.0, help="of the single piece")
    ap.add_argument("--attention", choices=["sdpa", "eager"], default="eager",
                    help="transformers'; musicgen.py finds the faster one")
    ap.add_argument("--peer-once", action="store_true", help="transformers makes a piece of each length once, not once a round")
    ap.add_argument("--threads", type=int, default=os.cpu_count(), help="for both sides (default: all CPUs)")
    ap.add_argument("--rounds", type=int, default=3)
    parts = {"audio": audio, "text": text, "load": load, "pieces": pieces}
    ap.add_argument("--parts", nargs="+", default=list(parts), choices=parts)
    ap.add_argument("--json", type=Path, help="write every figure here")
    ap.add_argument("--markdown", type=Path, help="write the table here")
    args = ap.parse_args()
    if "text" in args.parts and not args.captions:
        ap.error("the text part needs --captions musiccaps-public.csv; or leave it out with --parts")
    if min(args.clips, args.texts) <= args.few:
        ap.error("more clips and texts than --few are needed to tell start-up from rate")
    args.harness = args.harness.resolve()
    with tempfile.TemporaryDirectory() as tmp:
        bench = Bench(args, Path(tmp))
        print(f"{measure.machine()}; {measure.instructions()}; {args.threads} threads a side, {args.rounds} rounds", flush=True)
        for part in args.parts:
            try:
                parts[part](bench)
            except RuntimeError as error:  # what the other parts took minutes to measure is kept
                bench.failures += 1
                bench.row(part, "", f"failed: {refusal(error)}", "", "")
        table = bench.table()
    print(f"\n{table}")
    if args.markdown:
        args.markdown.write_text(table)
    if args.json:
        args.json.write_text(json.dumps({"machine": measure.machine(), "instructions": measure.instructions(),
                                         "rounds": args.rounds, **bench.results}, indent=2))
    return int(bench.failures > 0)


if __name__ == "__main__":
    raise SystemExit(main())
