"""Changes to bytes, to JSON, to tables and to lines of text: each takes a random stream and gives the bytes back."""
from __future__ import annotations

import csv
import io
import json
import random

from strange import NUMBERS, TEXTS, number, text

MANY_BYTES = 4 << 20
"""Nothing grows beyond it: what takes long because it is long says nothing."""


# -- bytes

def _at(rng: random.Random, size: int) -> int:
    """Anywhere; half of the time in the first or the last bytes, where headers and directories are."""
    where = rng.random()
    if where < 0.3:
        return rng.randrange(min(size, 64))
    if where < 0.5:
        return size - 1 - rng.randrange(min(size, 256))
    return rng.randrange(size)


def _piece(rng: random.Random, size: int) -> tuple[int, int]:
    begin = _at(rng, size)
    return begin, min(size, begin + rng.choice([1, 4, 16, 100, 1000, 10000]))


def _flip(rng, data):
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        data[_at(rng, len(data))] ^= 1 << rng.randrange(8)


def _cut(rng, data):
    del data[_at(rng, len(data)):]


def _remove(rng, data):
    begin, end = _piece(rng, len(data))
    del data[begin:end]


def _repeat(rng, data):
    begin, end = _piece(rng, len(data))
    times = min(rng.choice([1, 2, 10, 1000]), max(1, MANY_BYTES // (end - begin)))
    data[begin:begin] = data[begin:end] * times


def _splice(rng, data):
    begin, end = _piece(rng, len(data))
    to = _at(rng, len(data))
    data[to:to + end - begin] = data[begin:end]


def _integer(rng, data):
    size = rng.choice([1, 2, 4, 8])
    value = rng.choice([0, 1, 2**7, 2**8 - 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, len(data)])
    at = _at(rng, len(data))
    data[at:at + size] = (value % 2 ** (8 * size)).to_bytes(size, rng.choice(["little", "big"]))


def _fill(rng, data):
    begin, end = _piece(rng, len(data))
    data[begin:end] = bytes([rng.choice([0, 0xFF, 0x20, rng.randrange(256)])]) * (end - begin)


def _noise(rng, data):
    begin, end = _piece(rng, len(data))
    data[begin:end] = rng.randbytes(end - begin)


def _append(rng, data):
    data += rng.choice([bytes(100), rng.randbytes(100), bytes(data[:1000])])


def _nothing(_, data):
    data.clear()


BYTE_CHANGES = (_flip, _flip, _flip, _cut, _cut, _remove, _repeat, _splice, _integer, _integer, _integer, _fill, _noise, _append)


def of_bytes(rng: random.Random, data: bytes) -> bytes:
    data = bytearray(data)
    if rng.random() < 0.01:
        _nothing(rng, data)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        if not data or len(data) > MANY_BYTES:
            break
        rng.choice(BYTE_CHANGES)(rng, data)
    return bytes(data)


# -- JSON

class Raw:
    """A value as it stands in the file, whether or not that is JSON."""

    def __init__(self, text_: str):
        self.text = text_


def dumps(value) -> str:
    """As `json.dumps`, with `Raw` values and `Twice` keys."""
    raws = []

    def replaced(node):
        if isinstance(node, Raw):
            raws.append(node.text)
            return f"\ue000{len(raws) - 1}\ue001"
        if isinstance(node, dict):
            return {key: replaced(child) for key, child in node.items()}
        if isinstance(node, list):
            return [replaced(child) for child in node]
        return node

    out = json.dumps(replaced(value), ensure_ascii=False)
    for k, raw in enumerate(raws):
        out = out.replace(f'"\ue000{k}\ue001"', raw, 1)
    return out


def _places(value, limit=20000):
    """(holder, key) of every value below, in a random order's reach."""
    places, waiting = [], [value]
    while waiting and len(places) < limit:
        node = waiting.pop()
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in children:
            places.append((node, key))
            if isinstance(child, (dict, list)):
                waiting.append(child)
    return places


def strange_json(rng: random.Random) -> object:
    """A value that stands where another one should."""
    deep = rng.choice([10, 130, 1000, 100_000])
    return rng.choice([
        lambda: Raw(number(rng)), lambda: Raw(number(rng)), lambda: Raw(number(rng)), lambda: text(rng), lambda: text(rng),
        lambda: None, lambda: True, lambda: [], lambda: {}, lambda: "", lambda: [[]], lambda: [None], lambda: Raw("[" * deep),
        lambda: Raw("[" * deep + "]" * deep), lambda: Raw('{"a":' * deep + "1" + "}" * deep), lambda: Raw("1" * 100_000),
        lambda: ["x"] * 10_000, lambda: {str(k): k for k in range(5000)}, lambda: Raw('{"a": 1, "a": 2}'),
        lambda: Raw('"\\ud800"'), lambda: Raw('"\\u0000"')])()


def _one_json(rng: random.Random, value) -> None:
    places = _places(value)
    if not places:
        return
    # A list of thousand weights is one place among others.
    holder, key = rng.choice(places if rng.random() < 0.3 else [p for p in places if isinstance(p[0], dict)] or places)
    change = rng.random()
    if change < 0.6:
        holder[key] = strange_json(rng)
    elif change < 0.7:
        del holder[key]
    elif change < 0.8:
        other, at = rng.choice(places)
        holder[key] = json.loads(json.dumps(other[at], default=lambda _: 0)) if at in (other if isinstance(other, dict) else range(len(other))) else 0
    elif change < 0.9 and isinstance(holder, dict):
        holder[text(rng)] = holder.pop(key)
    elif isinstance(holder, list):
        holder.extend(holder[:100] * rng.choice([1, 5, 50]))
    else:
        holder[f"{key} "] = holder[key]


def of_json(rng: random.Random, data: bytes) -> bytes:
    """One or two values changed; the file stays JSON, or nearly so."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return of_bytes(rng, data)
    for _ in range(rng.choice([1, 1, 2])):
        _one_json(rng, value)
    out = dumps(value)
    if rng.random() < 0.03:
        out = out[:rng.randrange(len(out) + 1)]
    return out.encode(errors="surrogatepass")[:MANY_BYTES]


def of_json_lines(rng: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True) or [b""]
    at = rng.randrange(len(lines))
    lines[at] = of_json(rng, lines[at].rstrip(b"\n")) + b"\n"
    return b"".join(lines)


# -- tables and lines

def of_csv(rng: random.Random, data: bytes) -> bytes:
    """Cells, columns and rows changed; half of the time quoted as they must be."""
    csv.field_size_limit(1 << 28)
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    except (UnicodeDecodeError, csv.Error):
        return of_bytes(rng, data)
    if not rows or not rows[0]:
        return of_bytes(rng, data)
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(rows))
        row = rows[at]
        column = rng.randrange(len(row)) if row else 0
        change = rng.random()
        if change < 0.5 and row:
            row[column] = rng.choice([number, text])(rng) if rng.random() < 0.9 else "[" + ",".join([number(rng)] * rng.choice([1, 64])) + "]"
        elif change < 0.6:
            for r in rows:
                del r[column:column + 1]
        elif change < 0.7:
            for r in rows:
                r.insert(column, r[column] if column < len(r) else "")
        elif change < 0.8:
            rows[at:at + 1] = [list(row) for _ in range(rng.choice([0, 2, 1000]))]
        elif change < 0.9:
            row.extend(row[:rng.choice([1, 5])])
        else:
            del rows[at]
        if not rows:
            break
    out = io.StringIO()
    for row in rows:
        out.write(rng.choice(["\r\n", "\r", "\n\n", ",\n"]) if rng.random() < 0.005 else "")
        if rng.random() < 0.98:
            csv.writer(out, lineterminator="\n").writerow(row)
        else:
            out.write(",".join(row) + "\n")
    return out.getvalue().encode(errors="replace")[:MANY_BYTES]


def of_lines(rng: random.Random, data: bytes) -> bytes:
    """Lines of text: some stranger, gone, or longer."""
    lines = data.decode(errors="replace").splitlines()
    for _ in range(rng.choice([1, 1, 2])):
        lines.insert(rng.randrange(len(lines) + 1), text(rng)) if rng.random() < 0.7 or not lines else lines.pop(rng.randrange(len(lines)))
    return ("\n".join(lines) + "\n").encode(errors="replace")


def strange_yaml(rng: random.Random) -> str:
    deep = rng.choice([20, 200, 20_000])
    return rng.choice([
        lambda: number(rng), lambda: number(rng), lambda: json.dumps(text(rng)), lambda: json.dumps(text(rng)), lambda: text(rng),
        lambda: "[" * deep, lambda: "[" * deep + "]" * deep, lambda: "{a: " * deep + "1" + "}" * deep, lambda: "null", lambda: "~",
        lambda: "*nowhere", lambda: "&a [*a]", lambda: "!!binary aGVsbG8=", lambda: "!!python/object/apply:os.system [ls]",
        lambda: "9" * rng.choice([40, 5000, 900_000]), lambda: "0x" + "f" * 100, lambda: "yes", lambda: "2001-01-01", lambda: "[]", lambda: "{}",
        lambda: "''", lambda: "|\n  " + text(rng), lambda: "- 1\n- 2", lambda: "{<<: {a: 1}}"])()


def _laughs() -> str:
    """A billion from ten lines."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 9)]
    return "\n".join(lines) + "\n"


def of_yaml(rng: random.Random, data: bytes) -> bytes:
    """Values, keys and lines changed."""
    lines = data.decode(errors="replace").splitlines()
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    for _ in range(rng.choice([1, 1, 2])):
        if not kept:
            break
        at = rng.randrange(len(kept))
        line, change = kept[at], rng.random()
        key, colon, _ = line.partition(":")
        if change < 0.5 and colon:
            kept[at] = f"{key}: {strange_yaml(rng)}"
        elif change < 0.6:
            kept.insert(rng.randrange(len(kept) + 1), line)
        elif change < 0.7:
            del kept[at]
        elif change < 0.78:
            kept[at] = " " * rng.choice([1, 2, 40]) + line
        elif change < 0.84:
            kept[at] = f"{text(rng)}: 1"
        elif change < 0.86:
            kept.insert(0, _laughs())
        else:  # inside of a line: one word for a strange one
            words = line.split(" ")
            words[rng.randrange(len(words))] = strange_yaml(rng)
            kept[at] = " ".join(words)
    return ("\n".join(kept) + "\n").encode(errors="replace")
