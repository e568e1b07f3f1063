//! What the two providers on NVIDIA's GPUs share: the build of ONNX Runtime, and CUDA and cuDNN beside it.

use super::{Missing, Package, Wheel};

/// What the machine itself must bring.
pub(super) const DRIVER: &str = "an NVIDIA driver, 580 or newer";

/// It holds the providers of CUDA and of TensorRT. Its Python dependencies are not installed, but for those of [`LIBRARIES`].
pub(super) static ONNXRUNTIME_GPU: Package = Package {
    name: "onnxruntime-gpu",
    version: "1.31.1",
    wheels: &[
        Wheel {
            os: "linux",
            arch: "x86_64",
            tag: "manylinux_2_28_x86_64",
            uv_platform: "x86_64-manylinux_2_28",
            library: "libonnxruntime.so.1.31.1",
            sha256: "05d548956197b9d01f59b625de740e0d6be3593f874e241a12dc0362650ecdf7",
            bytes: 255_569_273,
        },
        Wheel {
            os: "windows",
            arch: "x86_64",
            tag: "win_amd64",
            uv_platform: "x86_64-pc-windows-msvc",
            library: "onnxruntime.dll",
            sha256: "2bb1e9373baba88f6415257f5b6a589d23e23c16004f7d89adf4344eada5749e",
            bytes: 168_098_228,
        },
    ],
};

/// What the extras `cuda` and `cudnn` of the package bring, and what those need: NVIDIA's libraries, each in a folder of
/// its own, which both providers use.
pub(super) static LIBRARIES: &[Package] = &[
    Package {
        name: "nvidia-cuda-runtime",
        version: "13.5.37",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux2014_x86_64",
                uv_platform: "x86_64-manylinux2014",
                library: "libcudart.so.13",
                sha256: "df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d",
                bytes: 2_504_024,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "cudart64_13.dll",
                sha256: "f225d3fa5ea6bfbb58fc4979ef72375cbe661d9107f0d8a4ff22cc151525e4a9",
                bytes: 2_780_254,
            },
        ],
    },
    Package {
        name: "nvidia-nvjitlink",
        version: "13.5.37",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux2010_x86_64",
                uv_platform: "x86_64-manylinux2014",
                library: "libnvJitLink.so.13",
                sha256: "280d7cb9649704145f074b8dbde500de04ce02d0872e066e20a83c17bcaa93eb",
                bytes: 46_642_491,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "nvJitLink_130_0.dll",
                sha256: "4465d4e8f2212118220b580c82523c5654f93a62906bd51d29d79bdfc12376c1",
                bytes: 41_467_665,
            },
        ],
    },
    Package {
        name: "nvidia-cuda-nvrtc",
        version: "13.5.37",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux2010_x86_64",
                uv_platform: "x86_64-manylinux2014",
                library: "libnvrtc.so.13",
                sha256: "86b4d68058807988b7d9af5b44917a0601e9c337f35ccd657bfb3c759ff8d8bc",
                bytes: 58_185_930,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "nvrtc64_130_0.dll",
                sha256: "e8e6c10b251385707ae3abd7b4ee118de6736fd7678d0f0f4eab4d759f679c21",
                bytes: 49_248_991,
            },
        ],
    },
    Package {
        name: "nvidia-cublas",
        version: "13.10.0.20",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux1_x86_64",
                uv_platform: "x86_64-manylinux2014",
                library: "libcublas.so.13",
                sha256: "dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84",
                bytes: 444_289_903,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "cublas64_13.dll",
                sha256: "c310b749eea855b88fafb906de08d6819b87216c6711640771764fea5dcd8546",
                bytes: 427_284_863,
            },
        ],
    },
    Package {
        name: "nvidia-curand",
        version: "10.4.5.25",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux_2_27_x86_64",
                uv_platform: "x86_64-manylinux_2_28",
                library: "libcurand.so.10",
                sha256: "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
                bytes: 77_113_015,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "curand64_10.dll",
                sha256: "f6a02a70f5b9715235df31a164a4bf3237a45be1600a5f435f5e4a0d8682eb22",
                bytes: 77_330_709,
            },
        ],
    },
    Package {
        name: "nvidia-cufft",
        version: "12.5.0.14",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux2014_x86_64",
                uv_platform: "x86_64-manylinux2014",
                library: "libcufft.so.12",
                sha256: "b8be26837a5abad2b5b74f3e92dd29f622a42934b355be0961a48712cbba23ad",
                bytes: 165_072_555,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "cufft64_12.dll",
                sha256: "78e7585159ecf37d73af1ce43a5dea7fd3360e1af71cde08f070c07966a336bc",
                bytes: 164_476_208,
            },
        ],
    },
    Package {
        name: "nvidia-cudnn-cu13",
        version: "9.28.1.4",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                tag: "manylinux_2_27_x86_64",
                uv_platform: "x86_64-manylinux_2_28",
                library: "libcudnn.so.9",
                sha256: "a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec",
                bytes: 516_817_937,
            },
            Wheel {
                os: "windows",
                arch: "x86_64",
                tag: "win_amd64",
                uv_platform: "x86_64-pc-windows-msvc",
                library: "cudnn64_9.dll",
                sha256: "73d874c6bd8a1c75ca040228f77c4e163efe9bab3b65bd85914e2b7334ac68ee",
                bytes: 407_065_099,
            },
        ],
    },
];

