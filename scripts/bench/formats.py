"""Reading sound files of every kind: `harness check` beside ffmpeg, one process a core.

    python scripts/bench/formats.py --harness target/release/harness [--files 1000] [--seconds 10] [--rounds 3]

`harness check` decodes every piece to its end and hashes it, and computes nothing. ffmpeg decodes each file to nothing, in a process of its own,
as many at once as there are CPUs. The files are one sound in the containers and codecs of `KINDS`, in turn.
"""
from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import measure

KINDS = {
    "wav": ["-c:a", "pcm_s16le"], "aiff": ["-c:a", "pcm_s24be"], "caf": ["-c:a", "alac"], "w64": ["-c:a", "pcm_f32le"],
    "flac": ["-c:a", "flac"], "mp3": ["-c:a", "libmp3lame", "-b:a", "192k"], "ogg": ["-c:a", "libvorbis", "-q:a", "5"],
    "opus": ["-c:a", "libopus", "-b:a", "128k"], "m4a": ["-c:a", "aac", "-b:a", "192k"], "mka": ["-c:a", "flac"],
    "webm": ["-c:a", "libopus", "-b:a", "96k"],
}
SOUND = "aevalsrc='0.3*sin(2*PI*(220+40*sin(t))*t)+0.05*random(0)|0.3*sin(2*PI*331*t)+0.05*random(1)'"


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--harness", type=Path, required=True)
    ap.add_argument("--files", type=int, default=1000)
    ap.add_argument("--seconds", type=int, default=10)
    ap.add_argument("--rounds", type=int, default=3)
    args = ap.parse_args()
    harness = args.harness.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        pieces = folder / "pieces"
        pieces.mkdir()
        made = {}
        for ending, options in KINDS.items():
            made[ending] = folder / f"sound.{ending}"
            measure.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"{SOUND}:s=48000:d={args.seconds}", *options, made[ending]])
        for i in range(args.files):
            ending = list(KINDS)[i % len(KINDS)]
            os.link(made[ending], pieces / f"sweet_{i:04}.{ending}")
        paths = sorted(pieces.iterdir())

        def by_ffmpeg() -> float:
            one = lambda path: measure.run(["ffmpeg", "-v", "error", "-threads", "1", "-i", path, "-f", "null", "-"])
            started = os.times().elapsed
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(one, paths))
            return os.times().elapsed - started

        check = [harness, "check", "weights", "--demo", "--offline", "--set", f"audio.files={pieces}"]
        subprocess.run(check, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        os.chdir(folder)
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(measure.run(check).seconds)
            theirs.append(by_ffmpeg())
        middle, low, high = measure.ratio(ours, theirs)
        print(measure.machine())
        print(f"{args.files} files of {args.seconds} s, {len(KINDS)} kinds")
        print(f"harness check: {statistics.median(ours):.1f} s; ffmpeg: {statistics.median(theirs):.1f} s")
        print(f"harness is {middle:.2f} x ffmpeg ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
