"""What strangers write, in every place from which a message may take it: nothing of it moves a cursor, and no line is a page long."""
from __future__ import annotations

import io
import json
import struct
import zipfile

import mangle
from case import Case
from lab import Lab, settings
from strange import TERMINAL

COUNT, CI_COUNT = 500, 200


def stranger(case: Case) -> str:
    """Some of them, between words; sometimes thousands of characters long."""
    out = "a" + "".join(case.rng.sample(TERMINAL, case.rng.choice([1, 2, 4]))) + "z"
    return out * case.rng.choice([1, 1, 1, 400, 4000]) if case.rng.random() < 0.3 else out


def one_line(case: Case) -> str:
    return stranger(case).replace("\n", " ").replace("\r", " ")


def tensors(case: Case) -> None:
    case.take("inputs/hf", "inputs/texts.txt")
    path = case.work / "inputs/hf/model.safetensors"
    data = path.read_bytes()
    size = struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:8 + size])
    names = case.rng.sample([n for n in header if n != "__metadata__"], 3)
    for name in names:
        tensor = header.pop(name)
        tensor[case.rng.choice(["dtype", "dtype", "x"])] = case.rng.choice([tensor["dtype"], stranger(case)])
        header[case.rng.choice([stranger(case), name, name + stranger(case)])] = tensor
    out = json.dumps(header, ensure_ascii=case.rng.random() < 0.5).encode()
    path.write_bytes(struct.pack("<Q", len(out)) + out + data[8 + size:])
    case.harness("inspect", "inputs/hf", "--offline")
    case.harness(*Lab.embed("out.csv", case.card("mine", "inputs/hf", case.lab.work / "inputs/tokenizer.json")), writes=["out.csv"])


def pickled(case: Case) -> None:
    """Names in a pickle, and the names of the archive's members."""
    data = (case.lab.work / "inputs/630k-audioset-best.pt").read_bytes()
    source = zipfile.ZipFile(io.BytesIO(data))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.endswith("data.pkl"):
                for old in (b"text_branch.", b"audio_branch.", b"logit_scale", b"weight", b"torch", b"FloatStorage", b"_rebuild_tensor_v2"):
                    if case.rng.random() < 0.4:
                        content = content.replace(old, (b"\x1b[2J\x9b31m\x07\r\x08" * 5)[:len(old)], case.rng.choice([1, 3, -1]))
            name = info.filename if case.rng.random() < 0.98 else info.filename + one_line(case)[:200]
            target.writestr(zipfile.ZipInfo(name), content)
    case.write("x.pt", out.getvalue())
    case.harness("inspect", "x.pt", "--offline")


def cards(case: Case) -> None:
    case.take("models", "inputs/texts.txt")
    path = case.work / "models/music_audioset.yaml"
    said = json.dumps(stranger(case), ensure_ascii=case.rng.random() < 0.5)
    path.write_text(case.rng.choice([
        f"kind: {said}\n", f"kind: clap\nsource: {{ path: {said} }}\n", f"kind: clap\nlicence: {said}\n", f"{said}: 1\n", f"kind: [{said}\n",
        path.read_text().replace("cc0-1.0", said), path.read_text() + f"{said}: 1\n", path.read_text() + f"architecture: {{ audio: {said} }}\n",
        path.read_text() + f"fusion_shrink: {said}\n", path.read_text() + f"known: [{{ text: {said}, begins: [0.1] }}]\n",
        f"kind: clap\nsource: {{ hub: {said}, file: {said} }}\ntokenizer: {{ path: x }}\nlicence: x\n",
        f"kind: clap\nsource: {{ path: ../x.pt, sha256: {said} }}\ntokenizer: {{ path: x }}\nlicence: x\n",
        path.read_text().replace("kind:", stranger(case) + "\nkind:")]), errors="surrogatepass")
    case.harness("models", "--offline")
    case.harness("inspect", "models/music_audioset.yaml", "--offline")
    case.harness("verify", "music_audioset", "--offline")


