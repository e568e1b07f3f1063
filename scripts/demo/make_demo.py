"""Make assets/demo: small checkpoints with random weights, three of CLAP and one of MusicGen, with their tokenizers and
cards; and the dozen pieces of the tests.

    python scripts/demo/make_demo.py [--out assets/demo] [--pieces tests/data/pieces] [--laion-path FOLDER_HOLDING_laion_clap]

The CLAP checkpoints have the layout of the public laion `.pt` files: a zip of torch.save; a dict with epoch, name,
state_dict (keys begin with "module."), optimizer, scaler and best_metric; numpy scalars pickled as numpy 1 did. The
models are laion_clap's own classes, only smaller. Constant buffers that follow from the architecture are left out for
their size (see laion_small.LEFT_OUT). The MusicGen folder is transformers' (see musicgen_small).

    pip install torch==2.11.0 torchaudio==2.11.0 torchvision==0.26.0 transformers==5.23.0 laion_clap==1.1.7 \
        tokenizers==0.23.3 safetensors==0.8.0 sentencepiece==0.2.3 protobuf soundfile==0.14.0 scipy==1.17.1

The same versions give the same bytes. After a change, run scripts/parity/make_golden.py and make_golden_musicgen.py too.
"""
from __future__ import annotations

import argparse
import os
import pickle
import sys
import types
from pathlib import Path

os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")  # training in threads is not reproducible

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))

import captions
import laion_offline
import laion_small
import musicgen_small
import pieces
import synth
import t5_tokenizer
import texts
from random_weights import centre, draw_weights

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = 400
T5_VOCABULARY = 256  # fewer than the embedding has rows, as with the public files


def write_tokenizer(path: Path) -> None:
    """A byte-level BPE laid out as RoBERTa's: <s> 0, <pad> 1, </s> 2, <unk> 3, <mask> last, no prefix space."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    tok = Tokenizer(models.BPE(continuing_subword_prefix="", end_of_word_suffix="", fuse_unk=False))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts.sentences(300, seed=0), trainers.BpeTrainer(
        vocab_size=VOCABULARY - 1, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tok.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True,
                                                      add_prefix_space=False)
    if tok.get_vocab_size() != VOCABULARY:
        raise ValueError(f"the tokenizer has {tok.get_vocab_size()} tokens, not {VOCABULARY}")
    tok.save(str(path))


class _NumpyOnePickler(pickle._Pickler):
    """Names numpy's scalar constructor as numpy 1 did, as the public files do."""

    def save_global(self, obj, name=None):
        if getattr(obj, "__module__", "") == "numpy._core.multiarray":
            self.write(b"cnumpy.core.multiarray\n" + (name or obj.__name__).encode() + b"\n")
            self.memoize(obj)
        else:
            super().save_global(obj, name)


def _numpy_one_pickle() -> types.ModuleType:
    module = types.ModuleType("numpy_one_pickle")
    module.Pickler, module.PickleError, module.__name__ = _NumpyOnePickler, pickle.PickleError, "pickle"
    return module


def _spread(model: nn.Module, arch: laion_small.SmallArch, tokenizer: laion_offline.LocalTokenizer) -> None:
    """Centre both towers' embeddings over a few sounds and texts."""
    sounds = [torch.from_numpy(synth.piece(taste, 10.0, 48000, 1, seed)[:, 0]).float()
              for taste in synth.TASTES for seed in (7, 8)]
    inputs = laion_small.features(sounds, arch.fused)
    batch = {k: torch.stack([f[k] for f in inputs]) for k in inputs[0]}
    audio = model.audio_projection(model.encode_audio(batch, device="cpu")["embedding"])
    centre(model.audio_projection[2], audio)
    prompts = [f"{taste} music, ambient for fine restaurant" for taste in synth.TASTES]
    text = model.encode_text(tokenizer(prompts + texts.sentences(4, seed=5)), device="cpu")
    centre(model.text_projection[2], text)


