//! CUDA on NVIDIA's GPUs; CUDA 13 and cuDNN 9 are installed beside ONNX Runtime, the driver is the machine's.

use ort::ep::{ArenaExtendStrategy, CUDA, ExecutionProviderDispatch, cuda::ConvAlgorithmSearch};

use super::{Ask, Devices, Entry, Memory, Missing, Precision, nvidia};

pub(super) static ENTRY: Entry = Entry {
    name: "cuda",
    about: "NVIDIA GPUs; CUDA 13 and cuDNN 9 are installed with it",
    package: &nvidia::ONNXRUNTIME_GPU,
    beside: nvidia::LIBRARIES,
    toolkits: &nvidia::TOOLKITS,
    brought: &[],
    preload: nvidia::PRELOAD,
    systems: &["linux", "windows"],
    needs: nvidia::DRIVER,
    precisions: &[Precision::Fp32, Precision::Fp16, Precision::Bf16],
    devices: Devices::Numbered,
    several_sessions: false,
    memory: Memory::Device("Cuda"),
    options,
    missing: &[
        Missing {
            signs: &["libcudnn", "cudnn64_", "cudnn_graph64_", "cudnn_ops64_"],
            what: "cuDNN 9 is missing; run `harness setup --ep cuda`, which installs it beside ONNX Runtime",
        },
        Missing {
            signs: &[
                "libcudart",
                "libcublas",
                "libcurand",
                "libcufft",
                "libnvrtc",
                "cudart64_",
                "cublas64_",
            ],
            what: "CUDA 13's libraries are missing; run `harness setup --ep cuda`, which installs them beside ONNX \
                   Runtime",
        },
        nvidia::NO_DRIVER,
        nvidia::NO_SUCH_DEVICE,
        nvidia::OUT_OF_MEMORY,
    ],
};

fn options(ask: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    Ok(Some(
        CUDA::default()
            .with_device_id(ask.device_number()?)
            // TF32 keeps ten bits of a product: not what fp32 promises.
            .with_tf32(false)
            // The exhaustive search times every algorithm anew for each length of a piece, and picks another each time.
            .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
            // By default the arena doubles: a batch planned to fill the memory would not fit.
            .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
            .with_cuda_graph(ask.graph_capture)
            .build(),
    ))
}
