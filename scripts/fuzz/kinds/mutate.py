"""Inputs of every kind with something changed in them, read by every command that reads them."""
from __future__ import annotations

import io
import struct
import warnings
import zipfile

import mangle
from case import Case
from lab import AUDIO, RUNS, Lab, settings

COUNT, CI_COUNT = 1200, 260

warnings.filterwarnings("ignore", "Duplicate name", UserWarning)  # in an archive, on purpose


# -- changes that know the format

def _safetensors(rng, data: bytes) -> bytes:
    """The header's JSON changed, with the length that then fits."""
    size = struct.unpack_from("<Q", data)[0]
    header = mangle.of_json(rng, data[8:8 + size])
    return struct.pack("<Q", len(header)) + header + data[8 + size:]


def _torch(rng, data: bytes) -> bytes:
    """A member of the archive changed, with the checksum that then fits."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, ValueError):
        return mangle.of_bytes(rng, data)
    at = next((k for k, (name, _) in enumerate(members) if name.endswith("data.pkl")), 0)
    if rng.random() < 0.3:
        at = rng.randrange(len(members))
    members[at] = members[at][0], mangle.of_bytes(rng, members[at][1])
    if rng.random() < 0.1:
        members.append(members[rng.randrange(len(members))])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as target:
        for name, content in members:
            target.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def _by_name(name: str, rng, data: bytes) -> bytes:
    """As the name says what it is; one time in four as bytes, whatever it is."""
    ways = {".json": mangle.of_json, ".jsonl": mangle.of_json_lines, ".csv": mangle.of_csv, ".yaml": mangle.of_yaml, ".txt": mangle.of_lines,
            ".safetensors": _safetensors, ".pt": _torch, ".identity": mangle.of_lines}
    way = next((way for ending, way in ways.items() if name.endswith(ending)), mangle.of_bytes)
    return mangle.of_bytes(rng, data) if rng.random() < 0.25 else way(rng, data)


def _change(case: Case, name: str) -> None:
    path = case.work / name
    case.what += f"{name} changed; "
    path.write_bytes(_by_name(path.name, case.rng, path.read_bytes()))


# -- what is changed, and who reads it

def _embeds(case: Case, model: str, *what: str) -> None:
    """Embeds; and if that is done, again: the same bytes, or something is not determined by its inputs."""
    files = []
    for out in ("a.csv", "b.csv"):
        if case.harness(*Lab.embed(out, model, what), writes=[out]).code != 0:
            return
        files.append((case.work / out).read_bytes())
    if files[0] != files[1]:
        case.fault("two runs give two results")


def checkpoint(case: Case) -> None:
    case.take("inputs/texts.txt")
    name = case.rng.choice(["630k-audioset-best.pt", "mixed.pt", "legacy.pt", "numpy1.pt", "protocol4.pt", "bare.pt", "shell.pt", "shell4.pt"])
    case.take(f"inputs/{name}")
    _change(case, f"inputs/{name}")
    case.harness("inspect", f"inputs/{name}", "--offline")
    if name == "630k-audioset-best.pt" and case.rng.random() < 0.5:
        _embeds(case, case.card("mine", f"inputs/{name}", case.lab.work / "inputs/tokenizer.json"), "--text", "inputs/texts.txt")


def clap_folder(case: Case) -> None:
    case.take("inputs/hf", "inputs/texts.txt")
    _change(case, "inputs/hf/" + case.rng.choice(["config.json", "model.safetensors", "model.safetensors", "preprocessor_config.json"]))
    case.harness("inspect", "inputs/hf", "--offline")
    if case.rng.random() < 0.5:
        _embeds(case, case.card("mine", "inputs/hf", case.lab.work / "inputs/tokenizer.json"), "--text", "inputs/texts.txt")


def musicgen_folder(case: Case) -> None:
    folder = case.rng.choice(["musicgen", "sharded"])
    case.take(f"inputs/{folder}", "inputs/texts.txt")
    names = sorted(p.name for p in (case.work / "inputs" / folder).iterdir() if p.name != "tokenizer.json")
    _change(case, f"inputs/{folder}/{case.rng.choice(names + ['config.json'] * 3)}")
    case.harness("inspect", f"inputs/{folder}", "--offline")
    if case.rng.random() < 0.4:
        card = case.card("mine", f"inputs/{folder}", case.lab.work / "inputs/musicgen/tokenizer.json", "musicgen")
        case.harness(*Lab.generate("out", card), writes=["out"])


def card(case: Case) -> None:
    case.take("models", "inputs/texts.txt")
    name = case.rng.choice(sorted(p.stem for p in (case.work / "models").glob("*.yaml")))
    if case.rng.random() < 0.3:
        path = case.work / f"models/{name}.yaml"
        path.write_text(path.read_text() + 'known:\n  - { text: "sweet music", begins: [0.01, -0.04] }\n')
    _change(case, f"models/{name}.yaml")
    for command in (["models"], ["inspect", f"models/{name}.yaml"], [case.rng.choice(["verify", "export"]), name]):
        case.harness(*command, "--offline")


def experiment(case: Case) -> None:
    """Only checked: what a changed one asks for may rightly take hours."""
    case.take("models", "experiments", "inputs")
    name = case.rng.choice(list(RUNS))
    _change(case, f"experiments/{name}.yaml")
    # A bare `check` says what the file asks for; with pieces at hand everything is looked at.
    more = case.rng.choice([[], ["--demo"], ["--limit", "2"]])
    case.harness("check", f"experiments/{name}.yaml", "--offline", *more)


def texts(case: Case) -> None:
    case.take("models", "inputs/texts.txt")
    _change(case, "inputs/texts.txt")
    if case.rng.random() < 0.7 or (case.work / "inputs/texts.txt").read_bytes().count(b"\n") > 20:
        _embeds(case, "630k-audioset-best", "--text", "inputs/texts.txt")
    else:
        case.harness(*Lab.generate("out"), writes=["out"])


def table_of_pieces(case: Case) -> None:
    case.take("models", "experiments", "inputs")
    _change(case, "inputs/pieces.csv")
    source = ["--set", "audio={csv: inputs/pieces.csv}"]
    case.harness("check", *settings("weights"), *source)
    if case.rng.random() < 0.2:
        case.harness("run", *settings("weights"), *source, "--limit", "2", writes=["runs"])


def descriptions(case: Case) -> None:
    case.take("models", "experiments", "inputs/descriptions.json")
    _change(case, "inputs/descriptions.json")
    case.harness("check", *settings("gen_spanio"))
    if case.rng.random() < 0.2:
        case.harness("run", *settings("gen_spanio"), "--limit", "2", writes=["runs"])


def captions(case: Case) -> None:
    case.take("models", "experiments", "inputs/captions.csv")
    _change(case, "inputs/captions.csv")
    case.harness("check", *settings("musiccaps_text"))
    if case.rng.random() < 0.2:
        case.harness("run", *settings("musiccaps_text"), "--limit", "8", writes=["runs"])


def crops(case: Case) -> None:
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    _change(case, "inputs/crops.csv")
    case.harness("check", *settings("weights"), "--crops", "inputs/crops.csv")
    if case.rng.random() < 0.3:
        case.harness(*Lab.embed("out.csv", what=("--audio", "inputs/pieces", "--crops", "inputs/crops.csv")), writes=["out.csv"])


def audio(case: Case) -> None:
    case.take("models", "experiments")
    name = f"{case.rng.randrange(len(AUDIO)):02}"
    source = next((case.lab.work / "inputs/pieces").glob(f"*_{name}.*"))
    piece = f"inputs/pieces/{source.name}"
    case.take(piece)
    _change(case, piece)
    case.harness("check", *settings("weights"), "--set", "audio.files=inputs/pieces")
    if case.rng.random() < 0.4:
        _embeds(case, "630k-audioset-best", "--audio", piece)


def tokenizer(case: Case) -> None:
    kind = case.rng.choice(["clap", "musicgen"])
    source = {"clap": "inputs/tokenizer.json", "musicgen": "inputs/musicgen/tokenizer.json"}[kind]
    case.take("models", source, "inputs/texts.txt")
    _change(case, source)
    model = {"clap": "inputs/630k-audioset-best.pt", "musicgen": "inputs/musicgen"}[kind]
    mine = case.card("mine", case.lab.work / model, source, kind)
    if kind == "clap":
        _embeds(case, mine, "--text", "inputs/texts.txt")
    else:
        case.harness(*Lab.generate("out", mine), writes=["out"])


def run_folder(case: Case) -> None:
    """A finished run with a file changed: drawn, reported, held against the good one, searched, and run again."""
    name = case.rng.choice(["weights", "fusion_tsne", "reprompt", "musiccaps_text", "gen_spanio_base"])
    run = f"runs/{name}"
    case.take("models", "experiments", run)
    files = sorted(str(p.relative_to(case.work)) for p in (case.work / run).rglob("*")
                   if p.is_file() and p.suffix not in (".png", ".html", ".wav") and p.name != ".lock")
    changed = case.rng.choice([f for f in files if f.endswith(case.rng.choice([".csv", ".csv", ".json", "l", ".svg", ".npy", "y"]))] or files)
    _change(case, changed)
    commands = [lambda: case.harness("figures", run, writes=[f"{run}/figures"]),
                lambda: case.harness("report", run, writes=[f"{run}/report.html", f"{run}/audio"]),
                lambda: case.harness("diff", run, str(case.lab.work / run)),
                lambda: case.harness("nearest", run, "sweet", "--offline", "--threads", "1")]
    for command in case.rng.sample(commands, 3):
        command()


def journal(case: Case) -> None:
    """A journal that ends anywhere, as after a power cut: the same results, or a refusal."""
    name = case.rng.choice(["weights", "gen_spanio_base", "musiccaps_text"])
    run = f"runs/{name}"
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    if name != "gen_spanio_base":
        case.take(run)
    path = case.work / run / case.rng.choice([".journal.jsonl", ".embeddings.f32"])
    whole = path.read_bytes()
    path.write_bytes(whole[:case.rng.randrange(len(whole))] + case.rng.choice([b"", b"", bytes(512), b"\xff" * 20]))
    for results in case.rng.sample(["scores.csv", "embeddings.csv", "embeddings.npy"], 2):
        (case.work / run / results).unlink(missing_ok=True)
    case.what = f"{path.name} of {name} cut; "
    # `weights` takes its pieces from gen_spanio_base as it stands.
    if case.harness("run", *settings(name), writes=["runs"]).code == 0:
        case.lab.same_results(case, run)


def cache(case: Case) -> None:
    """The unpacked demo, the graphs and the remembered hashes, damaged: repaired, refused by name, and never other numbers."""
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    graphs = sorted(p for p in (case.work / "models/graphs").rglob("*") if p.is_file() and p.name != ".lock")
    path = case.rng.choice(graphs)
    case.what = f"{path.name} changed; "
    path.write_bytes(_by_name(path.name, case.rng, path.read_bytes()))
    if case.harness("run", *settings("weights"), writes=["runs"]).code == 0:
        case.lab.same_results(case, "runs/weights")


TARGETS = (checkpoint, clap_folder, musicgen_folder, card, experiment, texts, table_of_pieces, descriptions, captions, crops, audio, tokenizer,
           run_folder, run_folder, run_folder, audio, tokenizer, card, experiment, journal, cache)


def attack(case: Case) -> None:
    TARGETS[case.turn % len(TARGETS)](case)
