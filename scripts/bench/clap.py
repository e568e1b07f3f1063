"""Compare `harness embed` and `harness export` with laion_clap: same machine, same run, alternating.

    python scripts/bench/clap.py --ckpt DIR --harness target/release/harness --captions musiccaps-public.csv

DIR holds full-size random weights (laion_unfused_base.pt, roberta_tokenizer/tokenizer.json). Without --harness only
laion_clap is measured. README.md says what is printed.
"""
from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path

import numpy as np

import inputs
import measure

FEW_CLIPS, FEW_TEXTS = 8, 8  # a second run on this few tells the start-up from the rate


class Bench:
    """The set-up that all parts share, and everything measured, by name."""

    def __init__(self, args: argparse.Namespace, folder: Path):
        self.args, self.folder = args, folder
        self.checkpoint = args.ckpt / args.file
        self.tokenizer = args.tokenizer or args.ckpt / "roberta_tokenizer/tokenizer.json"
        self.models = folder / "models"
        self.card = inputs.write_card(self.models, "clap", self.checkpoint, self.tokenizer,
                                      "architecture: { fusion: false }")
        self.results: dict = {}

    def peer(self) -> measure.Peer:
        more = ["--laion-path", self.args.laion_path] if self.args.laion_path else []
        return measure.Peer("laion_peer.py", ["--ckpt", self.checkpoint, "--tokenizer", self.tokenizer, "--amodel",
                                              self.args.amodel, "--threads", self.args.threads, *more])

    def embed(self, *what) -> tuple[measure.Usage, Path]:
        out = self.folder / "harness.csv"
        return measure.run([self.args.harness, "embed", "--model", self.card, "--models", self.models, "--threads",
                            self.args.threads, *what, "--out", out]), out

    def note(self, name: str, value: float, text: str) -> None:
        self.results[name] = value
        print(text, flush=True)

    def compare(self, name: str, count: int, few: int, peer_ways: dict, ours_all, ours_few) -> None:
        """Alternate both sides for some rounds and print rates and ratios of `count` items."""
        theirs = {way: [] for way in peer_ways}
        whole, steady = [], []
        for i in range(self.args.rounds):
            def peer_turn():
                for way, ask in peer_ways.items():
                    theirs[way].append(ask())

            def our_turn():
                whole.append(ours_all().seconds)
                steady.append((whole[-1] - ours_few().seconds) * count / (count - few))

            turns = [peer_turn] + ([our_turn] if self.args.harness else [])
            for turn in turns if i % 2 == 0 else reversed(turns):  # whoever is first finds a cooler machine
                turn()
        for way, seconds in theirs.items():
            self._rate(f"{name}: laion_clap, {way}", seconds, count)
        if not whole:
            return
        self._rate(f"{name}: harness, whole process", whole, count)
        self._rate(f"{name}: harness, steady ({count} less {few})", steady, count)
        for kind in dict.fromkeys(way.split(",")[0] for way in peer_ways):
            ways = [way for way in peer_ways if way.split(",")[0] == kind]
            best = min(ways, key=lambda way: statistics.median(theirs[way]))
            for label, ours in (("steady", steady), ("whole process", whole)):
                mid, low, high = measure.ratio(ours, theirs[best])
                self.note(f"{name}: ratio, {label} to {kind}", mid,
                          f"{name}: harness {label} is {mid:.2f} x laion_clap {best} ({low:.2f} to {high:.2f})")

    def _rate(self, name: str, seconds: list[float], count: int) -> None:
        mid = statistics.median(seconds)
        self.note(name, mid, f"{name}: {mid:.2f} s, {count / mid:.2f}/s, {mid / count * 1e3:.2f} ms each "
                             f"({min(seconds):.2f} to {max(seconds):.2f} s)")


def audio(bench: Bench, clips: list[Path]) -> None:
    peer, files = bench.peer(), [str(c) for c in clips]
    few = bench.folder / "few"
    few.mkdir(exist_ok=True)
    for clip in clips[:FEW_CLIPS]:
        (few / clip.name).symlink_to(clip)
    ways = {f"{label}, {'one call' if not batch else f'batches of {batch}'}":
            (lambda do=do, batch=batch: peer.ask(do=do, files=files, batch=batch))
            for do, label in (("audio_files", "from files"), ("audio_data", "from memory")) for batch in (0, 8)}
    if bench.args.harness:
        reference = bench.folder / "audio.npy"
        peer.ask(do="audio_data", files=files, batch=8, save=str(reference))
        _, out = bench.embed("--audio", clips[0].parent)  # also exports the graphs
        difference = inputs.largest_difference(inputs.read_embeddings(out), [c.stem for c in clips], np.load(reference))
        bench.note("audio: difference", difference, f"audio: largest relative difference {difference:.1e}")
    bench.compare("audio", len(clips), FEW_CLIPS, ways, lambda: bench.embed("--audio", clips[0].parent)[0],
                  lambda: bench.embed("--audio", few)[0])
    peer.close()


