#!/usr/bin/env python3
"""A run of many pieces in many shares, whose journals are made up: reading, joining, results.

    python3 scripts/many/many.py target/release/harness                              # a million pieces, 3 arms, 1,000 shares: 25 GB
    python3 scripts/many/many.py target/release/harness --pieces 24000 --shards 40 --check

No model computes anything: the journals of the shares say that everything is finished, with random embeddings in clusters and
pieces of a few samples. What is measured is what comes after the shares: reading and joining them (`--no-compute`, while one
share is missing), and then the whole run, with its tables, arrays, figures, report and manifest. Peak memory is the process's.

With `--check` the same pieces are dealt out to another number of shares, and both runs must be the same bytes; and the rows
of every file must be those that were made up. Python 3.11 and nothing else.
"""

import argparse
import csv
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TASTES = ["sweet", "bitter", "sour", "salty"]
ARMS = ["630k-audioset-best", "630k-audioset-fusion-best", "music_audioset"]
MODELS = str(ROOT / "assets/demo/models")
DIMENSIONS = 512
# Embeddings of a taste under an arm that clips have.
POOL = 300
# Names that one file may have is limited; each of these has as many as there are pieces for it.
SOUNDS = 64
SECONDS = 0.2
# Of the pieces, which figures and the report show.
SAMPLE = 1000


def wav(seed):
    """A tenth of a second of noise, as the program writes its pieces."""
    noise = random.Random(seed)
    data = b"".join(struct.pack("<f", noise.uniform(-0.1, 0.1)) for _ in range(3200))
    fmt = struct.pack("<HHIIHHH", 3, 1, 32000, 32000 * 4, 4, 32, 0)
    body = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt
    body += b"fact" + struct.pack("<II", 4, 3200) + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


class MadeUp:
    """The pieces, and what the shares finished of them."""

    def __init__(self, work, pieces, arms):
        self.work, self.arms = work, [f"arm {i + 1}" for i in range(arms)]
        prompts = 100
        self.draws = pieces // prompts
        items = [
            {"id": n, "instrument": "piano", "description": f"{TASTES[n % 4]} music, number {n}"}
            for n in range(1, prompts + 1)
        ]
        (work / "descriptions.json").write_text(json.dumps(items))
        models = Path(MODELS)
        chosen = [{"name": arm, "model": str(models / f"{ARMS[i % 3]}.yaml")} for i, arm in enumerate(self.arms)]
        (work / "many.yaml").write_text(
            "experiment: many\ntask: generate\n"
            f"model: {models / 'tasty-musicgen-small.yaml'}\n"
            "prompts: { path: descriptions.json }\n"
            f"tastes: {json.dumps(TASTES)}\ndraws: {self.draws}\nduration_s: {SECONDS}\narms: {json.dumps(chosen)}\n"
        )
        # Id, prompt and taste; the folder of its file.
        width = 2
        self.pieces = [
            (f"{item['id']}_{draw:0{width}d}", item["description"], item["id"] % 4)
            for item in items
            for draw in range(1, self.draws + 1)
        ]
        self.texts = [item["description"] for item in items]
        self.sounds = []
        (work / "sounds").mkdir()
        for n in range(SOUNDS):
            path = work / "sounds" / f"{n}.wav"
            path.write_bytes(wav(n))
            self.sounds.append((path, sha256(path.read_bytes()).hexdigest()))
        chance = random.Random(0)
        centres = [[chance.gauss(0, 1) for _ in range(DIMENSIONS)] for _ in TASTES]
        self.pool = [[self.vector(chance, centre) for _ in range(POOL)] for centre in centres]

    @staticmethod
    def vector(chance, centre):
        values = [c + chance.gauss(0, 2) for c in centre]
        length = sum(v * v for v in values) ** 0.5
        data = struct.pack(f"<{DIMENSIONS}f", *(v / length for v in values))
        return data, zlib.crc32(data)

    def clip(self, arm, place):
        """The embedding of a piece under an arm: bytes and their CRC."""
        return self.pool[self.pieces[place][2]][(place * 7919 + arm * 104729) % POOL]

    def text(self, arm, number):
        return self.pool[(number + 1) % 4][(number * 31 + arm * 17) % POOL]

    def folder(self, place):
        return f"audio/{place // 1000:03d}" if len(self.pieces) > 10_000 else "audio"

    def share(self, run, header, index, of):
        """The finished attempt at a share, which has every `of`th piece."""
        attempt = run / "shards" / f"{index}-of-{of}" / "20260101T000000Z-node-1"
        attempt.mkdir(parents=True)
        own = range(index - 1, len(self.pieces), of)
        lines, embeddings, at, made = [], [], 0, set()
        for place in own:
            name, _, _ = self.pieces[place]
            path, digest = self.sounds[place % SOUNDS]
            folder = attempt / self.folder(place)
            if folder not in made:
                folder.mkdir(parents=True, exist_ok=True)
                made.add(folder)
            os.link(path, folder / f"{name}.wav")
            lines.append(f'{{"kind":"piece","id":"{name}","sha256":"{digest}"}}\n')
        ran = '{{"kind":"ran","arm":{},"graph":"{}","nodes":{{"CPUExecutionProvider":9}},"build":"made up"}}\n'
        lines.append(ran.format('""', "decoder"))
        for number, arm in enumerate(self.arms):
            said = json.dumps(arm)
            if index == 1:
                lines.append(ran.format(said, "text"))
                for i, text in enumerate(self.texts):
                    data, crc = self.text(number, i)
                    embeddings.append(data)
                    place = f"[{at},{DIMENSIONS},{crc}]"
                    lines.append(f'{{"kind":"text","arm":{said},"prompt":{json.dumps(text)},"embedding":{place}}}\n')
                    at += len(data)
            lines.append(ran.format(said, "audio"))
            for place in own:
                data, crc = self.clip(number, place)
                embeddings.append(data)
                crops = '{"front":null,"middle":null,"back":null,"offset":null}'
                lines.append(
                    f'{{"kind":"audio","arm":{said},"id":"{self.pieces[place][0]}",'
                    f'"embedding":[{at},{DIMENSIONS},{crc}],"crops":{crops}}}\n'
                )
                at += len(data)
        (attempt / ".embeddings.f32").write_bytes(b"".join(embeddings))
        (attempt / ".journal.jsonl").write_text("".join(lines))
        header = header | {"shard": {"index": index, "of": of}, "pieces": len(own), "lines": len(lines)}
        (attempt / "attempt.json").write_text(json.dumps(header))
        ended = {"how": "done", "finished": "2026-01-01T01:00:00Z", "seconds": 3600}
        (attempt / "ended.json").write_text(json.dumps(ended))


