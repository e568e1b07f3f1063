//! WebGPU: GPUs of any maker, through Vulkan, Metal or Direct3D 12.

use ort::ep::{ExecutionProviderDispatch, WebGPU};

use super::{Ask, Devices, Entry, Memory, Missing, Package, Precision, Wheel};

/// The implementation of WebGPU is in it.
static ONNXRUNTIME_WEBGPU: Package = Package {
    name: "onnxruntime-webgpu",
    version: "1.27.0",
    wheels: &[
        Wheel {
            os: "linux",
            arch: "x86_64",
            tag: "manylinux_2_28_x86_64",
            uv_platform: "x86_64-manylinux_2_28",
            library: "libonnxruntime.so.1.27.0",
            sha256: "fe5e49e00ad71bc667316d57670bfbf525438783d4a3468e0d337314ec985cbe",
            bytes: 25_163_729,
        },
        Wheel {
            os: "macos",
            arch: "aarch64",
            tag: "macosx_14_0_arm64",
            uv_platform: "aarch64-apple-darwin",
            library: "libonnxruntime.1.27.0.dylib",
            sha256: "8e6c43281318283a31977ebe752e7b0454db9b2dc42c768ac88641952357196a",
            bytes: 24_081_620,
        },
        Wheel {
            os: "windows",
            arch: "x86_64",
            tag: "win_amd64",
            uv_platform: "x86_64-pc-windows-msvc",
            library: "onnxruntime.dll",
            sha256: "7ef99275b13e8cb9584bd0db7a6f00ebf76095601eeccf7d34749b89ee991c19",
            bytes: 27_226_899,
        },
    ],
};

pub(super) static ENTRY: Entry = Entry {
    name: "webgpu",
    about: "GPUs of any maker, through Vulkan, Metal or Direct3D 12",
    package: &ONNXRUNTIME_WEBGPU,
    beside: &[],
    toolkits: &[],
    brought: &[],
    preload: &["dxil.dll", "dxcompiler.dll"],
    systems: &["linux", "macos", "windows"],
    needs: "a GPU with a driver for Vulkan, Metal or Direct3D 12",
    precisions: &[Precision::Fp32],
    // It takes the system's first GPU.
    devices: Devices::None,
    several_sessions: false,
    memory: Memory::Host,
    options,
    missing: &[Missing {
        signs: &[
            "Failed to get a WebGPU adapter",
            "Failed to get a WebGPU device",
            "libvulkan",
            "No supported adapters",
        ],
        what: "it needs a GPU with a driver for Vulkan, Metal or Direct3D 12 (on Debian and Ubuntu the packages \
               libvulkan1 and mesa-vulkan-drivers), or run with --ep cpu",
    }],
};

fn options(_: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    Ok(Some(WebGPU::default().build()))
}
