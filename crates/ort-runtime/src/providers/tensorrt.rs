//! TensorRT on NVIDIA's GPUs. TensorRT 10 is the machine's: the index has no wheel with its libraries.

use ort::ep::{ExecutionProviderDispatch, TensorRT};

use super::{Ask, Devices, Entry, Memory, Missing, Precision, nvidia};

pub(super) static ENTRY: Entry = Entry {
    name: "tensorrt",
    about: "NVIDIA GPUs, compiled for the one at hand; CUDA 13 and cuDNN 9 are installed with it, TensorRT 10 is not",
    package: &nvidia::ONNXRUNTIME_GPU,
    beside: nvidia::LIBRARIES,
    toolkits: &nvidia::TOOLKITS,
    brought: &["libnvinfer.so.10", "libnvonnxparser.so.10"],
    preload: nvidia::PRELOAD,
    systems: &["linux", "windows"],
    needs: "an NVIDIA driver, 580 or newer, and TensorRT 10 for CUDA 13 (NVIDIA's tensorrt-cu13-libs 10 or libnvinfer10)",
    precisions: &[Precision::Fp32, Precision::Fp16],
    devices: Devices::Numbered,
    several_sessions: false,
    memory: Memory::Device("Cuda"),
    options,
    missing: &[
        Missing {
            signs: &[
                "libnvinfer",
                "libnvonnxparser",
                "nvinfer_10",
                "nvonnxparser_10",
            ],
            what: "TensorRT 10 for CUDA 13 is missing: install NVIDIA's package tensorrt-cu13-libs 10 or, from its \
                   repository for the system, libnvinfer10 and libnvonnxparsers10, where the loader finds it \
                   (LD_LIBRARY_PATH), or run with --ep cuda",
        },
        Missing {
            signs: &[
                "libcudnn",
                "libcudart",
                "libcublas",
                "libnvrtc",
                "cudnn64_",
                "cudart64_",
                "cublas64_",
            ],
            what: "CUDA 13's libraries or cuDNN 9 are missing; run `harness setup --ep tensorrt`, which installs them \
                   beside ONNX Runtime",
        },
        nvidia::NO_DRIVER,
        nvidia::NO_SUCH_DEVICE,
        nvidia::OUT_OF_MEMORY,
    ],
};

fn options(ask: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    let cache = ask.cache_text()?;
    Ok(Some(
        TensorRT::default()
            .with_device_id(ask.device_number()?)
            .with_fp16(ask.precision == Precision::Fp16)
            // In half precision the sums of a norm overflow.
            .with_layer_norm_fp32_fallback(true)
            // Compiling takes minutes: once for each graph and card.
            .with_engine_cache(true)
            .with_engine_cache_path(cache)
            .with_timing_cache(true)
            .with_timing_cache_path(cache)
            .build(),
    ))
}
