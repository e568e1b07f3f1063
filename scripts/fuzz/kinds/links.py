"""Run folders in which a file is a link out of the folder, a device, a pipe or a folder: nothing outside is touched or waited for."""
from __future__ import annotations

import os
import shutil

from case import Case
from lab import Lab, settings

COUNT, CI_COUNT = 700, 110

ENTRIES = (".lock", ".identity", ".journal.jsonl", ".embeddings.f32", "manifest.json", "scores.csv", "embeddings.csv", "embeddings.npy", "stats.csv", "clusters.csv",
           "maps.csv", "draws.csv", "similarity.csv", "skipped.csv", "report.html", "audio", "figures", "figures/scores.svg", "figures/scores.png",
           "audio/bitter_01.wav", "nearest.csv", "histogram.csv")
PIECES = (".lock", ".identity", ".journal.jsonl", "1.wav", "2.npy")


# -- what stands there instead; `was` is what stood there

def _victim(case: Case, path, was) -> None:
    """A link to a file of someone else: with the same content, or with another."""
    victim = case.folder / "outside" / "victim"
    if was and was.is_file() and case.rng.random() < 0.7:
        shutil.copy2(was, victim)
    else:
        victim.write_bytes(b"precious\n" * 300)
    path.symlink_to(victim)


def _folder(case: Case, path, was) -> None:
    victim = case.folder / "outside" / "folder"
    victim.mkdir()
    if was and was.is_dir():
        shutil.copytree(was, victim, dirs_exist_ok=True)
    (victim / "precious.txt").write_text("precious\n")
    path.symlink_to(victim)


def _nowhere(case: Case, path, was) -> None:
    path.symlink_to(case.folder / "outside" / "not-there")


def _upwards(case: Case, path, was) -> None:
    (case.folder / "outside" / "victim").write_bytes(b"precious\n" * 300)
    path.symlink_to(os.path.relpath(case.folder / "outside" / "victim", path.parent))


def _itself(case: Case, path, was) -> None:
    path.symlink_to(path.name)


def _zeros(case: Case, path, was) -> None:
    path.symlink_to("/dev/zero")


def _pipe(case: Case, path, was) -> None:
    os.mkfifo(path)


def _link_to_pipe(case: Case, path, was) -> None:
    os.mkfifo(case.folder / "outside" / "pipe")
    path.symlink_to(case.folder / "outside" / "pipe")


def _directory(case: Case, path, was) -> None:
    path.mkdir()


INSTEAD = (_victim, _victim, _folder, _nowhere, _upwards, _itself, _zeros, _pipe, _link_to_pipe, _directory)


def combinations() -> list[tuple]:
    """(run, entry, what stands there instead), each kind of entry spread over the others."""
    pairs = [("weights", entry, instead) for entry in ENTRIES[:20] for instead in INSTEAD]
    pairs += [("musiccaps_text", entry, instead) for entry in (*ENTRIES[:7], *ENTRIES[20:]) for instead in INSTEAD]
    pairs += [("pieces", entry, instead) for entry in PIECES for instead in INSTEAD]
    # A step that shares no factor with their number goes through all of them, far apart.
    return [pairs[k * 101 % len(pairs)] for k in range(len(pairs))]


def attack(case: Case) -> None:
    found = combinations()
    run, entry, instead = found[case.turn % len(found)]
    folder = f"runs/{run}"
    case.what = f"{folder}/{entry}: {instead.__name__.strip('_')}"
    case.take("models", "experiments", "inputs", folder)
    if run == "weights":
        case.take("runs/gen_spanio_base")
    path = case.work / folder / entry
    was = case.folder / "was"
    if path.exists():
        path.rename(was)
    instead(case, path, was if was.exists() else None)

    if run == "pieces":
        case.harness(*Lab.generate(folder), writes=[folder])
        return
    others = [lambda: case.harness("figures", folder, writes=[f"{folder}/figures"]),
              lambda: case.harness("report", folder, writes=[f"{folder}/report.html", f"{folder}/audio"]),
              lambda: case.harness("report", folder, str(case.lab.work / "runs/gen_spanio_base"), "--out", "page.html",
                                   writes=["page.html", f"{folder}/audio"]),
              lambda: case.harness("diff", folder, str(case.lab.work / folder)),
              lambda: case.harness("nearest", folder, "sweet", "--offline", "--threads", "1")]
    for command in case.rng.sample(others, 2):
        command()
    # Figures and pages of a run that is complete are kept or made again.
    more = case.rng.choice([[], ["--fresh"]])
    ended = case.harness("run", *settings(run), *more, writes=["runs"])
    if ended.code == 0 and not case.faults:
        kept = [p for p in (case.work / "runs").iterdir() if (p / "scores.csv").is_file() and p.name.startswith(run)]
        if kept == [case.work / folder]:
            case.lab.same_results(case, folder)