def header_of(harness, work):
    """What an attempt of this experiment says of itself: a real one is begun, and killed."""
    call(harness, work, "prepare", "many.yaml", "--models", "models")
    begun = subprocess.Popen(
        [harness, "run", "many.yaml", "--models", "models", "--offline", "--shard", "1/2"],
        cwd=work,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 300
    found = None
    while found is None and begun.poll() is None and time.monotonic() < deadline:
        found = next((work / "runs/many/shards").glob("*/*/attempt.json"), None)
        time.sleep(0.01)
    begun.send_signal(signal.SIGKILL)
    said = begun.communicate()[1]
    if found is None:
        sys.exit(f"no attempt began: {said.decode()}")
    header = json.loads(found.read_text())
    shutil.rmtree(work / "runs/many")
    return header


def call(harness, work, *args, fails=False):
    """Seconds and peak bytes of a call, with what it said."""
    before = time.monotonic()
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([harness, *args], cwd=work, stdout=out, stderr=out)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode()
    if (process.returncode != 0) != fails:
        sys.exit(f"harness {' '.join(args)}: {said}")
    return time.monotonic() - before, used.ru_maxrss * 1024, said


JOIN = ["run", "many.yaml", "--models", "models", "--offline", "--no-compute"]


def joined(harness, work, made_up, header, shards, out):
    """Deal the pieces out, join all but one share, and then all of them; gives both measurements."""
    run = work / "runs" / out
    for index in range(1, shards + 1):
        made_up.share(run, header, index, shards)
    last = run / "shards" / f"{shards}-of-{shards}"
    aside = work / "aside"
    last.rename(aside)
    args = [*JOIN, "--out", f"runs/{out}"]
    reading = call(harness, work, *args, fails=True)
    if "lacks" not in reading[2]:
        sys.exit(f"a missing share was not told: {reading[2]}")
    aside.rename(last)
    return reading, call(harness, work, *args)


def results(run):
    """Every result by its name, but what names the shares, times and folders."""
    skipped = {"manifest.json", "report.html"}
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if path.is_file() and not name.startswith((".", "shards/")) and name not in skipped:
            found[name] = path
    return found


def read_again(harness, work, one):
    """What other commands make of a large run."""
    drawn = {name: path.read_bytes() for name, path in one.items() if name.startswith("figures/")}
    call(harness, work, "figures", "runs/many")
    for name, before in drawn.items():
        assert one[name].read_bytes() == before, f"{name} is drawn otherwise"
    said = call(harness, work, "diff", "runs/many", "runs/other")[2]
    assert "0 of" in said or "same" in said, said
    # Another experiment takes its pieces from there.
    card = f"{MODELS}/{ARMS[0]}.yaml"
    (work / "heard.yaml").write_text(
        f"experiment: heard\ntask: clap_scores\naudio: {{ from: runs/many }}\narms: [{{ name: a, model: {card} }}]\n"
    )
    call(harness, work, "run", "heard.yaml", "--models", "models", "--offline", "--limit", "1010")
    with open(work / "runs/heard/scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1010 and rows[1009]["audio_path"] == "runs/many/audio/001/5_170.wav", rows[1009]
    # The embeddings are made up, and have more dimensions than the small model's.
    said = call(harness, work, "nearest", "runs/many", "sweet music", "--models", MODELS, "--offline", fails=True)[2]
    assert f"have {DIMENSIONS} dimensions" in said, said


def read_npy(path):
    """Rows of a NumPy array of 32-bit floats, each as bytes."""
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    shape = eval(data[10 : 10 + length].decode())["shape"]  # noqa: S307: our own file
    width = shape[1] * 4
    body = data[10 + length :]
    assert len(body) == shape[0] * width, shape
    return [body[i * width : (i + 1) * width] for i in range(shape[0])]


def check(run, made_up):
    """That every file of a large run has what was made up, in its order."""
    pieces, arms = made_up.pieces, made_up.arms
    with open(run / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = [(name, arm) for arm in arms for name, _, _ in pieces]
    assert [(row["id"], row["arm"]) for row in rows] == expected, "scores.csv has other rows"
    clips = read_npy(run / "embeddings.npy")
    assert clips == [made_up.clip(a, p)[0] for a in range(len(arms)) for p in range(len(pieces))], "embeddings.npy differs"
    with open(run / "prompts.csv", newline="") as file:
        prompts = [(row["arm"], row["prompt"]) for row in csv.DictReader(file)]
    assert prompts == [(arm, text) for arm in arms for text in made_up.texts], "prompts.csv has other rows"
    texts = read_npy(run / "text_embeddings.npy")
    assert texts == [made_up.text(a, t)[0] for a in range(len(arms)) for t in range(len(made_up.texts))]
    floats = struct.Struct(f"<{DIMENSIONS}f")
    for at in random.Random(1).sample(range(len(rows)), 200):
        text = texts[prompts.index((rows[at]["arm"], rows[at]["description"]))]
        cosine = sum(x * y for x, y in zip(floats.unpack(clips[at]), floats.unpack(text)))
        assert abs(cosine - float(rows[at]["clap_score"])) < 1e-6, rows[at]
    with open(run / "sample.csv", newline="") as file:
        sample = list(csv.DictReader(file))
    by_key = {(row["id"], row["arm"]): row for row in rows}
    assert len(sample) == SAMPLE * len(arms) and all(by_key[row["id"], row["arm"]] == row for row in sample)
    listed = [json.loads(line) for line in (run / "pieces.jsonl").read_text().splitlines()]
    digests = [made_up.sounds[place % SOUNDS][1] for place in range(len(pieces))]
    assert [(p["id"], p["sha256"]) for p in listed] == list(zip((p[0] for p in pieces), digests))
    assert not (run / "embeddings.csv").exists()
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["pieces"] == len(pieces) and manifest["sample"] == SAMPLE
    assert "pieces" not in manifest["settings"] and (run / "manifest.json").stat().st_size < 4 << 20
    report = (run / "report.html").read_text()
    assert f"random sample of {SAMPLE:,}" in report and len(report) < 16 << 20, len(report)
    assert f"a sample of {SAMPLE:,} of {len(pieces):,} pieces" in (run / "figures/scores.svg").read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("harness", type=Path)
    parser.add_argument("--pieces", type=int, default=1_000_000, help="a multiple of 100")
    parser.add_argument("--arms", type=int, default=3)
    parser.add_argument("--shards", type=int, default=1_000)
    parser.add_argument("--check", action="store_true", help="compare with another number of shares, and look into every file")
    parser.add_argument("--in", dest="folder", type=Path, help="work here, and leave everything there")
    args = parser.parse_args()
    harness = str(args.harness.resolve())
    work = args.folder or Path(tempfile.mkdtemp(prefix="many-"))
    work.mkdir(exist_ok=True)
    try:
        before = time.monotonic()
        made_up = MadeUp(work, args.pieces, args.arms)
        header = header_of(harness, work)
        reading, whole = joined(harness, work, made_up, header, args.shards, "many")
        run = work / "runs/many"
        print(f"{len(made_up.pieces):,} pieces under {args.arms} arms in {args.shards:,} shares")
        for what, (seconds, peak, _) in [("reading and joining", reading), ("with every result", whole)]:
            print(f"{what}: {seconds:.1f} s, peak {peak / 1e9:.2f} GB")
        print("".join(line + "\n" for line in whole[2].splitlines()[-12:]))
        size = lambda name: (run / name).stat().st_size / 1e6
        names = ["scores.csv", "embeddings.npy", "text_embeddings.npy", "pieces.jsonl", "manifest.json", "report.html"]
        print(", ".join(f"{name} {size(name):.1f} MB" for name in names))
        if args.check:
            check(run, made_up)
            joined(harness, work, made_up, header, args.shards // 3 + 1, "other")
            one, other = results(run), results(work / "runs/other")
            assert one.keys() == other.keys(), one.keys() ^ other.keys()
            differ = [name for name in one if one[name].read_bytes() != other[name].read_bytes()]
            assert not differ, f"not the same bytes from other shares: {differ[:5]}"
            read_again(harness, work, one)
            print(f"checked: {len(one):,} files are the same bytes from {args.shards // 3 + 1} shares")
        print(f"all in {time.monotonic() - before:.0f} s, of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    finally:
        if args.folder is None:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
