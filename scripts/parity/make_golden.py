"""Make tests/golden/clap and tests/data: what laion_clap and transformers compute from the demo's checkpoints.

    python scripts/parity/make_golden.py [--demo assets/demo] [--laion-path FOLDER_HOLDING_laion_clap]

    pip install torch==2.11.0 torchaudio==2.11.0 torchvision==0.26.0 transformers==5.23.0 laion_clap==1.1.7 \
        torchlibrosa==0.1.0 librosa==0.11.0 tokenizers==0.23.3 safetensors==0.8.0 soundfile==0.14.0 scipy==1.17.1

All in float32 on one CPU thread, by the code of these packages; the versions of a run stand in every file's metadata.
tests/golden/clap/README.md lists the tensors. Run scripts/demo/make_demo.py first.
"""
from __future__ import annotations

import argparse
import functools
import sys
import warnings
from contextlib import contextmanager, nullcontext
from pathlib import Path

import soundfile
import torch
import torchaudio

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "demo"))

import golden_file
import hf_small
import laion_offline
import laion_small
from crops import Crops

ROOT = Path(__file__).resolve().parents[2]
SEED = 1234  # the i-th piece, in name order, is cropped after numpy.random.seed(SEED + i)
PACKAGES = ("torch", "torchaudio", "torchvision", "transformers", "laion_clap", "torchlibrosa", "librosa", "tokenizers",
            "soundfile", "numpy")
STAGE_PIECES = ("bitter_03", "sour_01")  # 12 s, so that crops and fusion are inside; 0.9 s, so that repeats are
MEL_STRIDE = 100  # of 1001 frames: the first and the last one are in
TEXTS = [
    "bitter music, ambient for fine restaurant",
    "sweet music, ambient for fine restaurant",
    "techno",
    "A warm piano by the sea, soft strings & 84 bpm!",
    "people clapping   inside a church, then silence...",  # three spaces
    "Caf\u00e9 m\u00fasica \u2014 na\u00efve waltz \u266b",
    "\u5473\u306e\u97f3\u697d \U0001f36f honey",
    # longer than 77 tokens: truncation keeps <s> and </s>
    " ".join(["slow strings and a lonely clarinet play a waltz by the sea at midnight,"] * 8),
]


@contextmanager
def plain_shrink():
    """Fusion's first channel as torchvision before 0.17 made it: bilinear without antialiasing."""
    import torchvision
    original = torchvision.transforms.Resize
    torchvision.transforms.Resize = functools.partial(original, antialias=False)
    try:
        yield
    finally:
        torchvision.transforms.Resize = original


def load_48k(path: Path) -> tuple[torch.Tensor, dict]:
    """The notebooks' way in: mean of the channels, then torchaudio's resampler. Gives samples and the file's facts."""
    data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    y = torch.from_numpy(data).mean(dim=1)
    if rate != 48000:
        y = torchaudio.functional.resample(y, rate, 48000)
    return y, {"file": path.name, "rate": rate, "frames": data.shape[0], "channels": data.shape[1],
               "samples_48k": len(y)}


def input_tensors(module, pieces: dict[str, torch.Tensor], tokenizer) -> dict:
    """What a model is fed: token ids, the ends of every waveform, rows of both mels. `module` is an unfused model."""
    ids = tokenizer(TEXTS)
    out = {f"text.{k}": v for k, v in ids.items()}
    branch, crops = module.model.audio_branch, Crops()
    for i, (name, y) in enumerate(pieces.items()):
        out[f"samples_48k.head.{name}"], out[f"samples_48k.tail.{name}"] = y[:2048], y[-512:]
        with crops.recorded(SEED + i):
            waveform = laion_small.features([y], fused=False)[0]["waveform"]
        out[f"crops.unfused.{name}"] = crops.tensor()
        mel = branch.logmel_extractor(branch.spectrogram_extractor(waveform[None]))
        out[f"mel.unfused.{name}"] = mel[0, 0, ::MEL_STRIDE]
        for shrink, patch in (("plain", plain_shrink()), ("antialias", nullcontext())):
            with crops.recorded(SEED + i), patch:
                mel = laion_small.features([y], fused=True)[0]["mel_fusion"]
            out[f"mel.fused.{shrink}.{name}"] = mel[:, ::MEL_STRIDE]
            if shrink == "antialias":
                out[f"mel.fused.{shrink}.{name}"] = mel[:1, ::MEL_STRIDE]  # the other three rows are the same
        out[f"crops.fused.{name}"] = crops.tensor()
    return out