/// A version of CUDA, with the libraries for Linux that ONNX Runtime's providers open.
#[derive(Debug)]
pub struct Toolkit {
    /// Such as 13; the names of most libraries end with it.
    pub major: u32,
    /// The oldest driver that runs it.
    pub oldest_driver: u32,
    /// As the loader looks for them, one after those that it needs, each with NVIDIA's package of it; cuDNN finds its own
    /// parts, which lie beside it.
    pub libraries: &'static [(&'static str, &'static str)],
}

/// Those that a library from elsewhere may be built for; that of [`ONNXRUNTIME_GPU`] and [`LIBRARIES`] first.
pub static TOOLKITS: [Toolkit; 2] = [
    Toolkit {
        major: 13,
        oldest_driver: 580,
        libraries: &[
            ("libcudart.so.13", "nvidia-cuda-runtime"),
            ("libnvJitLink.so.13", "nvidia-nvjitlink"),
            ("libnvrtc.so.13", "nvidia-cuda-nvrtc"),
            ("libcublasLt.so.13", "nvidia-cublas"),
            ("libcublas.so.13", "nvidia-cublas"),
            ("libcurand.so.10", "nvidia-curand"),
            ("libcufft.so.12", "nvidia-cufft"),
            ("libcudnn.so.9", "nvidia-cudnn-cu13"),
        ],
    },
    Toolkit {
        major: 12,
        oldest_driver: 525,
        libraries: &[
            ("libcudart.so.12", "nvidia-cuda-runtime-cu12"),
            ("libnvJitLink.so.12", "nvidia-nvjitlink-cu12"),
            ("libnvrtc.so.12", "nvidia-cuda-nvrtc-cu12"),
            ("libcublasLt.so.12", "nvidia-cublas-cu12"),
            ("libcublas.so.12", "nvidia-cublas-cu12"),
            ("libcurand.so.10", "nvidia-curand-cu12"),
            ("libcufft.so.11", "nvidia-cufft-cu12"),
            ("libcudnn.so.9", "nvidia-cudnn-cu12"),
        ],
    },
];

/// A library after those that it needs, as the names for Windows begin.
pub(super) static PRELOAD: &[&str] = &[
    "cudart64_",
    "nvJitLink_",
    "nvrtc-builtins64_",
    "nvrtc64_",
    "cublasLt64_",
    "cublas64_",
    "curand64_",
    "cufft64_",
    "cudnn64_",
    "cudnn_graph64_",
    "cudnn_ops64_",
    "cudnn_heuristic64_",
    "cudnn_adv64_",
    "cudnn_cnn64_",
    "cudnn_engines_precompiled64_",
    "cudnn_engines_runtime_compiled64_",
    "cudnn_engines_tensor_ir64_",
    "cudnn_ext64_",
];

/// The order matters: the first sign that is found tells. A message may name several libraries.
pub(super) const NO_DRIVER: Missing = Missing {
    signs: &[
        "libcuda.so",
        "nvcuda.dll",
        "CUDA_ERROR_NO_DEVICE",
        "no CUDA-capable device",
        "driver version is insufficient",
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        "unsupported toolchain",
    ],
    what: "it needs an NVIDIA driver, 580 or newer, and a GPU: install the driver (on Debian and Ubuntu the package \
           nvidia-driver), or run with --ep cpu",
};

pub(super) const NO_SUCH_DEVICE: Missing = Missing {
    signs: &["invalid device ordinal", "CUDA_ERROR_INVALID_DEVICE"],
    what: "there is no such device: `harness providers` lists those there are",
};

pub(super) const OUT_OF_MEMORY: Missing = Missing {
    signs: &[
        "out of memory",
        "CUDA_ERROR_OUT_OF_MEMORY",
        "Failed to allocate memory",
    ],
    what: "the device's memory is full: end what else runs on it, take another with --device, or run with --ep cpu",
};