def text(bench: Bench, captions: list[str]) -> None:
    print("text:", inputs.token_lengths(bench.tokenizer, captions), flush=True)
    peer = bench.peer()
    many = inputs.write_lines(bench.folder / "captions.txt", captions)
    few = inputs.write_lines(bench.folder / "few.txt", captions[:FEW_TEXTS])
    ways = {f"texts, {'one call' if not batch else f'batches of {batch}'}":
            (lambda batch=batch: peer.ask(do="text", texts=captions, batch=batch)) for batch in (16, 0)}
    if bench.args.harness:
        reference = bench.folder / "text.npy"
        peer.ask(do="text", texts=captions, batch=16, save=str(reference))
        _, out = bench.embed("--text", many)
        ids = [str(i + 1) for i in range(len(captions))]
        difference = inputs.largest_difference(inputs.read_embeddings(out), ids, np.load(reference))
        bench.note("text: difference", difference, f"text: largest relative difference {difference:.1e}")
    bench.compare("text", len(captions), FEW_TEXTS, ways, lambda: bench.embed("--text", many)[0],
                  lambda: bench.embed("--text", few)[0])
    peer.close()


def export(bench: Bench) -> None:
    size = inputs.tensor_bytes(bench.checkpoint)
    runs = []
    for i in range(bench.args.rounds):
        fresh = bench.folder / f"export{i}"
        runs.append(measure.run([bench.args.harness, "export", bench.card, "--models", fresh]))
    seconds = statistics.median(r.seconds for r in runs)
    peak = max(r.peak_rss_bytes for r in runs)
    bench.note("export: seconds", seconds, f"export: {seconds:.1f} s ({min(r.seconds for r in runs):.1f} to "
                                           f"{max(r.seconds for r in runs):.1f})")
    bench.note("export: peak / tensors", peak / size, f"export: peak {peak / 1e6:.0f} MB, {peak / size:.2f} x the "
                                                      f"{size / 1e6:.0f} MB of tensors")


def memory(bench: Bench, clips: list[Path]) -> None:
    peaks = {}
    for batch in (8, 0):
        peer = bench.peer()
        peer.ask(do="audio_files", files=[str(c) for c in clips], batch=batch)
        peaks[batch] = peer.close()
        label = f"batches of {batch}" if batch else "one call"
        bench.note(f"memory: laion_clap, {label}", peaks[batch],
                   f"memory: laion_clap, {len(clips)} clips, {label}: peak {peaks[batch] / 1e6:.0f} MB")
    if bench.args.harness:
        bench.embed("--audio", clips[0].parent)  # the graphs exist from here on
        ours = bench.embed("--audio", clips[0].parent)[0].peak_rss_bytes
        bench.note("memory: harness", ours, f"memory: harness embed: peak {ours / 1e6:.0f} MB, "
                                            f"{ours / min(peaks.values()):.2f} x laion_clap's lowest")


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ckpt", type=Path, required=True, help="folder of full-size checkpoints")
    ap.add_argument("--file", default="laion_unfused_base.pt", help="the checkpoint in it")
    ap.add_argument("--amodel", default="HTSAT-base", help="laion_clap's name of its audio tower")
    ap.add_argument("--tokenizer", type=Path, help="tokenizer.json (default: the one in DIR/roberta_tokenizer)")
    ap.add_argument("--harness", type=Path, help="the binary; without it only laion_clap is measured")
    ap.add_argument("--captions", type=Path, help="musiccaps-public.csv; needed for the text part")
    ap.add_argument("--laion-path", help="folder that holds the laion_clap package, if it is not installed")
    ap.add_argument("--threads", type=int, default=os.cpu_count(), help="for both sides (default: all CPUs)")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--clips", type=int, default=32)
    ap.add_argument("--texts", type=int, default=512)
    ap.add_argument("--parts", nargs="+", default=["audio", "text", "export", "memory"],
                    choices=["audio", "text", "export", "memory"])
    ap.add_argument("--json", type=Path, help="write every figure here too")
    args = ap.parse_args()
    if "text" in args.parts and not args.captions:
        ap.error("the text part needs --captions musiccaps-public.csv; or leave it out with --parts")
    if args.clips <= FEW_CLIPS or args.texts <= FEW_TEXTS:
        ap.error(f"more than {FEW_CLIPS} clips and {FEW_TEXTS} texts are needed to tell start-up from rate")
    if args.harness:
        args.harness = args.harness.resolve()

    with tempfile.TemporaryDirectory() as tmp:
        bench = Bench(args, Path(tmp))
        print(f"{measure.machine()}; {args.threads} threads a side, {args.rounds} rounds; {args.file}", flush=True)
        if {"audio", "memory"} & set(args.parts):
            clips = inputs.write_clips(bench.folder / "clips", args.clips)
        if "audio" in args.parts:
            audio(bench, clips)
        if "text" in args.parts:
            text(bench, inputs.read_captions(args.captions, args.texts))
        if "export" in args.parts and args.harness:
            export(bench)
        if "memory" in args.parts:
            memory(bench, clips)
        if args.json:
            args.json.write_text(json.dumps({"machine": measure.machine(), **bench.results}, indent=2))


if __name__ == "__main__":
    main()
