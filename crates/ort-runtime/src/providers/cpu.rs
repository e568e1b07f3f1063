//! The CPU, any machine: the reference for accuracy.

use super::{Devices, Entry, Memory, Package, Precision, Wheel};

/// On macOS it holds the CoreML provider too.
pub(super) static ONNXRUNTIME: Package = Package {
    name: "onnxruntime",
    version: "1.31.1",
    wheels: &[
        Wheel {
            os: "linux",
            arch: "x86_64",
            tag: "manylinux_2_28_x86_64",
            uv_platform: "x86_64-manylinux_2_28",
            library: "libonnxruntime.so.1.31.1",
            sha256: "1f3dea47f2f0e5117c2404cea7d21fd253ae7836a3bf167a501cdfbb2600d536",
            bytes: 23_760_988,
        },
        Wheel {
            os: "linux",
            arch: "aarch64",
            tag: "manylinux_2_28_aarch64",
            uv_platform: "aarch64-manylinux_2_28",
            library: "libonnxruntime.so.1.31.1",
            sha256: "0b9a492176886992e0e875f06bc0367e333f5fff11711a2d642e18b02f3009cc",
            bytes: 21_420_803,
        },
        Wheel {
            os: "macos",
            arch: "aarch64",
            tag: "macosx_14_0_arm64",
            uv_platform: "aarch64-apple-darwin",
            library: "libonnxruntime.1.31.1.dylib",
            sha256: "96dd2564b10ea7153ad9c207e7cd8e5917cb3ba521e0e0a62ac03486fdc8d56c",
            bytes: 20_882_125,
        },
        Wheel {
            os: "windows",
            arch: "x86_64",
            tag: "win_amd64",
            uv_platform: "x86_64-pc-windows-msvc",
            library: "onnxruntime.dll",
            sha256: "ae8a9a351efda685cc59a66226cdefaa37a126c1d66872ca23a2de9425326130",
            bytes: 14_888_466,
        },
        Wheel {
            os: "windows",
            arch: "aarch64",
            tag: "win_arm64",
            uv_platform: "aarch64-pc-windows-msvc",
            library: "onnxruntime.dll",
            sha256: "fe8b9ac1ae8e894e12c47ee82e4f6dfc1835768133687257866469fda80d0bf1",
            bytes: 14_740_724,
        },
    ],
};

pub(super) static ENTRY: Entry = Entry {
    name: "cpu",
    about: "any machine; the reference for accuracy",
    package: &ONNXRUNTIME,
    beside: &[],
    toolkits: &[],
    brought: &[],
    preload: &[],
    systems: &["linux", "macos", "windows"],
    needs: "",
    precisions: &[Precision::Fp32, Precision::Int8],
    devices: Devices::None,
    several_sessions: true,
    memory: Memory::Host,
    options: |_| Ok(None),
    missing: &[],
};