def experiment(case: Case) -> None:
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    said = json.dumps(stranger(case), ensure_ascii=case.rng.random() < 0.5)
    path = case.work / "experiments/weights.yaml"
    text = "\n".join(line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    old, new = case.rng.choice([
        ("task: clap_scores", f"task: {said}"), ("experiment: weights", f"experiment: {said}"), ("notebook: ComparisonCLAPWeights", f"notebook: {said}"),
        ("from: gen_spanio_base", f"from: {said}"), ("from: gen_spanio_base", f"files: {said}"), ("from: gen_spanio_base", f"csv: {said}"),
        ("630k, fusion off", said[1:-1]), ("model: music_audioset", f"model: {said}"), ("crops: seeded", f"crops: {said}"),
        ("[bitter, sour, sweet, salty]", f"[{said}, sweet]"), ("{taste} music", "{" + said[1:-1] + "}"), ("tastes:", f"{said}:"), ("crops: seeded", f"{said}: 1"),
        ("crops: seeded", "seed: " + "9" * case.rng.choice([30, 5000, 900_000])), ("crops: seeded", "limit: " + "1" * 900_000),
        ("crops: seeded", "seed: 1" + "0" * 5000 + ".5"), ("crops: seeded", "crops: " + "x" * 900_000), ("crops: seeded", "x" * 100_000 + ": 1"),
        ("crops: seeded", f"# {stranger(case)}\ncrops: [")])
    path.write_text(text.replace(old, new), errors="surrogatepass")
    case.harness("check", *settings("weights"))
    case.harness("run", *settings("weights"), "--limit", "2", writes=["runs"])


def tables(case: Case) -> None:
    name, command = case.rng.choice([
        ("inputs/pieces.csv", ["check", *settings("weights"), "--set", "audio={csv: inputs/pieces.csv}"]),
        ("inputs/captions.csv", ["check", *settings("musiccaps_text")]), ("inputs/captions.csv", ["run", *settings("musiccaps_text")]),
        ("inputs/crops.csv", ["check", *settings("weights"), "--set", "audio.files=inputs/pieces", "--crops", "inputs/crops.csv"]),
        ("inputs/texts.txt", Lab.embed("out.csv")), ("inputs/texts.txt", Lab.generate("out")),
        ("inputs/descriptions.json", ["check", *settings("gen_spanio")]), ("inputs/descriptions.json", ["run", *settings("gen_spanio"), "--limit", "2"])])
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    path = case.work / name
    words = [w for w in path.read_text().replace(",", " ").replace('"', " ").split() if len(w) > 2]
    said = one_line(case)
    said = json.dumps(said)[1:-1] if name.endswith(".json") else said.replace('"', "'").replace(",", ";")
    for word in case.rng.sample(words, 2):
        path.write_text(path.read_text().replace(word, said, case.rng.choice([1, 1, -1])), errors="surrogatepass")
    case.harness(*command, writes=["runs", "out", "out.csv"])


def tokenizer(case: Case) -> None:
    case.take("inputs/tokenizer.json", "inputs/texts.txt")
    path = case.work / "inputs/tokenizer.json"
    value = json.loads(path.read_bytes())
    said = stranger(case)
    case.rng.choice([
        lambda: value["model"].update(type=said), lambda: value["decoder"].update(type=said), lambda: value.update(version=said),
        lambda: value["pre_tokenizer"].update(type=said), lambda: value.update(normalizer={"type": said}), lambda: value.update({said: 1}),
        lambda: value["model"].update(merges=[[said, said]]), lambda: value["post_processor"].update(sep=[said, 2]),
        lambda: value["added_tokens"].append({"id": 5, "content": said}), lambda: value["model"].update(unk_token=said),
        lambda: value.update(normalizer={"type": "Replace", "pattern": {"Regex": said + "((("}, "content": ""}),
        lambda: value.update(post_processor={"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": said, "type_id": 0}}], "pair": [],
                                             "special_tokens": {}})])()
    path.write_text(json.dumps(value, ensure_ascii=case.rng.random() < 0.5), errors="surrogatepass")
    case.harness(*Lab.embed("out.csv", case.card("mine", case.lab.work / "inputs/630k-audioset-best.pt", "inputs/tokenizer.json")), writes=["out.csv"])


def config(case: Case) -> None:
    folder = case.rng.choice(["hf", "musicgen", "sharded"])
    case.take(f"inputs/{folder}")
    name = case.rng.choice([p for p in (case.work / "inputs" / folder).glob("*.json") if "tokenizer" not in p.name])
    value = json.loads(name.read_bytes())
    places = [p for p in mangle._places(value) if isinstance(p[0], dict)]
    for holder, key in case.rng.sample(places, min(2, len(places))):
        if key in holder:
            holder[case.rng.choice([key, stranger(case)])] = stranger(case)
    name.write_text(json.dumps(value, ensure_ascii=case.rng.random() < 0.5), errors="surrogatepass")
    case.harness("inspect", f"inputs/{folder}", "--offline")


