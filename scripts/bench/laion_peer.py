"""The peer of the benchmark: laion_clap in a process of its own, told what to do line by line.

    laion_peer.py --ckpt FILE.pt --tokenizer tokenizer.json [--amodel HTSAT-base] [--threads N] [--laion-path P]

Reads one JSON object a line from standard input and answers with one on standard output:

    {"do": "audio_files", "files": [...], "batch": 8}      get_audio_embedding_from_filelist, `batch` files a call
    {"do": "audio_data", "files": [...], "batch": 8}       get_audio_embedding_from_data; read before the clock
    {"do": "text", "texts": [...], "batch": 16}            get_text_embedding
    -> {"seconds": 1.23}                                   without loading the model; batch 0 is one call for all

With "save": "x.npy" the embeddings are written there. The first answer comes when the model is loaded and warm.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))

import laion_offline


def load(args: argparse.Namespace):
    """A CLAP_Module with the checkpoint's weights, by laion_clap's own loader."""
    laion = laion_offline.load_laion(args.laion_path)
    state = torch.load(args.ckpt, map_location="cpu", weights_only=False, mmap=True)["state_dict"]
    config = laion_offline.roberta_config_of(state)
    del state
    laion_offline.use_text_tower(config)
    laion_offline.use_tokenizer(laion_offline.LocalTokenizer(args.tokenizer))
    module = laion.CLAP_Module(enable_fusion=args.fused, device="cpu", amodel=args.amodel)
    module.load_ckpt(str(args.ckpt), verbose=False)
    return module.eval()


def in_batches(call, items: list, size: int) -> np.ndarray:
    """`call` on `size` items at a time; all at once for 0."""
    size = size or len(items)
    return np.concatenate([np.asarray(call(items[i:i + size])) for i in range(0, len(items), size)])


def answer(module, job: dict) -> dict:
    if job["do"] == "audio_files":
        call, items = module.get_audio_embedding_from_filelist, job["files"]
    elif job["do"] == "audio_data":
        import soundfile
        items = [torch.from_numpy(soundfile.read(f, dtype="float32")[0]) for f in job["files"]]
        call = lambda x: module.get_audio_embedding_from_data(x, use_tensor=True)
    elif job["do"] == "text":
        call, items = module.get_text_embedding, job["texts"]
    else:
        raise ValueError(f"unknown job {job['do']!r}: audio_files, audio_data or text")
    started = time.perf_counter()
    embeddings = in_batches(call, items, job["batch"])
    seconds = time.perf_counter() - started
    if job.get("save"):
        np.save(job["save"], embeddings)
    return {"seconds": seconds}


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ckpt", type=Path, required=True)
    ap.add_argument("--tokenizer", type=Path, required=True)
    ap.add_argument("--amodel", default="HTSAT-base")
    ap.add_argument("--fused", action="store_true")
    ap.add_argument("--threads", type=int, help="default: torch's own choice")
    ap.add_argument("--laion-path", help="folder that holds the laion_clap package, if it is not installed")
    args = ap.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    if args.threads:
        torch.set_num_threads(args.threads)
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):  # laion_clap prints; standard output is for answers
        module = load(args)
        loaded = time.perf_counter() - started
        # warm-up: kernels are chosen and caches filled by the first call
        module.get_audio_embedding_from_data([torch.zeros(480000)] * 2, use_tensor=True)
        module.get_text_embedding(["warm", "up"])
    print(json.dumps({"load_s": loaded, "threads": torch.get_num_threads(), "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            result = answer(module, json.loads(line))
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
