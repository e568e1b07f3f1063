"""The exported MusicGen graphs, run by ONNX Runtime from Python on plain arrays: no loop of the harness is involved.

Inputs and outputs are those that `src/export/musicgen` documents.
"""
from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

PROVIDERS = ["CPUExecutionProvider"]


class Graphs:
    """Text encoder, cross-attention, decoder and the codec's three parts in one folder of `harness export`."""

    def __init__(self, folder: Path, threads: int):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        names = ("text_encoder", "cross_attention", "decoder", "codec_frames", "codec_coarse", "codec_fine")
        sessions = [onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options, providers=PROVIDERS) for name in names]
        self.text_encoder, self.cross_attention, self.decoder, self.codec_frames, *self.codec_stages = sessions
        shapes = {i.name: i.shape for i in self.decoder.get_inputs()}
        self.codebooks = shapes["codes"][1]
        self.layers = sum(name.startswith("past_key.") for name in shapes)
        _, self.heads, _, self.head_dim = shapes["past_key.0"]

    def states(self, ids: np.ndarray) -> np.ndarray:
        """T5's last hidden state [1, tokens, width] of one text's `ids` [tokens]."""
        return self.text_encoder.run(["last_hidden_state"], {"input_ids": ids[None].astype(np.int64)})[0]

    def attended(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """`encoder_hidden_states`, and keys and values of every layer, of one text."""
        names = [o.name for o in self.cross_attention.get_outputs()]
        return dict(zip(names, self.cross_attention.run(names, {"last_hidden_state": states}), strict=True))

    def logits(self, texts: list[dict[str, np.ndarray]], ids: np.ndarray) -> np.ndarray:
        """Logits [rows, codebooks, steps, vocab] for `ids` [rows, codebooks, steps], fed step by step.

        Row i attends to text i, padded to the longest; without texts every row is a null branch. The caches are new arrays
        at each step: ONNX Runtime writes a step only into the ones that it returns.
        """
        rows, codebooks, steps = ids.shape
        fixed = self._cross_inputs(texts, rows)
        fixed["row_pieces"] = np.arange(rows, dtype=np.int64)
        shape = (rows, self.heads, steps, self.head_dim)
        caches = {f"{part}.{layer}": np.zeros(shape, np.float32) for layer in range(self.layers) for part in ("key", "value")}
        outputs = ["logits", *(f"present_{name}" for name in caches)]
        logits = []
        for step in range(steps):
            fed = {**fixed, **{f"past_{name}": cache for name, cache in caches.items()},
                   "codes": ids[:, :, step].astype(np.int64), "position": np.array([step], np.int64),
                   "lengths": np.full(rows, step, np.int32), "total": np.array(step + 1, np.int32)}
            of_step, *presents = self.decoder.run(outputs, fed)
            caches = dict(zip(caches, presents, strict=True))
            logits.append(of_step.reshape(rows, codebooks, -1))
        return np.stack(logits, axis=2)

    def _cross_inputs(self, texts: list[dict[str, np.ndarray]], rows: int) -> dict[str, np.ndarray]:
        """What the cross-attention reads. A graph of null branches alone still needs one text that no row asks for."""
        lengths = [text["cross_key.0"].shape[2] for text in texts] or [1]
        bias = np.full((len(lengths), 1, 1, max(lengths)), np.finfo(np.float32).min, np.float32)
        for row, length in enumerate(lengths):
            bias[row, ..., :length] = 0.0
        shape = (len(lengths), self.heads, max(lengths), self.head_dim)
        inputs = {"cross_bias": bias, "cross_rows": np.arange(len(lengths), dtype=np.int64),
                  "cross_places": np.arange(rows, dtype=np.int64) if texts else np.full(rows, 1, np.int64)}
        for layer in range(self.layers):
            for name in (f"cross_key.{layer}", f"cross_value.{layer}"):
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
        for stages in self.codec_stages:
            whole = {"start": 0, "total": len(rows), "from": 0, "to": len(rows)}
            fed = {"rows": rows, **{name: np.array(value, np.int64) for name, value in whole.items()}}
            rows = stages.run(["output"], fed)[0]
        return rows
