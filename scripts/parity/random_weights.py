"""Random weights that make a mistake show.

torch's own initialisation leaves norms at 1 and 0, statistics at 0 and 1 and position tables near 0, so that a program
that forgets one of them still gets the right answer. Here nothing is neutral.
"""
from __future__ import annotations

import math

import torch
from torch import nn

CONSTANT = ("stft", "conv_real", "conv_imag", "logmel_extractor")  # DFT and mel matrices


@torch.no_grad()
def draw_weights(model: nn.Module, seed: int) -> nn.Module:
    """Redraw every parameter and stored statistic of `model`, by the kind of module that owns it."""
    g = torch.Generator().manual_seed(seed)
    for name, module in model.named_modules():
        if name.endswith(CONSTANT):
            continue
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            module.weight.normal_(0.0, 1 / math.sqrt(module.weight[0].numel()), generator=g)
            if module.bias is not None:
                module.bias.normal_(0.0, 0.1, generator=g)
        elif isinstance(module, nn.LayerNorm):
            module.weight.normal_(1.0, 0.2, generator=g)
            module.bias.normal_(0.0, 0.1, generator=g)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.normal_(1.0, 0.2, generator=g)
            module.bias.normal_(0.0, 0.2, generator=g)
            over_mel_bins = name.endswith(("bn0", "audio_encoder.batch_norm"))  # its input is in dB
            module.running_mean.normal_(*((-30.0, 10.0) if over_mel_bins else (0.0, 0.5)), generator=g)
            module.running_var.uniform_(*((200.0, 600.0) if over_mel_bins else (0.5, 2.0)), generator=g)
            module.num_batches_tracked.fill_(1000)
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(0.0, 0.5, generator=g)
        if getattr(module, "relative_position_bias_table", None) is not None:
            module.relative_position_bias_table.normal_(0.0, 0.7, generator=g)
    return model.eval()


@torch.no_grad()
def centre(last: nn.Linear, outputs: torch.Tensor) -> None:
    """Shift the bias of the last layer so that `outputs` [samples, dim], its own, get mean 0.

    A random network maps everything near one direction; without this every cosine is 0.9 and hides mistakes.
    """
    last.bias.sub_(outputs.mean(0))
