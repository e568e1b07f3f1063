"""Make sound files in every container and codec that is read, and their samples as ffmpeg decodes them.

    pip install numpy safetensors             # and ffmpeg with libopus, libvorbis and libmp3lame on the PATH
    python scripts/parity/formats.py          # from the root of the repository; 10 s, no network

Writes tests/data/formats/* and tests/golden/audio/formats.safetensors: for each file `decoded.FILE`, the mean of its channels.
Made with ffmpeg 5.1.9 (Debian), numpy 2.4, safetensors 0.8. Opus is decoded by libopus, which rounds to 16 bits; ffmpeg's own
decoder of speech at low rates differs from it by more.

The sound is two sweeps and a little noise, 0.104 s at 24 kHz: a length that no packet divides.
"""
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

RATE, LENGTH = 24_000, 2_501
PICTURE = ["-f", "lavfi", "-i", "color=c=red:size=16x16:rate=25:duration=0.1"]
# Name: options of the encoder; `channels` of the sound is 2 unless the name is in CHANNELS.
FILES = {
    "a_law.wav": ["-c:a", "pcm_alaw"],
    "mu_law.wav": ["-c:a", "pcm_mulaw"],
    "ima_adpcm.wav": ["-c:a", "adpcm_ima_wav"],
    "ms_adpcm.wav": ["-c:a", "adpcm_ms"],
    "ima_adpcm_mono.wav": ["-c:a", "adpcm_ima_wav"],
    "ms_adpcm_mono.wav": ["-c:a", "adpcm_ms"],
    "rf64.wav": ["-c:a", "pcm_s16le", "-rf64", "always"],
    "pcm_16.w64": ["-c:a", "pcm_s16le"],
    "float_32.w64": ["-c:a", "pcm_f32le"],
    "pcm_16.aiff": ["-c:a", "pcm_s16be"],
    "pcm_24.aif": ["-c:a", "pcm_s24be"],
    "little_endian.aifc": ["-f", "aiff", "-c:a", "pcm_s16le"],
    "float_32.aifc": ["-f", "aiff", "-c:a", "pcm_f32be"],
    "float_64.aifc": ["-f", "aiff", "-c:a", "pcm_f64be"],
    "a_law.aifc": ["-f", "aiff", "-c:a", "pcm_alaw"],
    "mu_law.aifc": ["-f", "aiff", "-c:a", "pcm_mulaw"],
    "pcm_16.caf": ["-c:a", "pcm_s16le"],
    "pcm_24.caf": ["-c:a", "pcm_s24be"],
    "float_32.caf": ["-c:a", "pcm_f32le"],
    "mu_law.caf": ["-c:a", "pcm_mulaw"],
    "alac.caf": ["-c:a", "alac"],
    "opus.caf": ["-c:a", "libopus"],
    "aac.m4a": ["-c:a", "aac"],
    "alac.m4a": ["-c:a", "alac"],
    "tables_first.m4a": ["-c:a", "aac", "-movflags", "faststart"],
    "fragmented.mp4": ["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
    "film.mp4": ["-c:v", "mpeg4", "-c:a", "aac"],
    "opus.mp4": ["-c:a", "libopus"],
    "flac.mp4": ["-c:a", "flac", "-strict", "-2"],
    "pcm_16.mov": ["-c:a", "pcm_s16le"],
    "opus.webm": ["-c:a", "libopus"],
    "vorbis.webm": ["-c:a", "libvorbis"],
    "aac.mka": ["-c:a", "aac"],
    "alac.mka": ["-c:a", "alac"],
    "flac.mka": ["-c:a", "flac"],
    "mp3.mka": ["-c:a", "libmp3lame"],
    "opus.mka": ["-c:a", "libopus"],
    "pcm_16.mka": ["-c:a", "pcm_s16le"],
    "vorbis.mka": ["-c:a", "libvorbis"],
    "music.opus": ["-c:a", "libopus", "-b:a", "96k"],
    "speech_mono.opus": ["-c:a", "libopus", "-b:a", "12k", "-application", "voip"],
    "short_packets.opus": ["-c:a", "libopus", "-frame_duration", "2.5"],
    "long_packets.opus": ["-c:a", "libopus", "-frame_duration", "60"],
    "flac.oga": ["-f", "ogg", "-c:a", "flac"],
}
CHANNELS = {"ima_adpcm_mono.wav": 1, "ms_adpcm_mono.wav": 1, "speech_mono.opus": 1}


def sound(channels: int) -> np.ndarray:
    """16-bit integers `[samples, channels]`."""
    t = np.arange(LENGTH)[:, None] / RATE
    c = np.arange(1, channels + 1)[None, :]
    noise = np.random.default_rng(7).standard_normal((LENGTH, channels))
    sweeps = 0.3 * np.sin(2 * np.pi * (200 * c + 3000 * t) * t) + 0.1 * np.sin(2 * np.pi * 1900 * c * t)
    return np.round(32767 * (sweeps + 0.01 * noise)).clip(-32768, 32767).astype("<i2")


def ffmpeg(*options) -> bytes:
    command = ["ffmpeg", "-v", "error", "-y", *map(str, options)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def main() -> None:
    out = Path("tests/data/formats")
    out.mkdir(parents=True, exist_ok=True)
    golden = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, options in FILES.items():
            channels = CHANNELS.get(name, 2)
            raw = Path(folder) / "sound.raw"
            raw.write_bytes(sound(channels).tobytes())
            # Of Opus at another rate ffmpeg skips too little in an MP4.
            rate = ["-ar", 48_000] if "libopus" in options else []
            picture = PICTURE if "-c:v" in options else []
            ffmpeg("-f", "s16le", "-ar", RATE, "-ac", channels, "-i", raw, *picture, "-bitexact", "-fflags", "+bitexact",
                   *rate, *options, out / name)
            decoder = ["-c:a", "libopus"] if "libopus" in options else []
            samples = ffmpeg(*decoder, "-i", out / name, "-vn", "-c:a", "pcm_f32le", "-f", "f32le", "-")
            samples = np.frombuffer(samples, "<f4").reshape(-1, channels).astype("f8").mean(1)
            golden[f"decoded.{name}"] = samples.astype("f4")
            print(f"{name}: {(out / name).stat().st_size} bytes, {len(samples)} samples")
        (out / "picture_only.mp4").unlink(missing_ok=True)
        ffmpeg(*PICTURE, "-frames:v", 1, "-c:v", "mpeg4", "-bitexact", out / "picture_only.mp4")
    save_file(golden, "tests/golden/audio/formats.safetensors")


if __name__ == "__main__":
    main()
