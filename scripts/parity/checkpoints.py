"""The fixtures of crates/checkpoint/tests: real torch.save files, and the tensor lists of the real models.

    python scripts/parity/checkpoints.py --out crates/checkpoint/tests/checkpoint/data [--kit CKPT]

Needs torch and numpy. --kit is a folder made by the reference kit's make_checkpoints.py; with it the lists of names,
shapes and types of laion_clap's and transformers' CLAP models are written too (their values are random and stay out).
Made with torch 2.11, numpy 2.4, laion_clap 1.1.7, transformers 5.23.
"""

import argparse
import collections
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import torch


def mixed() -> dict:
    """A checkpoint as laion's training loop writes it, with every element type and layout that is read."""
    rng = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(*shape, generator=rng)
    base = draw(4, 6)
    state = collections.OrderedDict()
    state["module.plain"] = base
    state["module.scalar"] = torch.tensor(2.6592)
    state["module.transposed"] = draw(5, 3).t()
    state["module.permuted"] = draw(2, 3, 4).permute(2, 0, 1)
    state["module.row"] = base[2]
    state["module.column"] = base[:, 1]
    state["module.half"] = draw(3, 4).half()
    state["module.bfloat16"] = draw(7).bfloat16()
    state["module.double"] = draw(2, 2).double()
    state["module.parameter"] = torch.nn.Parameter(draw(3))
    state["module.empty"] = torch.zeros(0, 3)
    state["module.num_batches_tracked"] = torch.tensor(7)
    state["module.position_ids"] = torch.arange(9).expand((1, -1))
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    moments = {"step": torch.tensor(3.0), "exp_avg": torch.zeros(4, 6), "exp_avg_sq": torch.zeros(4, 6)}
    return {
        "epoch": 15,
        "name": "mixed",
        "state_dict": state,
        "optimizer": {
            "state": {0: moments},
            "param_groups": [{"lr": np.float64(1e-4), "betas": (0.9, 0.99), "params": [0]}],
        },
        "scaler": {"scale": 65536.0, "_growth_tracker": 3},
        "best_metric": np.float64(0.9014),
    }


class Shell:
    """What a hostile file holds: unpickling it would call the shell."""

    def __reduce__(self):
        return os.system, ("echo this must never run",)


def write_values(out: Path, state: dict) -> None:
    """Name (without module.), shape and values of the floating tensors, in row-major order."""
    values = {
        name.removeprefix("module."): {"shape": list(t.shape), "values": t.detach().double().flatten().tolist()}
        for name, t in state.items()
        if t.is_floating_point()
    }
    out.write_text(json.dumps(values, indent=1) + "\n")


def write_list(out: Path, tensors: dict) -> None:
    """One line a tensor: name, type, shape."""
    short = {torch.float32: "f32", torch.int64: "i64"}
    lines = [f"{name} {short[t.dtype]} {','.join(map(str, t.shape))}\n" for name, t in tensors.items()]
    out.write_text("".join(lines))


def numpy1_names(path: Path) -> None:
    """Spell numpy's module as numpy 1 does, which the public checkpoints were saved with."""
    with zipfile.ZipFile(path) as source:
        entries = [(i.filename, source.read(i)) for i in source.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name, data in entries:
            if name.endswith("data.pkl"):
                data = data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
            target.writestr(zipfile.ZipInfo(name), data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kit", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    checkpoint = mixed()
    torch.save(checkpoint, args.out / "mixed.pt")
    write_values(args.out / "mixed.json", checkpoint["state_dict"])
    torch.save(checkpoint, args.out / "numpy1.pt")
    numpy1_names(args.out / "numpy1.pt")
    torch.save({"plain": torch.ones(2)}, args.out / "bare.pt")
    torch.save({"plain": torch.ones(2)}, args.out / "protocol4.pt", pickle_protocol=4)
    torch.save({"plain": torch.ones(2)}, args.out / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.save({"state_dict": {"plain": torch.ones(2)}, "hook": Shell()}, args.out / "shell.pt")
    torch.save({"plain": torch.ones(2), "hook": Shell()}, args.out / "shell4.pt", pickle_protocol=4)

    if args.kit:
        from safetensors.torch import load_file

        for name in ["laion_fused_tiny", "laion_unfused_base"]:
            state = torch.load(args.kit / f"{name}.pt", weights_only=False, map_location="cpu")["state_dict"]
            write_list(args.out / f"{name}.txt", state)
        write_list(args.out / "clap_hf_fused.txt", load_file(args.kit / "clap_hf_fused/model.safetensors"))


if __name__ == "__main__":
    main()
