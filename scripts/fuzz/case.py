"""One case of a campaign: a folder of its own, a random stream of its own, and the faults that it found."""
from __future__ import annotations

import os
import random
import shlex
import shutil
from pathlib import Path

import judge
import watch
from lab import Lab
from process import Ended, Limits, run

# What every command may write beside what it was asked for: hashes of files already checked, and graphs.
ALWAYS = ("cache", "work/models/graphs")


class Enough(Exception):
    """A command ran into a limit: what comes after it would as well, and take as long."""


class Case:
    def __init__(self, lab: Lab, kind: str, number: int, seed: int, root: Path, limits: Limits):
        self.lab, self.kind, self.number, self.limits = lab, kind, number, limits
        self.seed = f"{seed}:{kind}:{number}"
        self.turn = seed % 9973 + number
        """Goes on through a kind's list of things to do, from another place with each seed."""
        self.rng = random.Random(self.seed)
        self.folder = root / f"{kind}-{number}"
        self.work, self.tmp = self.folder / "work", self.folder / "tmp"
        for name in ("work", "home", "tmp", "cache", "outside"):
            (self.folder / name).mkdir(parents=True)
        self.faults: list[tuple[str, Ended | None]] = []
        self.peak_mb = 0
        self.what = ""
        """In words, what this case does."""

    # -- what it works on

    def take(self, *names: str) -> None:
        """Copy what the lab has made into the working folder."""
        for name in names:
            source, target = self.lab.work / name, self.work / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copy2(source, target)

    def write(self, name: str, content: bytes | str) -> Path:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(errors="surrogateescape"))
        return path

    def card(self, name: str, checkpoint, tokenizer, kind: str = "clap") -> str:
        """The path of a card for a checkpoint and a tokenizer, relative to the working folder."""
        quoted = [str(Path(path).resolve()) for path in (self.work / checkpoint, self.work / tokenizer)]
        self.write(f"models/{name}.yaml", f"kind: {kind}\nsource: {{ path: {quoted[0]!r} }}\ntokenizer: {{ path: {quoted[1]!r} }}\n"
                   "licence: cc0-1.0\n")
        return f"models/{name}.yaml"

    # -- the program

    def environment(self, **more: str) -> dict[str, str]:
        return self.lab.environment(self.folder, **more)

    def harness(self, *args, writes=(), leaves=(), codes=judge.GOOD_CODES, env=(), watched=True, **how) -> Ended:
        """Run the program in the working folder; `writes` are the paths of the working folder that it may change, `leaves` those of
        the case's folder."""
        before = watch.snapshot(self.folder) if watched else None
        ended = run([self.lab.binary, *args], self.work, self.environment(**dict(env)), self.limits, **how)
        self.peak_mb = max(self.peak_mb, ended.peak_mb)
        for fault in judge.faults(ended, codes, "stderr" not in how):
            self.fault(fault, ended)
        if watched:
            after = watch.snapshot(self.folder)
            for change in watch.changes(before, after, (*ALWAYS, *leaves, *(f"work/{path}" for path in writes))):
                self.fault(change, ended)
            if ended.code in (0, 1, 2) and not ended.cut:  # what a signal left is for the next command
                for name in watch.leftovers(after):
                    if name not in before:
                        self.fault(f"leaves {name}", ended)
        if ended.cut:
            raise Enough
        return ended

    def succeeds(self, *args, **how) -> Ended:
        """As `harness`, and it is a fault if it fails."""
        ended = self.harness(*args, **how)
        if ended.code != 0:
            self.fault("fails where it must not", ended)
        return ended

    def fault(self, what: str, ended: Ended | None = None) -> None:
        self.faults.append((what, ended))

    # -- for whoever looks into it

    def script(self, ended: Ended) -> str:
        """The command as a shell takes it."""
        env = self.environment()
        told = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(env.items()) if os.environ.get(name) != value)
        return f"cd {shlex.quote(str(self.work))} && env -i PATH=\"$PATH\" {told} {shlex.join(ended.command)}"

    def keep(self, folder: Path) -> Path:
        """Move the files to where they stay."""
        kept = folder / self.folder.name
        shutil.rmtree(kept, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(self.folder, kept)
        self.folder, self.work = kept, kept / "work"
        with open(kept / "faults.txt", "w", encoding="utf-8") as file:
            file.write(f"case {self.kind}:{self.number}, seed {self.seed}: {self.what}\n")
            for what, ended in self.faults:
                file.write(f"\n{ascii(what)}\n")
                if ended:
                    file.write(f"{self.script(ended)}\n{judge.ending(ended.code)}\n")
                    file.write(ascii(ended.err[-3000:].decode(errors="replace")).replace("\\n", "\n") + "\n")
        return kept

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
