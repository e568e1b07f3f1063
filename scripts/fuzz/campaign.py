#!/usr/bin/env python3
"""Attack the program with what strangers may hand it, and with what machines do to it.

    python3 scripts/fuzz/campaign.py target/release/harness [--only KIND ...] [--count N] [--seed S] [--seconds T] [--memory-mb M]
    python3 scripts/fuzz/campaign.py target/release/harness --case KIND:NUMBER --seed S

README.md beside this file says what each kind does and what counts as a fault. Linux, Python 3.11 or later, nothing else.
Ends with 1 when a fault was found.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import judge
import kinds
import watch
from case import Case, Enough
from lab import REPOSITORY, Lab
from process import Limits

KEPT_CASES, TOLD_IN_FULL = 40, 3


@dataclass
class Tally:
    """What came of the cases of one kind."""

    cases: int = 0
    faulty: int = 0
    peak_mb: int = 0
    signatures: Counter = field(default_factory=Counter)


def one(lab: Lab, kind: str, number: int, options, root: Path) -> Case:
    case = Case(lab, kind, number, options.seed, root, Limits(options.case_seconds, options.memory_mb))
    try:
        kinds.ALL[kind].attack(case)
    except Enough:
        pass
    except Exception:  # a mistake of the campaign's own is no pass
        case.fault("the campaign itself failed:\n" + traceback.format_exc())
    return case


def signature(case: Case) -> str:
    """What makes two faults one: the kind and the words, without numbers and names."""
    first = case.faults[0][0]
    return f"{case.kind}: " + re.sub(r"\d+", "N", re.sub(r"\.(tmp|part-)\w+", r".\1*", first.split(" in ")[0]))[:70]


def tell(case: Case, tally: Tally, kept: Path | None) -> None:
    tally.signatures[signature(case)] += 1
    print(f"FAULT {case.kind}:{case.number} (seed {case.seed}) {ascii(case.what)[1:-1]}"
          + (f", kept in {kept}" if kept else ""), flush=True)
    for what, ended in case.faults[:4]:
        print(f"  {what if what.startswith('the campaign') else ascii(what)[1:-1]}")
        if ended and tally.signatures[signature(case)] <= TOLD_IN_FULL:
            print(f"    {ascii(case.script(ended))[1:-1][:700]}\n    {judge.ending(ended.code)}, {ended.seconds:.1f} s, {ended.peak_mb} MB")
            for line in ended.err[-2000:].decode(errors="replace").splitlines()[-6:]:
                print(f"    | {ascii(line)[1:-1][:300]}")
    sys.stdout.flush()


def campaign(lab: Lab, kind: str, options, root: Path, numbers) -> Tally:
    tally, began, stopped = Tally(), time.monotonic(), False
    numbers = iter(numbers)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = set()
        while True:
            while len(waiting) < options.jobs and not stopped:
                if time.monotonic() - began > options.seconds:
                    stopped = True
                    break
                number = next(numbers, None)
                if number is None:
                    break
                waiting.add(pool.submit(one, lab, kind, number, options, root))
            if not waiting:
                break
            done, waiting = concurrent.futures.wait(waiting, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                case = future.result()
                tally.cases += 1
                tally.peak_mb = max(tally.peak_mb, case.peak_mb)
                if not case.faults:
                    case.remove()
                    continue
                tally.faulty += 1
                keep = tally.faulty <= KEPT_CASES
                kept = case.keep(options.keep) if keep else None
                tell(case, tally, kept)
                if not keep:
                    case.remove()
    took = time.monotonic() - began
    short = f", stopped after {options.seconds:.0f} s" if stopped else ""
    print(f"{kind}: {tally.cases} cases, {tally.faulty} faults, {took:.0f} s, peak {tally.peak_mb} MB{short}", flush=True)
    return tally


def arguments() -> argparse.Namespace:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("binary", type=Path)
    ap.add_argument("--only", nargs="+", metavar="KIND", choices=list(kinds.ALL), default=list(kinds.ALL), help=", ".join(kinds.ALL))
    ap.add_argument("--ci", action="store_true", help="some hundred cases in a few minutes")
    ap.add_argument("--count", type=int, help="cases of each kind; by default each kind's own number")
    ap.add_argument("--seed", type=int, help="by default another one each time; it is printed")
    ap.add_argument("--case", metavar="KIND:NUMBER", help="this case alone, whose files are kept")
    ap.add_argument("--seconds", type=float, default=3600, help="of a kind at most (default %(default)s)")
    ap.add_argument("--case-seconds", type=float, default=20, help="of one command at most (default %(default)s)")
    ap.add_argument("--memory-mb", type=int, default=2000, help="resident, of one command at most (default %(default)s)")
    ap.add_argument("--jobs", type=int, default=2, help="cases at a time (default %(default)s)")
    ap.add_argument("--keep", type=Path, default=REPOSITORY / "target" / "fuzz", help="where the files of a fault stay")
    options = ap.parse_args()
    if options.seed is None:
        options.seed = secrets.randbelow(1 << 31)
    return options


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with its folders removed and its disks unmounted
    print(f"seed {options.seed}", flush=True)
    sources = [REPOSITORY / name for name in ("assets", "experiments", "models", "tests/data", "crates/checkpoint/tests/checkpoint/data")]
    # Beside what is kept, so that keeping is renaming: pipes and sparse files are not to be copied.
    options.keep.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="at-work-", dir=options.keep.resolve()))
    faulty = 0
    try:
        began = time.monotonic()
        lab = Lab(options.binary, root / "lab")
        print(f"lab: made in {time.monotonic() - began:.0f} s", flush=True)
        outside = [watch.snapshot(folder) for folder in (lab.work, *sources)]
        if options.case:
            kind, number = options.case.split(":")
            case = one(lab, kind, int(number), options, root)
            print(ascii(case.what)[1:-1])
            tell(case, Tally(), case.keep(options.keep)) if case.faults else print(f"no fault; the files are in {case.keep(options.keep)}")
            return 1 if case.faults else 0
        signatures = Counter()
        for kind in options.only:
            module = kinds.ALL[kind]
            reason = getattr(module, "cannot", lambda: None)()
            if reason:
                print(f"{kind}: {reason}", flush=True)
            count = options.count or (module.CI_COUNT if options.ci else module.COUNT)
            tally = campaign(lab, kind, options, root, range(count))
            faulty += tally.faulty
            signatures += tally.signatures
        for folder, before in zip((lab.work, *sources), outside, strict=True):
            for change in watch.changes(before, watch.snapshot(folder), ()):
                print(f"FAULT outside of every case: {change} in {folder}")
                faulty += 1
        if signatures:
            print("\nfaults by kind:")
            for what, times in signatures.most_common():
                print(f"  {times:5} {ascii(what)[1:-1]}")
        return 1 if faulty else 0
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
