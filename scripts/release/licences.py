#!/usr/bin/env python3
"""Writes the licences of all crates that are linked into the program, each as the crate has it, for the wheel and the archive.

    python3 scripts/release/licences.py THIRD_PARTY_LICENSES.txt

Ends with 1 where a crate comes without a text. Which licences may be there is for scripts/deny.sh.

cargo-about does the same. It takes four minutes of a processor to build and one to run, asks the network for what crates do not
have (here all have it), and takes heads of source files for licences.
"""
from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PLATFORMS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
FILES = re.compile(r"(licen[cs]es?|copying|copyright|notice|unlicense)([-_.].*)?", re.IGNORECASE)
CODE = (".rs", ".toml", ".json", ".html", ".hbs", ".py", ".sh")
HEAD = """\
Licences of what is linked into harness
=======================================

harness itself: MIT, in LICENSE. The typeface Inter, of which subsets are in the program: SIL Open Font License 1.1, in OFL.txt.
The demo's models, captions and descriptions: CC0 1.0. ONNX Runtime is not in the program, and comes with licences of its own.
The standard library of Rust: MIT or Apache-2.0, copyright The Rust Project Contributors; both texts are below.
"""


def cargo(*words: str) -> str:
    command = ["cargo", words[0], "--locked", *words[1:]]
    return subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout


def linked() -> list[dict]:
    """The packages of others that are linked in, or run while it is compiled as macros."""
    names = set()
    for platform in PLATFORMS:
        tree = cargo("tree", "--edges", "normal", "--target", platform, "--prefix", "none", "--format", "{p}")
        names |= {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    platforms = [word for platform in PLATFORMS for word in ("--filter-platform", platform)]
    packages = json.loads(cargo("metadata", "--format-version", "1", *platforms))["packages"]
    found = [one for one in packages if one["source"] and (one["name"], "v" + one["version"]) in names]
    return sorted(found, key=lambda one: (one["name"], one["version"]))


def own_texts(package: dict) -> set[str]:
    """Of the files that it has beside its manifest, or in a folder there."""
    folder = Path(package["manifest_path"]).parent
    named = [folder / package["license_file"]] if package["license_file"] else []
    files = {path for path in folder.iterdir() if FILES.fullmatch(path.name) and path.suffix not in CODE}
    for path in list(files):
        if path.is_dir():
            files |= set(path.iterdir())
    return {path.read_text(errors="replace").strip() for path in {*files, *named} if path.is_file()}


def main() -> int:
    out = Path(sys.argv[1])
    by_text, without = defaultdict(list), []
    for package in linked():
        name = f"{package['name']} {package['version']} ({package['license']}), {package['repository'] or package['source']}"
        texts = own_texts(package)
        for text in texts:
            by_text[text].append(name)
        if not texts:
            without.append(name)
    if without:
        print("no text of a licence in:", *without, sep="\n  ", file=sys.stderr)
        return 1
    parts = [HEAD]
    for names, text in sorted((names, text) for text, names in by_text.items()):
        parts.append("-" * 80 + "\n" + "\n".join(names) + "\n\n" + text + "\n")
    out.write_text("\n".join(parts))
    crates = len(set().union(*by_text.values()))
    print(f"{out}: {crates} crates, {len(by_text)} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
