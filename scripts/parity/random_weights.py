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
        if hasattr(module, "parametrizations"):  # a weight-normalised convolution
            _draw_weight_norm(module, g)
        elif isinstance(module, (nn.Linear, nn.Conv2d)):
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
        elif type(module).__name__ == "T5LayerNorm":
            module.weight.normal_(1.0, 0.2, generator=g)
        elif isinstance(module, nn.LSTM):
            bound = 3 / math.sqrt(module.hidden_size)  # three times torch's own, so that the gates move
            for parameter in module.parameters():
                parameter.uniform_(-bound, bound, generator=g)
        elif type(module).__name__ == "EncodecEuclideanCodebook":
            module.embed.normal_(0.0, 1.0, generator=g)
            module.cluster_size.uniform_(1.0, 10.0, generator=g)
            module.embed_avg.copy_(module.embed * module.cluster_size[:, None])
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(0.0, _embedding_spread(name), generator=g)
        if getattr(module, "relative_position_bias_table", None) is not None:
            module.relative_position_bias_table.normal_(0.0, 0.7, generator=g)
    return model.eval()


def _embedding_spread(name: str) -> float:
    """Tables that must be strong to be heard over what is added to them."""
    if ".embed_tokens." in name:  # of MusicGen's codebooks: else the positions drown them
        return 2.0
    return 1.0 if name.endswith(("relative_attention_bias", "text_encoder.shared")) else 0.5


def _draw_weight_norm(module: nn.Module, g: torch.Generator) -> None:
    """A gain that is not the norm of its direction: forgetting either shows."""
    parts = module.parametrizations.weight
    gain, direction = parts.original0, parts.original1
    # of a transposed convolution axis 0 is the input channel, and two taps reach each sample
    fan_in = direction[0].numel() if isinstance(module, nn.Conv1d) else 2 * direction.shape[0]
    direction.normal_(0.0, 1 / math.sqrt(fan_in), generator=g)
    norm = direction.flatten(1).norm(dim=1).view(gain.shape)
    gain.copy_(norm * (0.7 + 0.6 * torch.rand(gain.shape, generator=g)))
    module.bias.normal_(0.0, 0.05, generator=g)


@torch.no_grad()
def centre(last: nn.Linear, outputs: torch.Tensor) -> None:
    """Shift the bias of the last layer so that `outputs` [samples, dim], its own, get mean 0.

    A random network maps everything near one direction; without this every cosine is 0.9 and hides mistakes.
    """
    last.bias.sub_(outputs.mean(0))
