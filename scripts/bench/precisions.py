"""How far the numbers move under other providers and precisions: embeddings, scores, rankings, logits and audio against cpu fp32.

    python scripts/bench/precisions.py --harness target/release/harness --models models --clap CARD ... --musicgen CARD ... \
        --pairs cpu:int8 openvino:fp32 openvino:bf16 --python cpu=v-cpu/bin/python --python openvino=v-ov/bin/python

CLAP models are run by `harness embed`, on clips and texts. MusicGen is run by graphs_peer.py on the graphs of `harness export`:
the decoder is fed the same codes step by step, the codec decodes the same codes. README.md says what is printed.
"""
from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import agreement
import inputs
import measure
from pairs import REFERENCE, Pair, refusal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "demo"))

import texts as sentences

TASTES = ["bitter", "salty", "sour", "sweet"]
TASTE_PROMPTS = [f"{taste} music, ambient for fine restaurant" for taste in TASTES]
COSINE, SCORE, DECIBELS = 0.999, 0.01, 40.0
LOGITS = {"int8": 0.05}  # the others
LOGITS_ELSE = 0.02


class Bench:
    def __init__(self, args: argparse.Namespace, folder: Path):
        self.args, self.folder = args, folder
        self.pythons = dict(args.python)
        self.results: list[dict] = []

    def harness(self, *arguments) -> str:
        """Standard output of one command."""
        command = [str(a) for a in (self.args.harness, *arguments, "--models", self.args.models)]
        done = subprocess.run(command, capture_output=True, text=True, env=measure.clean_env())
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def record(self, kind: str, model: str, pair: Pair, measured) -> None:
        """What `measured` returns, or why it could not."""
        try:
            self.note(kind, model, pair, measured())
        except RuntimeError as error:
            self.fail(kind, model, pair, error)

    def fail(self, kind: str, model: str, pair: Pair, error: RuntimeError) -> None:
        self.note(kind, model, pair, {"failed": refusal(error)})

    def note(self, kind: str, model: str, pair: Pair, found: dict) -> None:
        of = {"kind": kind, "model": Path(model).stem, "provider": pair.provider, "precision": pair.precision}
        self.results.append({**of, **found})
        print(f"{of['model']}, {pair}: {json.dumps(found)}", flush=True)


def embeddings(bench: Bench, card: str, pair: Pair, audio: Path, text: Path) -> tuple[np.ndarray, np.ndarray]:
    """Of the clips and of the texts, in the order of the files."""
    out = bench.folder / "embeddings.csv"
    bench.harness("embed", "--model", card, "--audio", audio, "--text", text, "--out", out, "--threads",
                  bench.args.threads, *pair.flags())
    with open(out, newline="", encoding="utf-8") as f:
        rows = [(row["kind"], json.loads(row["embedding"])) for row in csv.DictReader(f)]
    of = lambda kind: np.array([values for k, values in rows if k == kind], np.float32)
    return of("audio"), of("text")


def compare_embeddings(ours: tuple, reference: tuple) -> dict:
    """Cosines, the largest change of a score of any clip and any text, and the order of the tastes' prompts."""
    found = {}
    for what, a, b in zip(("audio", "text"), ours, reference, strict=True):
        cosines = agreement.cosines(a, b)
        found[f"{what}_cosine_lowest"], found[f"{what}_cosine_mean"] = float(cosines.min()), float(cosines.mean())
    scores, expected = agreement.scores(*ours), agreement.scores(*reference)
    means, means_expected = (s[:, :len(TASTES)].mean(0) for s in (scores, expected))
    order, order_expected = (agreement.ranking(m, TASTES) for m in (means, means_expected))
    gaps = -np.diff(np.sort(means_expected)[::-1])
    return {**found, "score_change_largest": float(np.abs(scores - expected).max()),
            "score_change_mean": float(np.abs(scores - expected).mean()), "scores": int(scores.size), "ranking": order,
            "ranking_reference": order_expected, "ranking_tau": agreement.kendall_tau(means, means_expected),
            "ranking_smallest_gap": float(gaps.min())}


def clap(bench: Bench, card: str, audio: Path, text: Path) -> None:
    reference = embeddings(bench, card, REFERENCE, audio, text)
    for pair in bench.args.pairs:
        bench.record("clap", card, pair,
                     lambda: compare_embeddings(embeddings(bench, card, pair, audio, text), reference))


