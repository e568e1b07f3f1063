//! The one table of execution providers: which package, pinned at which version, holds the library for which machine.
//!
//! ONNX Runtime is taken from the wheels that its makers publish for Python. The C library inside a wheel does not
//! depend on the Python version, but the wheel's hash does. So one fixed Python version is asked for ([`PYTHON`]),
//! whatever Python runs the installer: one hash a platform is enough, and any Python that has pip will do, also one for
//! which no wheel exists.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The Python version whose wheels are taken; nothing of the harness runs on it.
pub const PYTHON: &str = "3.12";

/// Where a graph runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum Provider {
    /// Any machine; the reference for accuracy.
    Cpu,
    /// NVIDIA GPUs. CUDA 13 and cuDNN 9 come from the machine: the package does not hold them.
    Cuda,
    /// Intel CPUs, GPUs and NPUs; OpenVINO itself is in the package.
    OpenVino,
}

impl Provider {
    /// The name on the command line, in YAML and in the manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Cpu => "cpu",
            Provider::Cuda => "cuda",
            Provider::OpenVino => "openvino",
        }
    }

    /// The package that holds its library.
    pub const fn package(self) -> &'static Package {
        match self {
            Provider::Cpu => &CPU,
            Provider::Cuda => &CUDA,
            Provider::OpenVino => &OPENVINO,
        }
    }

    /// The command that installs its library.
    pub fn setup_command(self) -> String {
        match self {
            Provider::Cpu => "harness setup".to_owned(),
            other => format!("harness setup --ep {other}"),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A pinned package of the Python package index.
#[derive(Debug)]
pub struct Package {
    /// As the index spells it.
    pub name: &'static str,
    /// The version of the package, which is that of ONNX Runtime in it.
    pub version: &'static str,
    /// One a platform.
    pub wheels: &'static [Wheel],
}

/// One file of a package.
#[derive(Debug)]
pub struct Wheel {
    /// `std::env::consts::OS` of the machines it is for.
    os: &'static str,
    /// `std::env::consts::ARCH` of the machines it is for.
    arch: &'static str,
    /// pip's name of the platform; part of the name of the cache folder, since clusters share home folders.
    pub tag: &'static str,
    /// uv's name of the platform.
    pub uv_platform: &'static str,
    /// The library to open; the others in the wheel are its parts, and it looks for them beside itself.
    pub library: &'static str,
    /// Of the whole wheel; the installer refuses any other.
    pub sha256: &'static str,
    /// What has to be downloaded.
    pub bytes: u64,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl Package {
    /// The wheel for this machine, if there is one.
    pub fn wheel(&self) -> Option<&'static Wheel> {
        // The wheels for Linux need glibc.
        if cfg!(target_env = "musl") {
            return None;
        }
        self.wheel_for(std::env::consts::OS, std::env::consts::ARCH)
    }

    fn wheel_for(&self, os: &str, arch: &str) -> Option<&'static Wheel> {
        self.wheels.iter().find(|w| w.os == os && w.arch == arch)
    }
}

static CPU: Package = Package {
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

/// Its Python dependencies on NVIDIA's packages are not installed.
static CUDA: Package = Package {
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

/// The wheel for Windows is left out: OpenVINO is not in it but in a package of its own.
static OPENVINO: Package = Package {
    name: "onnxruntime-openvino",
    version: "1.24.1",
    wheels: &[Wheel {
        os: "linux",
        arch: "x86_64",
        tag: "manylinux_2_28_x86_64",
        uv_platform: "x86_64-manylinux_2_28",
        library: "libonnxruntime.so.1.24.1",
        sha256: "d617fac2f59a6ab5ea59a788c3e1592240a129642519aaeaa774761dfe35150e",
        bytes: 84_433_207,
    }],
};

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_provider_has_one_name_everywhere() {
        for &provider in Provider::value_variants() {
            let name = provider.to_string();
            let json = serde_json::to_string(&provider).unwrap();
            assert_eq!(json, format!("\"{name}\""));
            let clap = provider.to_possible_value().unwrap();
            assert_eq!(clap.get_name(), name);
        }
    }

    #[test]
    fn the_table_is_whole() {
        for &provider in Provider::value_variants() {
            let package = provider.package();
            assert!(package.wheel_for("linux", "x86_64").is_some());
            for wheel in package.wheels {
                assert!(wheel.sha256.len() == 64, "{wheel:?}");
                assert!(wheel.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
                assert!(wheel.os == "windows" || wheel.library.contains(package.version));
                let same = |w: &&Wheel| (w.os, w.arch) == (wheel.os, wheel.arch);
                assert_eq!(package.wheels.iter().filter(same).count(), 1);
            }
        }
        let openvino = Provider::OpenVino.package();
        assert!(openvino.wheel_for("macos", "aarch64").is_none());
    }
}