def run_folder(case: Case) -> None:
    """Cells, and what the manifest and the journal say."""
    run = case.rng.choice(["runs/weights", "runs/reprompt", "runs/musiccaps_text"])
    case.take("models", "experiments", run)
    names = [p for p in (case.work / run).iterdir() if p.suffix in (".csv", ".json", ".jsonl", ".identity") or p.name.startswith(".") and p.suffix != ".f32"]
    path = case.rng.choice([p for p in names if p.stat().st_size])
    case.what += path.name
    if path.suffix == ".json":
        value = json.loads(path.read_bytes())
        for holder, key in case.rng.sample(mangle._places(value), 3):
            holder[key] = stranger(case)
        path.write_text(json.dumps(value, ensure_ascii=case.rng.random() < 0.5), errors="surrogatepass")
    else:
        lines = path.read_text().split("\n")
        at = case.rng.choice([0, 1, case.rng.randrange(len(lines))]) % len(lines)
        cells = lines[at].split(",")
        cells[case.rng.randrange(len(cells))] = one_line(case)
        lines[at] = ",".join(cells)
        path.write_text("\n".join(lines), errors="surrogatepass")
    case.harness("figures", run, writes=[f"{run}/figures"])
    case.harness("report", run, writes=[f"{run}/report.html", f"{run}/audio"])
    case.harness("diff", run, str(case.lab.work / run))
    case.harness("diff", str(case.lab.work / run), run)
    case.harness("nearest", run, "sweet", "--offline", "--threads", "1")


def _name(case: Case) -> str:
    return one_line(case).replace("/", "-").replace("\x00", "")[:60]


def file_names(case: Case) -> None:
    """Pieces, checkpoints, cards and run folders whose names are strange, some not UTF-8."""
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base")
    name = case.rng.choice([_name(case), "sweet_" + _name(case), "sweet_\udcff\udc9b31m", "new\nline"])
    which = case.rng.choice(["piece", "damaged", "checkpoint", "card", "run", "experiment", "out", "models"])
    case.what = which
    if which in ("piece", "damaged"):
        data = (case.lab.work / "inputs/pieces/sweet_00.wav").read_bytes()
        case.write(f"mine/{name}.wav", data if which == "piece" else data[:50])
        case.harness("check", *settings("weights"), "--set", "audio.files=mine")
        case.harness(*Lab.embed("out.csv", what=("--audio", "mine", *case.rng.choice([[], ["--skip-bad"]]))), writes=["out.csv"])
    elif which == "checkpoint":
        case.write(f"{name}.pt", case.rng.choice([b"no", (case.lab.work / "inputs/mixed.pt").read_bytes()]))
        case.harness("inspect", f"{name}.pt", "--offline")
    elif which == "card":
        case.write(f"models/{name}.yaml", "kind: nothing\n")
        case.harness("models", "--offline")
        case.harness("inspect", f"models/{name}.yaml", "--offline")
    elif which == "run":
        (case.work / "runs/gen_spanio_base").rename(case.work / "runs" / name)
        case.harness("figures", f"runs/{name}", writes=[f"runs/{name}/figures"], watched=False)
        case.harness("diff", f"runs/{name}", str(case.lab.work / "runs/weights"))
        case.harness("run", *settings("weights"), "--set", "audio.from=./runs/" + name, "--limit", "2", writes=["runs"])
    elif which == "experiment":
        case.write(f"experiments/{name}.yaml", (case.lab.work / "experiments/weights.yaml").read_bytes())
        case.harness("check", f"experiments/{name}.yaml", "--offline")
    elif which == "out":
        case.harness(*Lab.embed(f"{name}/out.csv"), watched=False)
        case.harness(*Lab.generate(f"mine/{name}"), watched=False)
    else:
        case.harness("models", "--models", name, "--offline", watched=False)
        case.harness("export", name, "--offline", watched=False)


def arguments(case: Case) -> None:
    case.take("models", "experiments", "inputs", "runs/gen_spanio_base", "runs/weights")
    said = stranger(case).replace("\x00", "")
    command = case.rng.choice([
        ["inspect", said], ["export", said, "--offline"], ["figures", said], ["report", said], ["diff", said, said], ["nearest", "runs/weights", said],
        ["nearest", "runs/weights", "x", "--arm", said], ["check", *settings("weights"), "--set", said], ["check", *settings("weights"), "--set", f"task={said}"],
        ["check", *settings("weights"), "--set", f"{said}=1"], ["check", *settings("weights"), "--crops", said], ["check", said],
        Lab.embed("out.csv", said), [said], ["run", said, "--ep", said], ["check", *settings("weights"), "--seed", said],
        Lab.generate("out")[:-2] + ["--temperature", said]])
    case.harness(*command, watched=False)


PLACES = (tensors, cards, experiment, tables, tokenizer, run_folder, file_names, config, pickled, arguments, run_folder, cards, experiment)


def attack(case: Case) -> None:
    place = PLACES[case.turn % len(PLACES)]
    case.what = place.__name__ + " "
    place(case)
