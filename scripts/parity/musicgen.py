"""Hold a MusicGen card to golden values of transformers: exported graphs, greedy codes and audio.

    python scripts/parity/musicgen.py --golden golden.safetensors --card CARD.yaml --harness target/release/harness

The golden file is one of tests/golden/musicgen, or one that the reference kit's `reference.py --parts musicgen` wrote of the
checkpoint that the card names; the tensors have the same names. `harness export` makes the graphs, which ONNX Runtime runs here
step by step (texts alone, a padded batch, the null branch); `harness generate --greedy --save-codes` makes the codes and WAVs.

    pip install numpy onnxruntime==1.31.1 safetensors==0.8.0 soundfile

Prints one line a comparison and ends with 1 if one is out of tolerance.
"""
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from safetensors import safe_open

from musicgen_graphs import Graphs

TOLERANCE = 1e-4  # relative L2
NEW_TOKENS = 24
EXCUSED = 1e-3  # a greedy choice closer than this may fall otherwise; what follows it is not compared


class Golden:
    """The tensors, and the prompts of the generated pieces."""

    def __init__(self, path: Path):
        self.file = safe_open(path, "np")
        meta = self.file.metadata()
        if "musicgen_prompts" in meta:  # the reference kit's
            self.prompts = json.loads(meta["musicgen_prompts"])
        else:
            texts = json.loads(meta["texts"])
            self.prompts = [texts[i] for i in json.loads(meta["generated"])]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.file.get_tensor(name)

    def __contains__(self, name: str) -> bool:
        return name in self.file.keys()


class Verdicts:
    """Every comparison, printed as it is made."""

    def __init__(self):
        self.failed = 0

    def note(self, name: str, good: bool, text: str) -> None:
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {text}", flush=True)

    def close(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
        if ours.shape != theirs.shape:
            self.note(name, False, f"shape {ours.shape}, transformers' {theirs.shape}")
            return
        difference = ours.astype(np.float64) - theirs
        error = float(np.linalg.norm(difference) / np.linalg.norm(theirs.astype(np.float64)))
        self.note(name, error <= TOLERANCE, f"relative L2 {error:.1e}, largest {np.abs(difference).max():.1e}")


def unpadded(ids: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    return [row[:int(seen.sum())] for row, seen in zip(ids, mask, strict=True)]


def padded(rows: list[np.ndarray], tokens: int) -> np.ndarray:
    """[texts, tokens, width] of [1, own tokens, width] each, zeros behind."""
    out = np.zeros((len(rows), tokens, rows[0].shape[2]), np.float32)
    for i, row in enumerate(rows):
        out[i, :row.shape[1]] = row[0]
    return out


def check_graphs(graphs: Graphs, golden: Golden, verdicts: Verdicts) -> None:
    ids, mask = golden["t5.input_ids"], golden["t5.attention_mask"]
    states = padded([graphs.states(row) for row in unpadded(ids, mask)], ids.shape[1])
    verdicts.close("T5 states", states, golden["t5.last_hidden_state_masked"])

    ids, mask = golden["musicgen.input_ids"], golden["musicgen.attention_mask"]
    texts = [graphs.attended(graphs.states(row)) for row in unpadded(ids, mask)]
    projected = padded([text["encoder_hidden_states"] for text in texts], ids.shape[1])
    verdicts.close("encoder hidden states", projected, golden["musicgen.encoder_hidden_states"])

    fed = golden["musicgen.decoder_input_ids"]
    verdicts.close("logits, padded batch", graphs.logits(texts, fed), golden["musicgen.logits_padded"])
    for i, text in enumerate(texts):
        alone = graphs.logits([text], fed[i:i + 1])
        verdicts.close(f"logits, text {i} alone", alone, golden[f"musicgen.logits_single.{i}"])
    verdicts.close("logits, null branch", graphs.logits([], fed), golden["musicgen.logits_uncond"])
    for frames in (50, 3):
        audio = graphs.audio(golden[f"encodec.codes_{frames}"])
        verdicts.close(f"EnCodec, {frames} frames", audio, golden[f"encodec.audio_{frames}"][:, 0])


def first_excused(margin: np.ndarray) -> int:
    """The first frame from which a rounding may have decided, of `margin` [steps, codebooks]; the number of frames if none."""
    steps, codebooks = margin.shape
    frames = steps - codebooks + 1
    # codebook k speaks frame f at step f + k; what step s chose is fed to all later ones
    close = [step for step in range(steps) for k in range(codebooks)
             if k <= step < k + frames and margin[step, k] < EXCUSED]
    return max(min(close, default=steps) - codebooks + 1, 0)


def check_pieces(folder: Path, golden: Golden, verdicts: Verdicts) -> None:
    codes, margin = golden["musicgen.greedy_codes"], golden["musicgen.greedy_margin"]
    for i in range(len(golden.prompts)):
        ours = np.load(folder / f"{i + 1}.npy")
        if ours.shape != codes[i].shape:
            verdicts.note(f"greedy codes, prompt {i}", False, f"shape {ours.shape}, transformers' {codes[i].shape}")
            continue
        differ = int((ours != codes[i]).sum())
        sure = first_excused(margin[:, i])
        wrong = int((ours[:, :sure] != codes[i][:, :sure]).sum())
        excuse = f"; the choices from frame {sure} on were too close to compare" if sure < ours.shape[1] else ""
        verdicts.note(f"greedy codes, prompt {i}", wrong == 0, f"{differ} of {ours.size} differ{excuse}")
        if differ == 0 and "musicgen.greedy_audio" in golden:
            audio, _ = soundfile.read(folder / f"{i + 1}.wav", dtype="float32")
            verdicts.close(f"greedy WAV, prompt {i}", audio, golden["musicgen.greedy_audio"][i, 0])


def harness(binary: Path, *arguments) -> str:
    """Standard output of one command; an error with its words if it fails."""
    done = subprocess.run([str(a) for a in (binary, *arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"harness {arguments[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--golden", type=Path, required=True)
    ap.add_argument("--card", type=Path, required=True)
    ap.add_argument("--harness", type=Path, required=True)
    ap.add_argument("--models", type=Path, help="where graphs are kept (default: a folder that is removed at the end)")
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    golden, verdicts = Golden(args.golden), Verdicts()
    with tempfile.TemporaryDirectory() as tmp:
        models, pieces = args.models or Path(tmp) / "models", Path(tmp) / "pieces"
        exported = harness(args.harness, "export", args.card, "--models", models)
        check_graphs(Graphs(Path(exported.splitlines()[-1]), args.threads), golden, verdicts)
        prompts = Path(tmp) / "prompts.txt"
        prompts.write_text("".join(f"{prompt}\n" for prompt in golden.prompts), encoding="utf-8")
        harness(args.harness, "generate", "--model", args.card, "--models", models, "--prompts", prompts, "--greedy",
                "--save-codes", "--max-new-tokens", NEW_TOKENS, "--threads", args.threads, "--out", pieces)
        check_pieces(pieces, golden, verdicts)
    print("all within tolerance" if verdicts.failed == 0 else f"{verdicts.failed} out of tolerance")
    return 1 if verdicts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
