"""ONNX Runtime sessions from Python under an execution provider, set as the harness sets it; values of any element type."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime

# ONNX Runtime's name of an element type: NumPy's, or that of the same size where NumPy has none, and ONNX's number
ELEMENTS = {"tensor(float)": (np.float32, 1), "tensor(uint8)": (np.uint8, 2), "tensor(int8)": (np.int8, 3),
            "tensor(int32)": (np.int32, 6), "tensor(int64)": (np.int64, 7), "tensor(float16)": (np.float16, 10),
            "tensor(bfloat16)": (np.uint16, 16)}
BFLOAT16 = "tensor(bfloat16)"


def provider(name: str, precision: str, threads: int, device: int):
    """What `InferenceSession` takes as a provider, for a graph that is to compute in `precision`."""
    number = {"device_id": str(device)}
    fp16 = str(int(precision == "fp16"))
    known = {
        "cpu": lambda: "CPUExecutionProvider",
        "openvino": lambda: ("OpenVINOExecutionProvider", {"device_type": "CPU", "load_config": json.dumps({"CPU": {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32", "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(threads), **({"SNIPPETS_MODE": "DISABLE"} if precision == "bf16" else {})}})}),
        "cuda": lambda: ("CUDAExecutionProvider", {**number, "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}),
        "tensorrt": lambda: ("TensorrtExecutionProvider", {**number, "trt_fp16_enable": fp16}),
        "coreml": lambda: "CoreMLExecutionProvider",
        "directml": lambda: ("DmlExecutionProvider", number),
        "migraphx": lambda: ("MIGraphXExecutionProvider", {**number, "migraphx_fp16_enable": fp16}),
        "webgpu": lambda: "WebGpuExecutionProvider",
    }
    if name not in known:
        raise ValueError(f"unknown provider {name!r}; known are {', '.join(known)}")
    return known[name]()


def session(path: Path, name: str, precision: str, threads: int, device: int = 0) -> onnxruntime.InferenceSession:
    """The graph at `path` under the provider; an error if this ONNX Runtime has it not, as it would fall back in silence."""
    asked = provider(name, precision, threads, device)
    full = asked if isinstance(asked, str) else asked[0]
    if full not in onnxruntime.get_available_providers():
        raise RuntimeError(f"onnxruntime {onnxruntime.__version__} of this Python has no {full}, only "
                           f"{', '.join(onnxruntime.get_available_providers())}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    made = onnxruntime.InferenceSession(str(path), options, providers=[asked])
    if full not in made.get_providers():
        raise RuntimeError(f"{full} did not start; {path.name} would run on {', '.join(made.get_providers())}")
    return made


def as_element(values: np.ndarray, kind: str) -> np.ndarray:
    """`values` in the type that an input of `kind` takes; of bfloat16 the bits, rounded to even."""
    if kind == BFLOAT16 and values.dtype != np.uint16:
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.ascontiguousarray(values, ELEMENTS[kind][0])


def on_host(values: np.ndarray, kind: str) -> onnxruntime.OrtValue:
    values = as_element(values, kind)
    if kind == BFLOAT16:
        return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(values, ELEMENTS[kind][1])
    return onnxruntime.OrtValue.ortvalue_from_numpy(values)


def zeros(shape: tuple, kind: str, on: str, device: int) -> onnxruntime.OrtValue:
    """A buffer on the `on` ("cpu" or "cuda") that a graph may read and write."""
    if on == "cpu":
        return on_host(np.zeros(shape, ELEMENTS[kind][0]), kind)
    if kind == BFLOAT16:  # NumPy has no such zeros to copy; every place is written before it is read
        return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, ELEMENTS[kind][1], on, device)
    return onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(shape, ELEMENTS[kind][0]), on, device)
