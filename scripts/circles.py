#!/usr/bin/env python3
"""Refuses circles of imports between the files of a crate.

    python3 scripts/circles.py

Between crates the compiler refuses them. A file depends on another if it names something of it, whether by its own path or
through a `pub use`; what a file re-exports is no dependency of it, and tests may name anything. Ends with 1 when there are
circles, and lists their files.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
USE = re.compile(r"\buse ([^;]+);")
EXPORT = re.compile(r"\bpub(?:\([^)]*\))? use ([^;]+);")
PATH = re.compile(r"\b(?:crate|super|self)(?:::\w+)+")


def modules():
    """The text of each file without comments and tests, by its path of modules: (crate, module, ...)."""
    found = {}
    folders = [("harness", REPOSITORY / "src")]
    folders += [(crate.name.replace("-", "_"), crate / "src") for crate in (REPOSITORY / "crates").iterdir()]
    for crate, folder in folders:
        for file in folder.rglob("*.rs"):
            if file.name in ("tests.rs", "main.rs") or "tests" in file.relative_to(folder).parts:
                continue
            names = file.relative_to(folder).with_suffix("").parts
            names = names[:-1] if names[-1] in ("mod", "lib") else names
            text = re.split(r"#\[cfg\(test\)\]\n(?:pub(?:\(\w+\))? )?mod tests", file.read_text(encoding="utf-8"))[0]
            found[(crate, *names)] = re.sub(r"//[^\n]*", "", text)
    return found


def expanded(tree):
    """The single paths of `a::{b, c::{d, e}}`."""
    match = re.match(r"(.*?)\{(.*)\}$", tree.strip(), re.S)
    if not match:
        return [tree.strip()]
    parts, depth, current = [], 0, ""
    for character in match[2]:
        depth += (character == "{") - (character == "}")
        if character == "," and not depth:
            parts.append(current)
            current = ""
        else:
            current += character
    return [path for part in [*parts, current] if part.strip() for path in expanded(match[1] + part.strip())]


def absolute(module, path, known):
    """A path from the crate's name on; nothing for one of another crate."""
    names = [name.split(" as ")[0].strip() for name in path.split("::")]
    if names[0] == "crate":
        return (module[0], *names[1:])
    if names[0] in ("super", "self"):
        base = list(module)
        while names and names[0] in ("super", "self"):
            base = base[:-1] if names[0] == "super" else base
            names = names[1:]
        return (*base, *names)
    return (*module, *names) if (*module, names[0]) in known else None


def edges(known):
    exported = defaultdict(dict)
    for module, text in known.items():
        for tree in EXPORT.findall(text):
            for path in expanded(tree):
                if target := absolute(module, path, known):
                    exported[module][target[-1]] = target

    def file_of(target, left=5):
        for length in range(len(target), 0, -1):
            if target[:length] in known:
                rest = target[length:]
                if rest and left and rest[0] in exported[target[:length]]:
                    return file_of(exported[target[:length]][rest[0]] + tuple(rest[1:]), left - 1)
                return target[:length]
        return None

    found = defaultdict(set)
    for module, text in known.items():
        text = EXPORT.sub("", text)
        paths = [path for tree in USE.findall(text) for path in expanded(tree)] + PATH.findall(text)
        targets = (absolute(module, path, known) for path in paths)
        files = {file_of(target) for target in targets if target}
        found[module] = files - {module, None}
    return found


def circles(found):
    """Files that reach each other, in groups: what is left after those that nothing needs, or that need nothing, are taken away."""
    def reached(start):
        seen, todo = set(), [start]
        while todo:
            for target in found[todo.pop()] - seen:
                seen.add(target)
                todo.append(target)
        return seen

    reach = {module: reached(module) for module in list(found)}
    inside = [module for module in reach if module in reach[module]]
    groups = {frozenset(other for other in inside if other in reach[module] and module in reach[other]) for module in inside}
    return sorted(sorted("::".join(file) for file in group) for group in groups)


def main():
    known = modules()
    bad = circles(edges(known))
    for group in bad:
        print("a circle of imports:", ", ".join(group), file=sys.stderr)
    print(f"{len(known)} files, {len(bad)} circles")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