def musicgen_inputs(bench: Bench, card: str, model: dict) -> Path:
    """Codes that the reference draws, and the tokens of their prompts."""
    args = bench.args
    pieces, prompts = bench.folder / f"{Path(card).stem}_pieces", bench.folder / "prompts.txt"
    lines = [TASTE_PROMPTS[i % len(TASTES)] for i in range(args.pieces)]
    inputs.write_lines(prompts, lines)
    bench.harness("generate", "--model", card, "--prompts", prompts, "--duration", args.seconds, "--save-codes", "--out",
                  pieces, "--threads", args.threads, *REFERENCE.flags())
    codes = np.stack([np.load(pieces / f"{i + 1}.npy") for i in range(args.pieces)])
    if args.t5_tokenizer:
        from tokenizers import Tokenizer
        tokenizer = Tokenizer.from_file(str(args.t5_tokenizer))
        ids = [np.array(tokenizer.encode(line).ids) for line in lines]
    else:
        draw = np.random.default_rng(0)
        ids = [np.append(draw.integers(2, model["text"]["vocab"], 8 + 3 * i), 1) for i in range(args.pieces)]
    path = bench.folder / f"{Path(card).stem}.npz"
    steps = min(args.steps, codes.shape[2] + codes.shape[1] - 1)
    np.savez(path, codes=codes, pad=model["decoder"]["vocab"], steps=steps, **{f"ids.{i}": v for i, v in enumerate(ids)})
    return path


def graphs_of(bench: Bench, card: str, pair: Pair) -> Path:
    return Path(bench.harness("export", card, *pair.export_flags()).splitlines()[-1])


def run_graphs(bench: Bench, graphs: Path, pair: Pair, given: Path) -> dict[str, np.ndarray]:
    out = bench.folder / "graphs.npz"
    python = bench.pythons.get(pair.provider, sys.executable)
    peer = Path(__file__).resolve().parent / "graphs_peer.py"
    command = [python, "-W", "ignore", peer, "--graphs", graphs, "--inputs", given, "--out", out, "--ep", pair.provider,
               "--threads", bench.args.threads]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=measure.clean_env())
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    with np.load(out) as found:
        return {name: found[name] for name in found.files}


def compare_graphs(ours: dict, reference: dict) -> dict:
    a, b = ours["logits"], reference["logits"]  # [rows, codebooks, steps, vocab]
    by_step = [agreement.relative_l2(a[:, :, s], b[:, :, s]) for s in range(a.shape[2])]
    levels = [agreement.decibels(x, y) for x, y in zip(ours["audio"], reference["audio"], strict=True)]
    levels = [level for level in levels if level is not None]
    return {"logits_relative_l2": agreement.relative_l2(a, b), "logits_worst_step": max(by_step),
            "logits_last_step": by_step[-1], "steps": len(by_step), "rows": len(a),
            # null where every sample is the same
            "codec_decibels_lowest": min(levels, default=None)}


def musicgen(bench: Bench, card: str) -> None:
    graphs = graphs_of(bench, card, REFERENCE)
    model = json.loads((graphs / "export.json").read_text())["model"]
    given = musicgen_inputs(bench, card, model)
    reference = run_graphs(bench, graphs, REFERENCE, given)
    for pair in bench.args.pairs:
        bench.record("musicgen", card, pair, lambda: compare_graphs(
            run_graphs(bench, graphs_of(bench, card, pair), pair, given), reference))


def held(text: str, good: bool) -> str:
    return text if good else f"{text}, **missed**"


def row_of(result: dict) -> str:
    """One line of the table, as benches/RESULTS.md has it."""
    head = f"| {result['model']} | {result['provider']} | {result['precision']} | "
    columns = 4 if result["kind"] == "clap" else 2
    if "failed" in result:
        return head + " | ".join([f"failed: {result['failed']}".replace("|", "/"), *[""] * (columns - 1)]) + " |"
    if result["kind"] == "clap":
        cosine = lambda what: held(f"{result[f'{what}_cosine_lowest']:.6f} ({result[f'{what}_cosine_mean']:.6f})",
                                   result[f"{what}_cosine_lowest"] > COSINE)
        change = result["score_change_largest"]
        same = result["ranking"] == result["ranking_reference"]
        cells = [cosine("audio"), cosine("text"), held(f"{change:.5f}", change <= SCORE),
                 "the same" if same else f"{' > '.join(result['ranking'])}, not {' > '.join(result['ranking_reference'])}; "
                                         f"tau {result['ranking_tau']:.2f}"]
    else:
        error, level = result["logits_relative_l2"], result["codec_decibels_lowest"]
        bar = LOGITS.get(result["precision"], LOGITS_ELSE)
        cells = [held(f"{100 * error:.3f} % ({100 * result['logits_worst_step']:.3f} %)", error < bar),
                 "the same samples" if level is None else held(f"{level:.1f} dB", level > DECIBELS)]
    return head + " | ".join(cells) + " |"


