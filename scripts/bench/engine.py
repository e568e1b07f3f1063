"""What the run engine costs: `harness run` against the same work by hand, with `harness generate` and `harness embed`.

    python3 scripts/bench/engine.py --harness target/release/harness --models models --generator CARD --clap CARD [--pieces 8]

Both sides make the same pieces from the same prompts and embed them and their prompts under one CLAP checkpoint; graphs are
exported before. `run` also scores them, computes statistics, maps and clusters, draws the figures and writes the report.
"""
from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import measure

TASTES = ("bitter", "sour", "sweet", "salty")
EXPERIMENT = """experiment: engine
task: generate
model: {generator}
prompts: {{ text: "{{taste}} music, ambient for fine restaurant" }}
tastes: [{tastes}]
draws: {draws}
duration_s: {seconds}
arms: [{{ name: clap, model: {clap} }}]
"""


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harness", type=Path, required=True)
    ap.add_argument("--models", type=Path, required=True, help="folder of the two cards")
    ap.add_argument("--generator", required=True, help="a card of kind musicgen")
    ap.add_argument("--clap", required=True, help="a card of kind clap")
    ap.add_argument("--pieces", type=int, default=8, help="a multiple of four")
    ap.add_argument("--seconds", type=float, default=10.0, help="of each piece")
    ap.add_argument("--rounds", type=int, default=3)
    args = ap.parse_args()
    draws = max(1, args.pieces // len(TASTES))
    harness, models = args.harness.resolve(), ["--models", args.models.resolve(), "--offline"]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        experiment = folder / "engine.yaml"
        experiment.write_text(EXPERIMENT.format(generator=args.generator, clap=args.clap, tastes=", ".join(TASTES),
                                                draws=draws, seconds=args.seconds))
        prompts = folder / "prompts.txt"
        lines = [f"{taste} music, ambient for fine restaurant" for taste in TASTES for _ in range(draws)]
        prompts.write_text("".join(f"{line}\n" for line in lines))
        texts = folder / "texts.txt"
        texts.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)))

        def by_hand(round_: int) -> float:
            out = folder / f"hand{round_}"
            made = measure.run([harness, "generate", "--model", args.generator, "--prompts", prompts, "--duration",
                                args.seconds, "--out", out, *models])
            embedded = measure.run([harness, "embed", "--model", args.clap, "--audio", out, "--text", texts, "--out",
                                    folder / f"hand{round_}.csv", *models])
            return made.seconds + embedded.seconds

        def engine(round_: int) -> float:
            return measure.run([harness, "run", experiment, "--out", folder / f"run{round_}", *models]).seconds

        engine(-1)  # exports the graphs
        pairs = []
        for i in range(args.rounds):
            hand, run = (by_hand(i), engine(i)) if i % 2 else (engine(i), by_hand(i))[::-1]
            pairs.append((hand, run))
            print(f"round {i + 1}: by hand {hand:.2f} s, run {run:.2f} s, {100 * (run / hand - 1):+.1f} %", flush=True)
        overheads = [100 * (run / hand - 1) for hand, run in pairs]
        print(f"engine overhead: {statistics.median(overheads):+.1f} % ({min(overheads):+.1f} to {max(overheads):+.1f}),"
              f" {args.pieces} pieces of {args.seconds:g} s; {statistics.median(r - h for h, r in pairs):+.2f} s")


if __name__ == "__main__":
    main()
