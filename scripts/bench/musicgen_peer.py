"""The peer of the MusicGen benchmark: transformers in a process of its own, told what to do line by line.

    musicgen_peer.py --model FOLDER [--tokenizer tokenizer.json] [--threads N] [--attention sdpa|eager]

Reads one JSON object a line from standard input and answers with one on standard output:

    {"do": "generate", "prompts": [...], "batch": 8, "tokens": 503}    generate(), `batch` prompts a call, EnCodec included
    {"do": "codec", "pieces": 8, "frames": 500, "batch": 8}            audio_encoder.decode of random codes
    -> {"seconds": 41.2, "codec_seconds": 2.1}                         without loading the model; batch 0 is one call for all

Sampling is the text-to-audio pipeline's: do_sample, guidance 3, top_k 50, the model's own generation_config otherwise. The first
answer comes when the model is loaded and warm.
"""
from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import torch

SAMPLING = {"do_sample": True, "guidance_scale": 3.0, "top_k": 50}


class Peer:
    """The model, its tokenizer, and a clock on its EnCodec decoder."""

    def __init__(self, model: Path, tokenizer: Path, attention: str, dtype: torch.dtype = torch.float32, device: str = "cpu"):
        import transformers
        from tokenizers import Tokenizer
        transformers.logging.set_verbosity_error()
        self.model = transformers.MusicgenForConditionalGeneration.from_pretrained(
            model, attn_implementation={"decoder": attention, "text_encoder": "eager", "audio_encoder": "eager"},
            dtype=dtype).to(device).eval()
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.enable_padding(pad_id=0, pad_token="<pad>")
        self.codec_seconds = 0.0
        self.decode = self.model.audio_encoder.decode
        self.model.audio_encoder.decode = self._timed_decode

    def _timed_decode(self, *arguments, **named):
        started = time.perf_counter()
        audio = self.decode(*arguments, **named)
        self.codec_seconds += time.perf_counter() - started
        return audio

    def generate(self, prompts: list[str], tokens: int, **more) -> torch.Tensor:
        encoded, device = self.tokenizer.encode_batch(prompts), self.model.device
        return self.model.generate(input_ids=torch.tensor([e.ids for e in encoded], device=device),
                                   attention_mask=torch.tensor([e.attention_mask for e in encoded], device=device),
                                   max_new_tokens=tokens, **SAMPLING, **more)

    def codec(self, pieces: int, frames: int) -> None:
        config = self.model.decoder.config
        codes = torch.randint(0, config.vocab_size, (1, pieces, config.num_codebooks, frames),
                              generator=torch.Generator().manual_seed(0))
        self.model.audio_encoder.decode(codes, [None] * pieces)

    def answer(self, job: dict) -> dict:
        self.codec_seconds = 0.0
        started = time.perf_counter()
        if job["do"] == "generate":
            prompts = job["prompts"]
            size = job["batch"] or len(prompts)
            for i in range(0, len(prompts), size):
                self.generate(prompts[i:i + size], job["tokens"])
        elif job["do"] == "codec":
            size = job["batch"] or job["pieces"]
            for first in range(0, job["pieces"], size):
                self.codec(min(size, job["pieces"] - first), job["frames"])
        else:
            raise ValueError(f"unknown job {job['do']!r}: generate or codec")
        return {"seconds": time.perf_counter() - started, "codec_seconds": self.codec_seconds}


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--model", type=Path, required=True, help="folder of a MusicgenForConditionalGeneration")
    ap.add_argument("--tokenizer", type=Path, help="default: tokenizer.json in that folder")
    ap.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"], help="of the decoder")
    ap.add_argument("--threads", type=int, help="default: torch's own choice")
    args = ap.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    started = time.perf_counter()
    peer = Peer(args.model, args.tokenizer or args.model / "tokenizer.json", args.attention)
    loaded = time.perf_counter() - started
    peer.answer({"do": "generate", "prompts": ["warm", "up"], "batch": 0, "tokens": 6})
    print(json.dumps({"load_s": loaded, "threads": torch.get_num_threads(), "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(peer.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
