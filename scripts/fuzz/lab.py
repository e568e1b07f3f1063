"""What every case begins with, made once: models with their graphs, finished runs, small inputs of every kind."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
DEMO, DATA = REPOSITORY / "assets" / "demo", REPOSITORY / "tests" / "data"

CARDS = {"630k-audioset-best": "630k-audioset-best.pt", "630k-audioset-fusion-best": "630k-audioset-fusion-best.pt",
         "music_audioset": "music_audioset.pt", "tasty-musicgen-small": "musicgen"}

# The experiments of the repository, as small as they still are the same thing.
DESCRIPTIONS, CAPTIONS = "prompts.path=inputs/descriptions.json", "captions.path=inputs/captions.csv"
RUNS = {
    "gen_spanio_base": ["draws=2", "duration_s=0.5"],
    "weights": [],
    "fusion_tsne": ["permutations=200", "tsne.iterations=300"],
    "gen_spanio": [DESCRIPTIONS, "duration_s=0.5"],
    "reprompt_base": [DESCRIPTIONS, "duration_s=0.5"],
    "reprompt": [],
    "musiccaps_text": [CAPTIONS, "tsne.iterations=300"],
}

# One of each form that is read, and short.
AUDIO = ("audio/float_32.wav", "audio/float_64.wav", "audio/pcm_16.wav", "audio/pcm_24.wav", "audio/pcm_32.wav",
         "audio/pcm_u8.wav", "audio/extensible_24.wav", "audio/extensible_float_six_channels.wav", "audio/pcm_16.flac",
         "audio/pcm_24.flac", "audio/vorbis.ogg", "audio/layer_3.mp3", "formats/aac.m4a", "formats/alac.m4a", "formats/alac.caf",
         "formats/float_32.aifc", "formats/fragmented.mp4", "formats/ms_adpcm.wav", "formats/music.opus", "formats/opus.webm",
         "formats/pcm_16.w64", "formats/vorbis.mka")


def settings(name: str) -> list[str]:
    """The arguments of `run` and `check` for one of the lab's runs."""
    sets = [part for value in RUNS[name] for part in ("--set", value)]
    return [f"experiments/{name}.yaml", *sets, "--offline", "--threads", "1"]


class Lab:
    """`work` is a working folder as a user would have one; cases copy from it and never write there."""

    def __init__(self, binary: Path, folder: Path):
        self.binary, self.folder, self.work = binary.resolve(), folder, folder / "work"
        self.library = self._library()
        for name in ("work", "home", "tmp", "cache"):
            (folder / name).mkdir(parents=True)
        shutil.copytree(REPOSITORY / "experiments", self.work / "experiments")
        self._inputs()
        self._models()
        for name in RUNS:
            self.run("run", *settings(name))
        self.run(*self.generate("runs/pieces"))
        self.run(*self.embed("runs/texts.csv"))

    def _library(self) -> str:
        """ONNX Runtime, installed where the user has it; cases only read it."""
        told = os.environ.get("ORT_DYLIB_PATH")
        if told:
            return told
        said = subprocess.run([self.binary, "setup"], check=True, stdout=subprocess.PIPE, text=True).stdout
        return said.split(" at ", 1)[1].splitlines()[0]

    def _inputs(self) -> None:
        inputs = self.work / "inputs"
        shutil.copytree(DATA / "clap_hf_fused", inputs / "hf")
        shutil.copytree(DEMO / "musicgen", inputs / "musicgen")
        shutil.copytree(DATA / "musicgen_sharded", inputs / "sharded")
        for name in ("630k-audioset-best.pt", "630k-audioset-fusion-best.pt", "music_audioset.pt", "tokenizer.json", "captions.csv",
                     "descriptions.json"):
            shutil.copy(DEMO / name, inputs / name)
        pickles = sorted((REPOSITORY / "crates/checkpoint/tests/checkpoint/data").glob("*.pt"))
        if not pickles:
            raise FileNotFoundError("the fixtures of crates/checkpoint/tests are not there")
        for path in pickles:
            shutil.copy(path, inputs / path.name)
        (inputs / "pieces").mkdir()
        for k, name in enumerate(AUDIO):
            shutil.copy(DATA / name, inputs / "pieces" / f"{('sweet', 'bitter')[k % 2]}_{k:02}{Path(name).suffix}")
        names = sorted(path.name for path in (inputs / "pieces").iterdir())
        rows = [f"pieces/{name},\"{name[:5]} music, number {k}\",{k},{name.split('_')[0]}" for k, name in enumerate(names)]
        (inputs / "pieces.csv").write_text("\n".join(["path,prompt,id,taste", *rows, ""]))
        (inputs / "crops.csv").write_text("\n".join(["id,front,middle,back,offset", *(f"{Path(n).stem},0,10,20,0" for n in names), ""]))
        (inputs / "texts.txt").write_text("sweet music, ambient for fine restaurant\nbitter and slow\nüber-salty 🎵 piano\n")

    def _models(self) -> None:
        models = self.work / "models"
        models.mkdir()
        for name, file in CARDS.items():
            path = self.work / "inputs" / file
            kind, tokenizer = ("musicgen", path / "tokenizer.json") if path.is_dir() else ("clap", path.parent / "tokenizer.json")
            (models / f"{name}.yaml").write_text(
                f"kind: {kind}\nsource: {{ path: {json.dumps(str(path))} }}\ntokenizer: {{ path: {json.dumps(str(tokenizer))} }}\n"
                "licence: cc0-1.0\nrandom_weights: true\n")
        self.run("export", *CARDS, "--offline", "--threads", "1")

    @staticmethod
    def embed(out: str, model: str = "630k-audioset-best", what=("--text", "inputs/texts.txt")) -> list[str]:
        return ["embed", "--model", model, *what, "--out", out, "--offline", "--threads", "1"]

    @staticmethod
    def generate(out: str, model: str = "tasty-musicgen-small", prompts: str = "inputs/texts.txt") -> list[str]:
        return ["generate", "--model", model, "--prompts", prompts, "--max-new-tokens", "16", "--out", out, "--save-codes", "--offline",
                "--threads", "1"]

    def environment(self, folder: Path, **more: str) -> dict[str, str]:
        """Nothing of the user's: a home, a cache and temporary files in `folder`, and a hub that nobody answers for."""
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"),
                "HARNESS_CACHE": str(folder / "cache"), "ORT_DYLIB_PATH": self.library, "HF_ENDPOINT": "http://127.0.0.1:9",
                "LC_ALL": "C.UTF-8", **more}

    def run(self, *args) -> None:
        """A command on whole inputs; an error if it fails, for then nothing else is worth looking at."""
        done = subprocess.run([self.binary, *args], cwd=self.work, env=self.environment(self.folder), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace")
        if done.returncode != 0:
            raise SystemExit(f"the lab cannot be made: {' '.join(args)} ended with {done.returncode}:\n{done.stderr[-3000:]}")

    # What a run's numbers are; the rest says when, how long and where.
    RESULTS = ("scores.csv", "embeddings.csv", "stats.csv", "clusters.csv", "maps.csv", "nearest.csv", "distances.csv", "tsne.csv")

    def same_results(self, case, run: str) -> None:
        """The CSVs and the pieces of a run are those of the lab's run, byte for byte."""
        good, found = self.work / run, case.work / run
        names = [name for name in self.RESULTS if (good / name).exists()]
        names += sorted(str(p.relative_to(good)) for p in good.glob("audio/*.wav"))
        for name in names:
            if not (found / name).is_file() or (found / name).read_bytes() != (good / name).read_bytes():
                case.fault(f"other results: {run}/{name} is not what it was")
                return
