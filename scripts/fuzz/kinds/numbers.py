"""Extreme numbers in every number column of every CSV of finished runs."""
from __future__ import annotations

import csv
import io
import json

from case import Case
from lab import Lab
from strange import NUMBERS

COUNT, CI_COUNT = 600, 150
RUNS = ("weights", "fusion_tsne", "reprompt", "musiccaps_text", "gen_spanio_base")


def _rows(data: str) -> list[list[str]]:
    csv.field_size_limit(1 << 28)
    return list(csv.reader(io.StringIO(data, newline="")))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
        return True
    except ValueError:
        return cell.startswith("[") and cell.endswith("]")


def columns(lab: Lab) -> list[tuple[str, str, str]]:
    """(run, file, column) of every column that holds a number or a list of them."""
    out = []
    for run in RUNS:
        for path in sorted((lab.work / "runs" / run).glob("*.csv")):
            head, *rows = _rows(path.read_text())
            out += [(run, path.name, name) for k, name in enumerate(head) if any(_is_number(row[k]) for row in rows)]
    return out


def _put(rng, cell: str, value: str, share: float) -> str:
    if rng.random() > share:
        return cell
    if not cell.startswith("["):
        return value
    values = json.loads(cell)
    return "[" + ",".join(value if rng.random() < share else str(v) for v in values) + "]"


def attack(case: Case) -> None:
    found = columns(case.lab)
    pairs = [(column, value) for column in found for value in NUMBERS]
    # The first round takes each column, then each value; later ones put it into some cells.
    turn = case.turn
    column = found[turn % len(found)]
    value = NUMBERS[(turn // len(found) + turn) % len(NUMBERS)]
    share = 1.0 if case.number < len(pairs) else case.rng.choice([1.0, 0.5, 0.1])
    run, file, name = column
    case.what = f"{value} in {name} of {run}/{file}, share {share}"
    case.take(f"runs/{run}")
    path = case.work / "runs" / run / file
    head, *rows = _rows(path.read_text())
    at = head.index(name)
    for row in rows:
        if row[at]:
            row[at] = _put(case.rng, row[at], value, share)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *rows])
    path.write_text(text.getvalue())

    folder = f"runs/{run}"
    case.harness("figures", folder, writes=[f"{folder}/figures"])
    case.rng.choice([lambda: case.harness("report", folder, writes=[f"{folder}/report.html", f"{folder}/audio"]),
                     lambda: case.harness("diff", folder, str(case.lab.work / folder)),
                     lambda: case.harness("diff", str(case.lab.work / folder), folder, "--out", "moved.csv", writes=["moved.csv"])])()
    if file == "embeddings.csv":
        case.take("models")
        case.harness("nearest", folder, "sweet", "--offline", "--threads", "1")
