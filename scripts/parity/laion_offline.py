"""laion_clap without a network: no wandb, no hub, a RoBERTa configuration and a tokenizer.json of our own.

laion_clap calls `from_pretrained` when it is imported (training/data.py) and when a model is built (model.py,
hook.py). `load_laion` replaces these calls before the import. Nothing inside laion_clap is changed, so what it
computes is its own. Written for laion_clap 1.1.7.
"""
from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

import torch
import transformers
from transformers import RobertaConfig, RobertaModel

MAX_TOKENS = 77  # laion_clap pads and truncates every text to this
_LOCAL: dict = {"roberta": None, "tokenizer": None}


class LocalTokenizer:
    """What laion_clap calls of RobertaTokenizer, over a tokenizer.json file."""

    def __init__(self, path: Path | str):
        from tokenizers import Tokenizer
        self.inner = Tokenizer.from_file(str(path))

    def __call__(self, text, padding="max_length", truncation=True, max_length=MAX_TOKENS, return_tensors="pt"):
        if padding != "max_length" or not truncation or return_tensors != "pt":
            raise ValueError("laion_clap pads and truncates to max_length and asks for torch tensors")
        self.inner.enable_truncation(max_length)
        self.inner.enable_padding(length=max_length, pad_id=1, pad_token="<pad>")
        encoded = self.inner.encode_batch([text] if isinstance(text, str) else list(text))
        return {"input_ids": torch.tensor([e.ids for e in encoded]),
                "attention_mask": torch.tensor([e.attention_mask for e in encoded])}


def roberta_config(**sizes) -> RobertaConfig:
    """roberta-base, except for the sizes given."""
    base = dict(vocab_size=50265, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                intermediate_size=3072, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5,
                pad_token_id=1, bos_token_id=0, eos_token_id=2)
    return RobertaConfig(**{**base, **sizes})


def use_text_tower(config: RobertaConfig) -> None:
    """Say what RobertaModel.from_pretrained gives from now on."""
    _LOCAL["roberta"] = config


def use_tokenizer(tokenizer: LocalTokenizer) -> None:
    """Say what RobertaTokenizer.from_pretrained gives from now on."""
    _LOCAL["tokenizer"] = tokenizer


def load_laion(laion_path: Path | str | None = None):
    """Import laion_clap, from the folder that holds it if it is not installed, and return the package."""
    try:
        importlib.import_module("wandb")
    except ImportError:
        sys.modules["wandb"] = types.ModuleType("wandb")
    RobertaModel.from_pretrained = classmethod(lambda cls, *a, **k: RobertaModel(_LOCAL["roberta"]))
    for name in ("BertTokenizer", "RobertaTokenizer", "BartTokenizer"):
        setattr(getattr(transformers, name), "from_pretrained", classmethod(lambda cls, *a, **k: _LOCAL["tokenizer"]))
    if laion_path and str(laion_path) not in sys.path:
        sys.path.insert(0, str(laion_path))
    return importlib.import_module("laion_clap")


def roberta_config_of(state: dict) -> RobertaConfig:
    """The configuration of the text tower inside a laion checkpoint; heads are 64 wide, as in roberta-base."""
    prefix = "module.text_branch."
    words = state[prefix + "embeddings.word_embeddings.weight"]
    layers = {k.split(".layer.")[1].split(".")[0] for k in state if k.startswith(prefix + "encoder.layer.")}
    return roberta_config(
        vocab_size=words.shape[0], hidden_size=words.shape[1], num_hidden_layers=len(layers),
        num_attention_heads=words.shape[1] // 64,
        intermediate_size=state[prefix + "encoder.layer.0.intermediate.dense.weight"].shape[0],
        max_position_embeddings=state[prefix + "embeddings.position_embeddings.weight"].shape[0])