@contextmanager
def recorded_stages(module, out: dict, prefix: str):
    """Keep a part of what the audio tower computes inside the block; strides are written into the README."""
    branch, hooks = module.model.audio_branch, []

    def keep(layer, key, part):
        def hook(_, __, y):
            out[prefix + key] = part(y[0] if isinstance(y, tuple) else y)
        hooks.append(layer.register_forward_hook(hook))

    keep(branch.bn0, "bn0", lambda y: y.transpose(1, 3)[0, :, ::MEL_STRIDE])
    keep(branch.patch_embed, "patch_embed", lambda y: y[0, ::128])
    for i, stride in enumerate((32, 8, 2, 2)):
        keep(branch.layers[i], f"layer{i}", lambda y, stride=stride: y[0, ::stride])
    keep(branch, "embedding", lambda y: y["embedding"][0])
    keep(module.model.audio_projection, "projection", lambda y: y[0])
    image = branch.reshape_wav2img

    def image_kept(x):
        y = image(x)
        out[prefix + "image"] = y[0, :, ::16, ::8]
        return y

    branch.reshape_wav2img = image_kept
    try:
        yield
    finally:
        branch.reshape_wav2img = image
        for hook in hooks:
            hook.remove()


def laion_tensors(module, arch: laion_small.SmallArch, pieces: dict[str, torch.Tensor]) -> dict:
    """Embeddings of one checkpoint by laion_clap's public calls, and stages of two pieces."""
    out = {"text_embed": module.get_text_embedding(TEXTS, use_tensor=True)}
    crops = Crops()
    ways = (("plain.", plain_shrink), ("antialias.", nullcontext)) if arch.fused else (("", nullcontext),)
    for i, (name, y) in enumerate(pieces.items()):
        for way, patch in ways:
            stages = way != "antialias." and name in STAGE_PIECES
            with (patch(), crops.recorded(SEED + i),
                  recorded_stages(module, out, f"stage.{name}.") if stages else nullcontext()):
                out[f"audio.{way}{name}"] = module.get_audio_embedding_from_data([y], use_tensor=True)[0]
        out[f"crops.{name}"] = crops.tensor()
    return out


def save(path: Path, tensors: dict, facts: dict) -> None:
    made = {"made_by": "scripts/parity/make_golden.py", "seed": SEED, "texts": TEXTS}
    golden_file.save(path, tensors, {**made, **facts}, PACKAGES)


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--demo", type=Path, default=ROOT / "assets/demo")
    ap.add_argument("--pieces", type=Path, default=ROOT / "tests/data/pieces")
    ap.add_argument("--out", type=Path, default=ROOT / "tests", help="the folder that gets golden/ and data/")
    ap.add_argument("--laion-path", help="folder that holds the laion_clap package, if it is not installed")
    args = ap.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.set_grad_enabled(False)
    warnings.filterwarnings("ignore")

    golden = args.out / "golden/clap"
    loaded = {p.stem: load_48k(p) for p in sorted(args.pieces.iterdir())}
    pieces = {name: y for name, (y, _) in loaded.items()}
    facts = {"pieces": {name: f for name, (_, f) in loaded.items()}}
    tokenizer = laion_offline.LocalTokenizer(args.demo / "tokenizer.json")
    laion = laion_offline.load_laion(args.laion_path)
    for arch in laion_small.ARMS:
        module = laion_small.load_small(laion, arch, args.demo, tokenizer)
        save(golden / f"{arch.stem}.safetensors", laion_tensors(module, arch, pieces), facts)
        if arch.keeps_mel_bank:
            save(golden / "inputs.safetensors", input_tensors(module, pieces, tokenizer), facts)

    texts = hf_small.tokenize(tokenizer, TEXTS)
    for name, fused, seed in hf_small.FOLDERS:
        folder = args.out / "data" / name
        hf_small.make_folder(folder, fused, seed, hf_small.sizes(tokenizer.inner.get_vocab_size()), texts, list(pieces.values()))
        save(golden / f"{name}.safetensors", hf_small.golden(folder, fused, texts, pieces, SEED), facts)


if __name__ == "__main__":
    main()
