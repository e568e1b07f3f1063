"""Check exported graphs with onnx's own checker and load them in ONNX Runtime.

    python scripts/parity/check_graphs.py models/graphs [MORE_FOLDERS]

    pip install onnx==1.23.2 onnxruntime==1.31.1

Every .onnx file below the folders is checked with full_check=True: types and shapes are inferred through the standard
operators, weights outside of the file included. Then it is loaded on the CPU, where ONNX Runtime checks its own operators.
Prints the nodes of each graph as written, its operators, inputs and outputs. Exit code 1 if any graph is refused, 2 if
there is none.
"""
from __future__ import annotations

import argparse
import collections
import re
import sys
from pathlib import Path

import onnx
import onnxruntime


def shapes(values) -> str:
    """One entry a value; values that differ in nothing but the layer's number behind the dot are one."""
    alike = collections.Counter((re.sub(r"\.\d+$", ".N", v.name), v.type, str(v.shape)) for v in values)
    return "; ".join(f"{name} {kind} {shape}" + (f" ({count} layers)" if name.endswith(".N") else "")
                     for (name, kind, shape), count in alike.items())


def check(path: Path) -> None:
    """Raise if `path` is not a valid graph; else print what it is."""
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(str(path), load_external_data=False)
    operators = collections.Counter(node.op_type for node in model.graph.node)
    opsets = ", ".join(f"{o.domain or 'ai.onnx'} {o.version}" for o in model.opset_import)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    print(f"{path}: ok, {len(model.graph.node)} nodes, {len(model.graph.initializer)} initializers, IR "
          f"{model.ir_version}, {opsets}")
    print("  " + ", ".join(f"{name} {count}" for name, count in operators.most_common()))
    print(f"  {shapes(session.get_inputs())} -> {shapes(session.get_outputs())}")


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folders", type=Path, nargs="+", help="searched for .onnx files, folders below them too")
    args = ap.parse_args()
    paths = sorted(path for folder in args.folders for path in folder.rglob("*.onnx"))
    if not paths:
        print("no .onnx file below " + ", ".join(map(str, args.folders)), file=sys.stderr)
        return 2
    refused = 0
    for path in paths:
        try:
            check(path)
        except Exception as error:  # noqa: BLE001: whatever the checker or the runtime refuses is the result
            refused += 1
            print(f"{path}: REFUSED: {type(error).__name__}: {error}")
        sys.stdout.flush()
    print(f"{len(paths) - refused} of {len(paths)} graphs are valid")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
