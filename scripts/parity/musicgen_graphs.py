"""The exported MusicGen graphs, run by ONNX Runtime from Python on plain arrays: no loop of the harness is involved.

Inputs and outputs are those that `crates/onnx-export/src/musicgen` documents. The decoder's caches have one of two forms: `shared`, buffers
that the graph writes the new keys and values into (outputs `present_*`), or `appended`, buffers that the caller writes them
into (outputs `new_*`).
"""
from __future__ import annotations

import functools
import json
import math
from pathlib import Path

import numpy as np
import onnxruntime

import sessions


class Graphs:
    """Text encoder, cross-attention, decoder and the codec's three parts in one folder of `harness export`.

    A graph computes in the precision that export.json states for it, else in that of the export. Sessions are made when they are
    first asked for.
    """

    def __init__(self, folder: Path, threads: int, provider: str = "cpu", device: int = 0):
        self.folder, self.threads, self.provider, self.device = folder, threads, provider, device
        self.export = json.loads((folder / "export.json").read_text())

    def session(self, name: str) -> onnxruntime.InferenceSession:
        precision = self.export["graphs"][name].get("precision", self.export["precision"])
        return sessions.session(self.folder / f"{name}.onnx", self.provider, precision, self.threads, self.device)

    text_encoder = functools.cached_property(lambda self: self.session("text_encoder"))
    cross_attention = functools.cached_property(lambda self: self.session("cross_attention"))
    decoder = functools.cached_property(lambda self: self.session("decoder"))
    codec_frames = functools.cached_property(lambda self: self.session("codec_frames"))
    codec_stages = functools.cached_property(lambda self: [self.session("codec_coarse"), self.session("codec_fine")])

    def states(self, ids: np.ndarray) -> np.ndarray:
        """T5's last hidden state [1, tokens, width] of one text's `ids` [tokens]."""
        return self.text_encoder.run(["last_hidden_state"], {"input_ids": ids[None].astype(np.int64)})[0]

    def attended(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """`encoder_hidden_states`, and keys and values of every layer, of one text."""
        names = [o.name for o in self.cross_attention.get_outputs()]
        kind = self.cross_attention.get_inputs()[0].type
        fed = {"last_hidden_state": sessions.as_element(states, kind)}
        return dict(zip(names, self.cross_attention.run(names, fed), strict=True))

    def logits(self, texts: list[dict[str, np.ndarray]], ids: np.ndarray) -> np.ndarray:
        """Logits [rows, codebooks, steps, vocab] for `ids` [rows, codebooks, steps], fed step by step.

        Row i attends to text i, padded to the longest; rows behind the texts are null branches.
        """
        rows, codebooks, steps = ids.shape
        kinds = {i.name: i.type for i in self.decoder.get_inputs()}
        outputs = [o.name for o in self.decoder.get_outputs()]
        run = _Shared if "present_key.0" in outputs else _Appended
        fixed = {**self._cross_inputs(texts, rows), "row_pieces": np.arange(rows, dtype=np.int64)}
        run = run(self, kinds, {name: v for name, v in fixed.items() if name in kinds}, rows, steps)
        logits = []
        for step in range(steps):
            fed = {"codes": ids[:, :, step].astype(np.int64), "position": np.array([step], np.int64),
                   "lengths": np.full(rows, step, np.int32), "total": np.array(step + 1, np.int32),
                   "filled": np.where(np.arange(steps) < step, 0, -1e9).astype(np.float32).reshape(1, 1, 1, -1)}
            of_step = run.step({name: value for name, value in fed.items() if name in kinds}, step)
            logits.append(of_step.astype(np.float32).reshape(rows, codebooks, -1))
        return np.stack(logits, axis=2)

    def _cross_inputs(self, texts: list[dict[str, np.ndarray]], rows: int) -> dict[str, np.ndarray]:
        """What the cross-attention reads. A graph of null branches alone still needs one text that no row asks for."""
        shapes = {i.name: i.shape for i in self.decoder.get_inputs()}
        _, heads, _, head_dim = shapes["cross_key.0"]
        lengths = [text["cross_key.0"].shape[2] for text in texts] or [1]
        bias = np.full((len(lengths), 1, 1, max(lengths)), np.finfo(np.float32).min, np.float32)
        for row, length in enumerate(lengths):
            bias[row, ..., :length] = 0.0
        shape = (len(lengths), heads, max(lengths), head_dim)
        places = np.where(np.arange(rows) < len(texts), np.arange(rows), len(lengths))
        inputs = {"cross_bias": bias, "cross_rows": np.arange(len(lengths), dtype=np.int64),
                  "cross_places": places.astype(np.int64)}
        for name in shapes:
            if name.startswith(("cross_key.", "cross_value.")):
                padded = np.zeros(shape, np.float32)
                for row, text in enumerate(texts):
                    padded[row, :, :lengths[row]] = text[name][0]
                inputs[name] = padded
        return inputs

    def audio(self, codes: np.ndarray) -> np.ndarray:
        """[pieces, samples] of `codes` [pieces, codebooks, frames], each piece as one tile."""
        pieces = self.codec_frames.run(["states"], {"codes": codes.astype(np.int64)})[0]
        return np.stack([self._samples(rows) for rows in pieces])

    def _samples(self, rows: np.ndarray) -> np.ndarray:
        ratios = self.export["model"]["musicgen"]["codec"]["ratios"]
        half = (len(ratios) + 1) // 2
        for stages, ratio in zip(self.codec_stages, (math.prod(ratios[:half]), math.prod(ratios[half:])), strict=True):
            rows = _in_tiles(stages, rows, ratio)
        return rows


def _in_tiles(stages: onnxruntime.InferenceSession, signal: np.ndarray, ratio: int) -> np.ndarray:
    """What comes of `signal` [rows, channels], all tiles at once."""
    kinds = {i.name: i.type for i in stages.get_inputs()}
    _, rows_in, channels = next(i.shape for i in stages.get_inputs() if i.name == "rows")
    rows = stages.get_outputs()[0].shape[1] // ratio
    halo = (rows_in - rows) // 2
    tiles = -(-len(signal) // rows)
    padded = np.zeros((tiles * rows + 2 * halo, channels), np.float32)
    padded[halo:halo + len(signal)] = signal
    numbers = np.arange(tiles, dtype=np.int32)[:, None]
    fed = {"rows": sessions.as_element(np.stack([padded[at:at + rows_in] for at in numbers[:, 0] * rows]), kinds["rows"]),
           "start": numbers * rows - halo, "total": np.full_like(numbers, len(signal)), "tile": numbers}
    output = stages.run(["output"], fed)[0].astype(np.float32)
    return output.reshape(tiles * rows * ratio, *output.shape[2:])[:len(signal) * ratio]


def _caches(kinds: dict[str, str]) -> list[str]:
    return [name for name in kinds if name.startswith("past_")]


def _cache_shape(decoder: onnxruntime.InferenceSession, rows: int, steps: int) -> tuple[int, ...]:
    _, heads, _, head_dim = next(i.shape for i in decoder.get_inputs() if i.name == "past_key.0")
    return rows, heads, steps, head_dim


class _Shared:
    """Past and present of a layer are one buffer, on the device where the graph runs."""

    def __init__(self, graphs: Graphs, kinds: dict, fixed: dict, rows: int, steps: int):
        self.decoder, self.kinds = graphs.decoder, kinds
        self.binding = self.decoder.io_binding()
        on = "cuda" if graphs.provider in ("cuda", "tensorrt") else "cpu"
        # ONNX Runtime reads host arrays where they are: each has to live as long as it is bound
        self.values = {name: sessions.on_host(value, kinds[name]) for name, value in fixed.items()}
        for name in _caches(kinds):
            shape = _cache_shape(self.decoder, rows, steps)
            self.values[name] = sessions.zeros(shape, kinds[name], on, graphs.device)
            self.binding.bind_ortvalue_output(name.replace("past_", "present_"), self.values[name])
        for name, value in self.values.items():
            self.binding.bind_ortvalue_input(name, value)
        logits = next(o for o in self.decoder.get_outputs() if o.name == "logits")
        self.logits = sessions.zeros((rows, logits.shape[1]), logits.type, "cpu", 0)
        self.binding.bind_ortvalue_output("logits", self.logits)

    def step(self, fed: dict, step: int) -> np.ndarray:
        for name, value in fed.items():
            self.values[name] = sessions.on_host(value, self.kinds[name])
            self.binding.bind_ortvalue_input(name, self.values[name])
        self.decoder.run_with_iobinding(self.binding)
        return self.logits.numpy().copy()


class _Appended:
    """The graph gives the new keys and values, which are put behind the others here."""

    def __init__(self, graphs: Graphs, kinds: dict, fixed: dict, rows: int, steps: int):
        self.decoder = graphs.decoder
        self.fed = {name: sessions.as_element(value, kinds[name]) for name, value in fixed.items()}
        self.caches = {name: np.zeros(_cache_shape(self.decoder, rows, steps), sessions.ELEMENTS[kinds[name]][0])
                       for name in _caches(kinds)}
        self.outputs = ["logits", *(name.replace("past_", "new_") for name in self.caches)]

    def step(self, fed: dict, step: int) -> np.ndarray:
        logits, *new = self.decoder.run(self.outputs, {**self.fed, **self.caches, **fed})
        for cache, value in zip(self.caches.values(), new, strict=True):
            cache[:, :, step] = value[:, :, 0]
        return logits
