"""Read every CSV and .npy of a run folder with pandas, polars, Python's csv module and R, and hold them against each other.

    python3 scripts/parity/read_csvs.py RUN_DIR...      # pandas 3.0, polars 2.1, numpy 2.4; R 4.2 where `Rscript` is there
    python3 scripts/parity/read_csvs.py --page FOLDER   # the lines of docs/run-folder.md, in a folder with runs/weights
    python3 scripts/parity/read_csvs.py --strange       # also a scores.csv of texts that break careless readers

Checked: UTF-8 without a byte order mark, one header, the same number of cells in every line and no index column; the same
cells in every reader; numbers that are numbers, and a missing one NaN or null, never 0 or -1; `embeddings.npy` and
`text_embeddings.npy` equal the lists of `embeddings.csv` to the bit; texts as they were after the apostrophe is taken off.
"""

import csv
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

# Columns that hold numbers in every file; of the others, none is one.
NUMBERS = set(
    """clap_score front middle back offset draw n mean sd min q1 median q3 max ci_low ci_high wins cohens_d pearson_r
    kendall_tau_b t_p wilcoxon_p value p pieces_per_taste n_a n_b dimensions frechet kernel kernel_p similarity count x y
    tsne_1 tsne_2 num_id arm_tsne_1 arm_tsne_2 rank cosine low high""".split()
)
# Texts that readers would otherwise take for a missing cell.
TEXT = {"keep_default_na": False, "na_values": [""]}
FORMULA = r"^'('*[=+\-@\t\r])"

R = r"""
args <- commandArgs(TRUE)
table <- read.csv(args[1], na.strings = "", colClasses = "character", check.names = FALSE, encoding = "UTF-8")
con <- file(args[2], open = "wb")
for (i in seq_len(nrow(table))) for (cell in unlist(table[i, ], use.names = FALSE)) {
    if (is.na(cell)) cell <- ""
    bytes <- charToRaw(enc2utf8(cell))
    writeBin(length(bytes), con, size = 4, endian = "little")
    writeBin(bytes, con)
}
close(con)
"""


def unguarded(text):
    """A text of a cell as it was: see docs/run-folder.md."""
    rest = text.lstrip("'")
    return text[1:] if text.startswith("'") and rest.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def cells_of(path):
    """Header and rows as Python's csv module reads them, all of them text."""
    data = path.read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf"), f"{path}: byte order mark"
    data.decode("utf-8")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file, strict=True))
    assert all(name and not name.startswith("Unnamed") for name in header), f"{path}: a column without a name"
    assert len(set(header)) == len(header), f"{path}: a column twice"
    for number, row in enumerate(rows):
        assert len(row) == len(header), f"{path}: row {number} has {len(row)} cells"
    return header, rows


def check_pandas(path, header, rows):
    table = pd.read_csv(path, **TEXT)
    assert list(table.columns) == header and len(table) == len(rows), path
    assert isinstance(table.index, pd.RangeIndex), f"{path}: pandas took a column for the index"
    for place, name in enumerate(header):
        column, cells = table[name], [row[place] for row in rows]
        assert column.isna().tolist() == [cell == "" for cell in cells], f"{path}: {name}: missing cells"
        if name in NUMBERS and any(cells):
            assert column.dtype.kind in "if", f"{path}: {name} is {column.dtype}"
            expected = [float(cell) if cell else math.nan for cell in cells]
            np.testing.assert_array_equal(column.to_numpy(float), expected, err_msg=f"{path}: {name}")
    text = pd.read_csv(path, dtype=str, **TEXT)
    assert text.fillna("").values.tolist() == rows, f"{path}: pandas reads other texts"
    return table


def check_polars(path, header, rows):
    table = pl.read_csv(path, infer_schema_length=None)
    assert table.columns == header and table.height == len(rows), path
    for place, name in enumerate(header):
        column, cells = table[name], [row[place] for row in rows]
        assert column.is_null().to_list() == [cell == "" for cell in cells], f"{path}: {name}: missing cells"
        if name in NUMBERS and any(cells):
            assert column.dtype.is_numeric(), f"{path}: {name} is {column.dtype}"
            expected = [float(cell) if cell else None for cell in cells]
            assert column.cast(pl.Float64).to_list() == expected, f"{path}: {name}"
    text = pl.read_csv(path, infer_schema=False).fill_null("")
    assert [list(row) for row in text.iter_rows()] == rows, f"{path}: polars reads other texts"