def table(results: list[dict]) -> str:
    heads = {"clap": ["audio: lowest cosine (mean)", "text: lowest cosine (mean)", "largest change of a score",
                      "ranking of the tastes"],
             "musicgen": ["logits: relative L2 (worst step)", "EnCodec: signal to error, lowest"]}
    out = []
    for kind, columns in heads.items():
        rows = [row_of(result) for result in results if result["kind"] == kind]
        if rows:
            columns = ["model", "provider", "precision", *columns]
            out += ["| " + " | ".join(columns) + " |", "| " + " | ".join(["---"] * len(columns)) + " |", *rows, ""]
    return "\n".join(out)


def python_of(text: str) -> tuple[str, str]:
    provider, found, path = text.partition("=")
    if not (found and path):
        raise argparse.ArgumentTypeError(f"{text!r}: write PROVIDER=PYTHON, such as openvino=v-ov/bin/python")
    return provider, path


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harness", type=Path, required=True)
    ap.add_argument("--models", type=Path, required=True, help="folder of the cards; graphs are kept in it")
    ap.add_argument("--clap", nargs="*", default=[], metavar="CARD")
    ap.add_argument("--musicgen", nargs="*", default=[], metavar="CARD")
    ap.add_argument("--pairs", nargs="+", type=Pair.parse, required=True, metavar="PROVIDER:PRECISION",
                    help="held against cpu:fp32")
    ap.add_argument("--python", action="append", default=[], type=python_of, metavar="PROVIDER=PYTHON",
                    help="with the provider's onnxruntime; for MusicGen; default: this one")
    ap.add_argument("--audio", type=Path, help="folder of clips (default: --clips made-up ones of 10 s)")
    ap.add_argument("--clips", type=int, default=100)
    ap.add_argument("--texts", type=Path, help="one a line, beside the prompts of the tastes (default: made-up ones)")
    ap.add_argument("--prompts", type=int, default=21, help="of the made-up texts")
    ap.add_argument("--pieces", type=int, default=4, help="that MusicGen is held to")
    ap.add_argument("--seconds", type=float, default=10.0, help="of each")
    ap.add_argument("--steps", type=int, default=128, help="the decoder's, at most; the codec decodes the whole pieces")
    ap.add_argument("--t5-tokenizer", type=Path, help="tokenizer.json of the MusicGen cards (default: tokens by chance)")
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    ap.add_argument("--json", type=Path, help="write every figure here")
    ap.add_argument("--markdown", type=Path, help="write the tables here")
    args = ap.parse_args()
    if not (args.clap or args.musicgen):
        ap.error("name a card: --clap CARD or --musicgen CARD")
    args.harness = args.harness.resolve()
    with tempfile.TemporaryDirectory() as tmp:
        bench = Bench(args, Path(tmp))
        print(f"{measure.machine()}; {measure.instructions()}; {args.threads} threads", flush=True)
        if args.clap:
            audio = args.audio or inputs.write_clips(bench.folder / "clips", args.clips)[0].parent
            more = args.texts.read_text(encoding="utf-8").splitlines() if args.texts else made_up(args.prompts)
            text = inputs.write_lines(bench.folder / "texts.txt", [*TASTE_PROMPTS, *more])
        for kind, cards, measured in (("clap", args.clap, lambda card: clap(bench, card, audio, text)),
                                      ("musicgen", args.musicgen, lambda card: musicgen(bench, card))):
            for card in cards:
                try:
                    measured(card)
                except RuntimeError as error:  # of the reference: what was found of other models is kept
                    bench.fail(kind, card, REFERENCE, error)
    tables = table(bench.results)
    print(f"\n{tables}")
    if args.markdown:
        args.markdown.write_text(tables)
    if args.json:
        args.json.write_text(json.dumps({"machine": measure.machine(), "instructions": measure.instructions(),
                                         "results": bench.results}, indent=2))
    return int(any("failed" in result for result in bench.results))


def made_up(count: int) -> list[str]:
    return sentences.sentences(count, 0) if count else []


if __name__ == "__main__":
    sys.exit(main())
