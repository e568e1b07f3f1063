"""Make the golden values and the sound files that crates/clap-audio/tests/front_end.rs compares the audio front end with.

    pip install torch torchaudio torchvision torchlibrosa librosa soundfile safetensors transformers laion_clap
    python scripts/parity/audio.py            # from the root of the repository; 10 s, no network, no GPU

Writes tests/golden/audio/front_end.safetensors and tests/data/audio/*. Made with torch and torchaudio 2.11,
torchvision 0.26, torchlibrosa 0.1, librosa 0.11, laion_clap 1.1.7, soundfile 0.14 (libsndfile 1.2.2).

The signals are integers divided by a power of two (`signal`), so the Rust test makes them again bit for bit and no
long WAV is stored. Of each spectrogram some rows are kept (`rows`). Tensors:

    resample.FROM_TO            torchaudio.functional.resample of signal(1500)
    rows                        which frames of a spectrogram are kept
    unfused.CASE.POLICY         [rows, 64] torchlibrosa, of the filled or cropped clip
    fused.CASE.POLICY           [4 or 1, rows, 64] mel_fusion of laion_clap, which antialiases; one channel when all four
                                are equal
    plain.CASE.POLICY           [rows, 64] channel 0 as torchvision before 0.17 computed it
    crops.CASE.POLICY           I64 (front, middle, back, offset), -1 where laion_clap drew nothing
    filters.slaney, .htk        [101, 64] every third row of the filter banks
    decoded.FILE                soundfile's samples of tests/data/audio/FILE, mean of the channels

POLICY replaces numpy's random draws: `start` takes the first, `center` the middle of what laion_clap could draw.
"""
import sys
import types
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch
import torchaudio
import torchlibrosa
import torchvision
import transformers
from safetensors.torch import save_file

CASES = {"one": 1, "tiny": 480, "short": 144_000, "seven": 336_000, "exact": 480_000, "plus200": 480_200,
         "plus600": 480_600, "long": 700_000}
RATES = [(32000, 48000), (44100, 48000), (16000, 48000), (22050, 48000), (96000, 48000), (47900, 48000),
         (48000, 44100), (192000, 48000)]
CONFIG = {"sample_rate": 48000, "window_size": 1024, "hop_size": 480, "mel_bins": 64, "fmin": 50, "fmax": 14000}
CLIP = 480_000