def check_r(path, rows):
    """R turns a lone carriage return in a cell into a line feed; everything else comes through."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = Path(folder, "read.R"), Path(folder, "cells")
        script.write_text(R)
        subprocess.run(["Rscript", "--vanilla", script, path, out], check=True)
        data, found = out.read_bytes(), []
    while data:
        size = int.from_bytes(data[:4], "little")
        found.append(data[4 : 4 + size].decode("utf-8"))
        data = data[4 + size :]
    expected = [cell.replace("\r\n", "\n").replace("\r", "\n") for row in rows for cell in row]
    assert found == expected, f"{path}: R reads other texts: {[x for x in zip(found, expected) if x[0] != x[1]][:3]}"


def check_arrays(folder):
    """[rows, 512], f32, in the order of embeddings.csv."""
    embeddings = folder / "embeddings.csv"
    header = cells_of(embeddings)[0] if embeddings.exists() else []
    audio = "audio_emb" if "audio_emb" in header else "embedding"
    for name, column in {"embeddings.npy": audio, "text_embeddings.npy": "text_emb"}.items():
        path = folder / name
        if not path.exists():
            print(f"  {name}: not there")
            continue
        array = np.load(path, allow_pickle=False)
        lists = pd.read_csv(embeddings, usecols=[column], **TEXT)[column]
        values = np.array([json.loads(text) for text in lists], dtype=np.float32)
        assert array.dtype == np.dtype("<f4") and array.shape == values.shape, f"{path}: {array.dtype} {array.shape}"
        assert array.tobytes() == values.astype("<f4").tobytes(), f"{path}: not the bits of {column}"
        polars = pl.read_csv(embeddings, columns=[column])[column].str.json_decode(pl.List(pl.Float32))
        assert np.array_equal(np.array(polars.to_list(), dtype=np.float32), values), f"{path}: polars reads other values"
        print(f"  {name}: {array.shape}, the bits of {column}")


def check(folder, with_r):
    print(folder)
    paths = sorted(folder.glob("*.csv"))
    assert paths, f"{folder}: no CSV"
    for path in paths:
        header, rows = cells_of(path)
        check_pandas(path, header, rows)
        check_polars(path, header, rows)
        if with_r:
            check_r(path, rows)
        empty = sum(cell == "" for row in rows for cell in row)
        print(f"  {path.name}: {len(rows)} rows, {len(header)} columns, {empty} cells empty")
    check_arrays(folder)


def run_page(folder, with_r):
    """Every block of code of the page, in `folder`, which has a finished runs/weights with its arrays."""
    page = (Path(__file__).resolve().parents[2] / "docs/run-folder.md").read_text(encoding="utf-8")
    for language, code in re.findall(r"^```(python|r)\n(.*?)^```$", page, re.M | re.S):
        if language == "r" and not with_r:
            continue
        command = [sys.executable, "-"] if language == "python" else ["Rscript", "--vanilla", "-"]
        ran = subprocess.run(command, input=code, text=True, cwd=folder, check=True, capture_output=True)
        assert not ran.stderr, ran.stderr
        print(f"--- {language}\n{code}--- prints\n{ran.stdout}")


STRANGE = ["=1+1", "+1", "-x", "@a", "'=quoted", "'plain'", 'say "hi"', "a, b", "two\nlines", "cr\r\nlf", "lone\rcr", "🎵 🎶",
           "שלום", "NA", "null", "None", "nan", " spaces ", "tab\tinside", "\ttab first", "x" * 2000, "\\n", "#hash", "1e5"]


def strange(harness):
    """The program's own scores.csv of strange prompts: a run of the demo models on one piece with many prompts."""
    root = Path(__file__).resolve().parents[2]
    piece = next((root / "tests/data/pieces").glob("*.wav"))
    with tempfile.TemporaryDirectory() as folder:
        pieces = Path(folder, "pieces.csv")
        with pieces.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "prompt", "id", "taste"])
            for number, text in enumerate(STRANGE, 1):
                writer.writerow([piece, text, f"p{number}", "sweet"])
        out = Path(folder, "run")
        command = [harness, "run", root / "experiments/weights.yaml", "--demo", "--out", out, "--set", f"audio={{csv: {pieces}}}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
        check(out, shutil.which("Rscript"))
        header, rows = cells_of(out / "scores.csv")
        prompts = [unguarded(row[header.index("prompt")]) for row in rows[: len(STRANGE)]]
        wanted = [text.strip() for text in STRANGE]
        assert [p.strip() for p in prompts] == wanted, [x for x in zip(prompts, wanted) if x[0].strip() != x[1]]
        column = pd.read_csv(out / "scores.csv", dtype=str, **TEXT)["prompt"].str.replace(FORMULA, r"\1", regex=True)
        assert column.tolist()[: len(STRANGE)] == prompts, "the pandas line for the apostrophe"
        column = pl.read_csv(out / "scores.csv")["prompt"].str.replace(FORMULA, "${1}")
        assert column.to_list()[: len(STRANGE)] == prompts, "the polars line for the apostrophe"
        assert not any(row[header.index("prompt")][:1] in "=+-@\t\r" for row in rows), "a formula"
    print(f"  {len(STRANGE)} strange prompts came through")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    r = shutil.which("Rscript")
    print(f"pandas {pd.__version__}, polars {pl.__version__}, numpy {np.__version__}, {'R' if r else 'no R: not checked'}")
    if arguments[:1] == ["--page"]:
        run_page(arguments[1], r)
    elif arguments == ["--strange"]:
        strange(Path(__file__).resolve().parents[2] / "target/release/harness")
    else:
        for argument in arguments:
            check(Path(argument), r)