@torch.no_grad()
def write_checkpoint(folder: Path, arch: laion_small.SmallArch, tokenizer: laion_offline.LocalTokenizer) -> None:
    model = draw_weights(laion_small.small_model(arch, VOCABULARY), arch.seed)
    _spread(model, arch, tokenizer)
    # transformers before 4.31 stored this buffer, so the public files have it
    model.text_branch.embeddings._non_persistent_buffers_set.discard("position_ids")
    wrapper = nn.Module()  # as DistributedDataParallel: every key begins with "module."
    wrapper.module = model
    state = wrapper.state_dict()
    dropped = laion_small.LEFT_OUT + (() if arch.keeps_mel_bank else (laion_small.MEL_BANK,))
    for key in [k for k in state if k.endswith(dropped)]:
        del state[key]
    scale = model.logit_scale_a
    torch.save({
        "epoch": 15,
        "name": f"random-weights-{arch.stem}",
        "state_dict": state,
        "optimizer": {
            "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros_like(scale),
                          "exp_avg_sq": torch.zeros_like(scale)}},
            # the cosine schedule leaves a numpy scalar as learning rate
            "param_groups": [{"lr": np.float64(1e-4) * 0.5, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.0,
                              "amsgrad": False, "params": [0]}]},
        "scaler": {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000,
                   "_growth_tracker": 7},
        "best_metric": np.float64(0.9014),
    }, folder / f"{arch.stem}.pt", pickle_module=_numpy_one_pickle())


CARD = """\
# Random weights, made by scripts/demo/make_demo.py: the numbers mean nothing.
kind: clap
source: {{ path: ../{stem}.pt }}
tokenizer: {{ path: ../tokenizer.json }}
architecture: {{ fusion: {fusion} }}
licence: cc0-1.0
cite: [wu2023clap]
random_weights: true
"""


def write_card(folder: Path, arch: laion_small.SmallArch) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{arch.stem}.yaml").write_text(CARD.format(stem=arch.stem, fusion=str(arch.fused).lower()))


MUSICGEN_CARD = """\
# Random weights, made by scripts/demo/make_demo.py: the numbers mean nothing.
kind: musicgen
source: { path: ../musicgen }
tokenizer: { path: ../musicgen/tokenizer.json }
licence: cc0-1.0
cite: [copet2023musicgen, defossez2022encodec, raffel2020t5]
random_weights: true
"""


def write_musicgen(out: Path) -> None:
    """The folder `musicgen` and its card."""
    arch = musicgen_small.DEMO
    musicgen_small.write_folder(arch, out / "musicgen")
    t5_tokenizer.write_tokenizer(out / "musicgen/tokenizer.json", T5_VOCABULARY)
    (out / "models").mkdir(exist_ok=True)
    (out / "models" / f"{arch.name}.yaml").write_text(MUSICGEN_CARD)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--out", type=Path, default=ROOT / "assets/demo")
    ap.add_argument("--pieces", type=Path, default=ROOT / "tests/data/pieces")
    ap.add_argument("--laion-path", help="folder that holds the laion_clap package, if it is not installed")
    args = ap.parse_args()
    torch.set_num_threads(1)  # sums in one order
    args.out.mkdir(parents=True, exist_ok=True)
    pieces.write_pieces(args.pieces)
    captions.write_captions(args.out / "captions.csv")
    write_tokenizer(args.out / "tokenizer.json")
    write_musicgen(args.out)
    laion_offline.load_laion(args.laion_path)
    tokenizer = laion_offline.LocalTokenizer(args.out / "tokenizer.json")
    for arch in laion_small.ARMS:
        write_checkpoint(args.out, arch, tokenizer)
        write_card(args.out / "models", arch)
    size = sum(p.stat().st_size for p in args.out.rglob("*") if p.is_file())
    print(f"{args.out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