def signal(n, seed=0):
    """Two triangle waves whose pitch changes every half second, and a little noise; f32, exact."""
    i = np.arange(n, dtype=np.uint64)
    h = (i * 2654435761 + seed * 97 + 1) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 2246822519) & 0xFFFFFFFF
    h ^= h >> 13
    noise = (h >> 22).astype(np.int64) - 512
    i = i.astype(np.int64)
    pitch = 300 + 131 * ((i // 24000 + seed) % 11)
    triangle = lambda f: 2 * np.abs((i * f) % 65536 - 32768) - 32768
    return ((4 * triangle(pitch) + triangle(7 * pitch) + 2 * noise) / 2.0 ** 18).astype(np.float32)


def load_laion():
    """laion_clap's own get_audio_features. Its import asks a hub for tokenizers, which are not needed here."""
    sys.modules.setdefault("wandb", types.ModuleType("wandb"))
    for name in ("BertTokenizer", "RobertaTokenizer", "BartTokenizer"):
        getattr(transformers, name).from_pretrained = classmethod(lambda cls, *a, **k: None)
    from laion_clap.training import data
    return data


def features(data, y, policy, truncating):
    """get_audio_features with numpy's draws replaced; also what was drawn."""
    chosen, offset = [], []

    def choice(possible):
        chosen.append(int(possible[len(possible) // 2 if policy == "center" else 0]))
        return chosen[-1]

    def randint(low, high):
        offset.append((high - 1) // 2 if policy == "center" else low)
        return offset[-1]

    old = np.random.choice, np.random.randint
    np.random.choice, np.random.randint = choice, randint
    try:
        f = data.get_audio_features({}, y, CLIP, truncating, "repeatpad", CONFIG)
    finally:
        np.random.choice, np.random.randint = old
    return f, torch.tensor((chosen or [-1] * 3) + (offset or [-1]))


def spectrograms(out):
    data = load_laion()
    stft = torchlibrosa.stft.Spectrogram(n_fft=1024, hop_length=480, win_length=1024, window="hann", center=True,
                                         pad_mode="reflect", freeze_parameters=True)
    logmel = torchlibrosa.stft.LogmelFilterBank(sr=48000, n_fft=1024, n_mels=64, fmin=50, fmax=14000, ref=1.0,
                                                amin=1e-10, top_db=None, freeze_parameters=True)
    rows = torch.tensor(sorted({*range(0, 1001, 77), 1, 2, 999, 1000}))
    out["rows"] = rows
    plain = torchvision.transforms.Resize([1001, 64], antialias=False)
    for case, n in CASES.items():
        y = torch.from_numpy(signal(n))
        for policy in ("start", "center") if n > CLIP else ("start",):
            key = f"{case}.{policy}"
            f, _ = features(data, y, policy, "rand_trunc")
            out[f"unfused.{key}"] = logmel(stft(f["waveform"][None]))[0, 0][rows]
            f, out[f"crops.{key}"] = features(data, y, policy, "fusion")
            stack = f["mel_fusion"][:, rows]
            out[f"fused.{key}"] = stack if bool(f["longer"]) else stack[:1]
            if bool(f["longer"]):
                out[f"plain.{key}"] = plain(data.get_mel(y, CONFIG)[None])[0][rows]
    out["filters.slaney"] = torch.from_numpy(librosa.filters.mel(sr=48000, n_fft=1024, n_mels=64, fmin=50,
                                                                 fmax=14000).T[:303:3].copy())
    out["filters.htk"] = torchaudio.functional.melscale_fbanks(513, 50.0, 14000.0, 64, 48000)[:303:3]


def sound_files(out, folder):
    folder.mkdir(parents=True, exist_ok=True)
    short = np.stack([signal(300, 1), signal(300, 2)], axis=1)
    six = np.stack([signal(100, k) for k in range(6)], axis=1)
    longer = np.stack([signal(5000, 1), 0.5 * signal(5000, 2)], axis=1)
    for name, rate, samples, kind, subtype in (
            ("pcm_u8.wav", 32000, short, "WAV", "PCM_U8"), ("pcm_16.wav", 44100, short, "WAV", "PCM_16"),
            ("pcm_24.wav", 48000, short, "WAV", "PCM_24"), ("pcm_32.wav", 16000, short, "WAV", "PCM_32"),
            ("float_32.wav", 32000, short[:, 0], "WAV", "FLOAT"), ("float_64.wav", 32000, short, "WAV", "DOUBLE"),
            ("extensible_24.wav", 32000, short, "WAVEX", "PCM_24"),
            ("extensible_float_six_channels.wav", 32000, six, "WAVEX", "FLOAT"),
            ("pcm_16.flac", 32000, longer, "FLAC", "PCM_16"), ("pcm_24.flac", 48000, longer[:2000], "FLAC", "PCM_24"),
            ("vorbis.ogg", 32000, longer, "OGG", "VORBIS"), ("layer_3.mp3", 32000, longer, "MP3", "MPEG_LAYER_III")):
        soundfile.write(folder / name, samples, rate, subtype=subtype, format=kind)
        decoded, _ = soundfile.read(folder / name, dtype="float32", always_2d=True)
        out[f"decoded.{name}"] = torch.from_numpy(decoded).mean(dim=1)


def main():
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    out = {}
    for a, b in RATES:
        out[f"resample.{a}_{b}"] = torchaudio.functional.resample(torch.from_numpy(signal(1500)), a, b)
    spectrograms(out)
    sound_files(out, Path("tests/data/audio"))
    path = Path("tests/golden/audio/front_end.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in sorted(out.items())}, str(path))
    print(f"{path}: {len(out)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
