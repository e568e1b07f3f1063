//! The one table of execution providers, a file each: the package that holds the library, the packages with what it needs
//! beside it, its options, what it can run, and what its failures mean.

mod coreml;
mod cpu;
mod cuda;
mod directml;
mod migraphx;
pub mod nvidia;
mod openvino;
mod package;
mod tensorrt;
mod webgpu;

use std::fmt;
use std::path::Path;

use ort::ep::ExecutionProviderDispatch;
use serde::{Deserialize, Serialize};

pub use nvidia::Toolkit;
pub use package::{PYTHON, Package, Wheel};

use foreign::Safe;
use onnx_graph::Precision;

/// Where a graph runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "clap", value(rename_all = "lower"))]
pub enum Provider {
    /// Any machine; the reference for accuracy
    Cpu,
    /// Intel CPUs
    OpenVino,
    /// NVIDIA GPUs
    Cuda,
    /// NVIDIA GPUs, graphs compiled for the one at hand
    TensorRt,
    /// The GPU of Apple's machines
    CoreMl,
    /// GPUs of any maker, on Windows
    DirectMl,
    /// AMD GPUs
    MiGraphX,
    /// GPUs of any maker
    WebGpu,
}

/// What the harness knows of a provider.
pub struct Entry {
    /// On the command line, in YAML and in the manifest.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What holds its ONNX Runtime library.
    pub package: &'static Package,
    /// Packages whose libraries are opened before ONNX Runtime, each in a folder of its own in the cache.
    pub beside: &'static [Package],
    /// Versions of CUDA, that of `package` first, whose libraries for Linux are looked for on the machine too; empty where
    /// nothing but the packages counts.
    pub toolkits: &'static [Toolkit],
    /// Libraries for Linux that no package brings, and that are opened after those of the toolkit where the machine has them.
    pub brought: &'static [&'static str],
    /// How the names of the libraries begin that are opened before ONNX Runtime, in order, in the folders of `beside` and
    /// that of `package`. Names of other systems match nothing.
    pub preload: &'static [&'static str],
    /// `std::env::consts::OS` of the systems on which it exists, with a wheel of ours or without.
    pub systems: &'static [&'static str],
    /// What the machine itself has to bring; may be empty.
    pub needs: &'static str,
    /// What it computes in.
    pub precisions: &'static [Precision],
    /// What `--device` may say.
    pub devices: Devices,
    /// Whether sessions of few threads side by side are faster than one of many.
    pub several_sessions: bool,
    /// Where buffers are that stay from run to run.
    pub memory: Memory,
    /// What a session is told; `None` for the CPU, which is there without being asked for.
    pub options: fn(&Ask) -> ort::Result<Option<ExecutionProviderDispatch>>,
    /// What its failures mean; the first whose sign is found in a message of ONNX Runtime.
    pub missing: &'static [Missing],
}

/// The devices of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// One, which it finds itself.
    None,
    /// Counted from 0.
    Numbered,
}

/// Where buffers are that stay from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// In that of the process, whatever the provider makes of it.
    Host,
    /// In the device's; the name of its allocator in ONNX Runtime.
    Device(&'static str),
}

/// How a failed start is explained.
#[derive(Debug)]
pub struct Missing {
    /// Pieces of ONNX Runtime's message.
    pub signs: &'static [&'static str],
    /// What is missing, and which command or package brings it.
    pub what: &'static str,
}

/// What a session is for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What to compute this graph in.
    pub precision: Precision,
    /// From 0.
    pub device: u32,
    /// On the CPU.
    pub threads: usize,
    /// A folder that exists, for what the provider compiles of this graph in this version of its library.
    pub cache: &'a Path,
    /// Shapes and addresses stay from run to run, so that the device may be told of a run as a whole.
    pub graph_capture: bool,
}

impl Ask<'_> {
    fn device_number(&self) -> ort::Result<i32> {
        i32::try_from(self.device).map_err(|_| ort::Error::new("there is no such device"))
    }

    /// The options of ONNX Runtime are C strings in UTF-8.
    fn cache_text(&self) -> ort::Result<&str> {
        let text = self.cache.to_str().filter(|text| !text.contains('\0'));
        text.ok_or_else(|| {
            let folder = self.cache.display();
            ort::Error::new(format!(
                "the name of the folder {folder} is not UTF-8; set HARNESS_CACHE to a folder with a plain name"
            ))
        })
    }
}

/// A precision that a provider does not compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("--ep {provider} runs {}, not {precision}; {precision} goes with {}", list(&self.runs()), list(&self.instead()))]
pub struct PairError {
    pub provider: Provider,
    pub precision: Precision,
}

impl Safe for PairError {}

impl PairError {
    fn runs(&self) -> Vec<&'static str> {
        let precisions = self.provider.entry().precisions;
        precisions.iter().map(|p| p.name()).collect()
    }

    fn instead(&self) -> Vec<&'static str> {
        let all = Provider::ALL.iter();
        all.map(|p| p.entry())
            .filter(|entry| entry.precisions.contains(&self.precision))
            .map(|entry| entry.name)
            .collect()
    }
}

/// `fp32, fp16 and bf16`.
pub(super) fn list(names: &[&str]) -> String {
    match names {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl Provider {
    /// Each of them, in the order in which they are told.
    pub const ALL: [Provider; 8] = [
        Provider::Cpu,
        Provider::OpenVino,
        Provider::Cuda,
        Provider::TensorRt,
        Provider::CoreMl,
        Provider::DirectMl,
        Provider::MiGraphX,
        Provider::WebGpu,
    ];

    /// All that is known of it.
    pub fn entry(self) -> &'static Entry {
        match self {
            Provider::Cpu => &cpu::ENTRY,
            Provider::OpenVino => &openvino::ENTRY,
            Provider::Cuda => &cuda::ENTRY,
            Provider::TensorRt => &tensorrt::ENTRY,
            Provider::CoreMl => &coreml::ENTRY,
            Provider::DirectMl => &directml::ENTRY,
            Provider::MiGraphX => &migraphx::ENTRY,
            Provider::WebGpu => &webgpu::ENTRY,
        }
    }

    /// The name on the command line, in YAML and in the manifest.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The package that holds its library.
    pub fn package(self) -> &'static Package {
        self.entry().package
    }

    /// The file of its package for this machine; none where it does not exist on this system, or nobody built it.
    pub fn wheel(self) -> Option<&'static Wheel> {
        let entry = self.entry();
        let exists = entry.systems.contains(&std::env::consts::OS);
        exists.then(|| entry.package.wheel()).flatten()
    }

    /// Whether it computes in `precision`.
    ///
    /// # Errors
    /// Names the pairs that exist.
    pub fn check(self, precision: Precision) -> Result<(), PairError> {
        match self.entry().precisions.contains(&precision) {
            true => Ok(()),
            false => Err(PairError {
                provider: self,
                precision,
            }),
        }
    }

    /// The command that installs its library.
    pub fn setup_command(self) -> String {
        match self {
            Provider::Cpu => "harness setup".to_owned(),
            other => format!("harness setup --ep {other}"),
        }
    }

    /// What to do about a failed start, from ONNX Runtime's words for it.
    pub fn way_out(self, detail: &str) -> &'static str {
        // The same for all: the library was built without the provider.
        const NOT_BUILT: [&str; 5] = [
            "not enabled in this build",
            "not supported in this build",
            "is not supported in this build",
            "Error attempting to load symbol",
            "Unknown provider name",
        ];
        if self != Provider::Cpu && NOT_BUILT.iter().any(|sign| detail.contains(sign)) {
            return "this ONNX Runtime was built without it; unset ORT_DYLIB_PATH, and the harness installs one with it";
        }
        let missing = self.entry().missing;
        let explained = missing
            .iter()
            .find(|m| m.signs.iter().any(|sign| detail.contains(sign)));
        explained.map_or("run with --ep cpu", |m| m.what)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_one_name_everywhere() {
        for provider in Provider::ALL {
            let name = provider.to_string();
            let json = serde_json::to_string(&provider).unwrap();
            assert_eq!(json, format!("\"{name}\""));
        }
    }

    #[cfg(feature = "clap")]
    #[test]
    fn its_name_on_the_command_line_is_that_one() {
        use clap::ValueEnum;

        assert_eq!(Provider::value_variants(), Provider::ALL);
        for provider in Provider::ALL {
            let clap = provider.to_possible_value().unwrap();
            assert_eq!(clap.get_name(), provider.to_string());
        }
    }

    #[test]
    fn the_table_is_whole() {
        for provider in Provider::ALL {
            let entry = provider.entry();
            assert!(entry.precisions.contains(&Precision::Fp32));
            let wheels = |package: &'static Package| {
                for wheel in package.wheels {
                    assert!(wheel.sha256.len() == 64, "{wheel:?}");
                    assert!(wheel.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
                    assert!(wheel.bytes > 1_000_000);
                    let same = |w: &&Wheel| (w.os, w.arch) == (wheel.os, wheel.arch);
                    assert_eq!(package.wheels.iter().filter(same).count(), 1);
                }
            };
            wheels(entry.package);
            for wheel in entry.package.wheels {
                let version = entry.package.version;
                assert!(wheel.os == "windows" || wheel.library.contains(version));
                // Where ONNX Runtime can be had, so can what it needs.
                for package in entry.beside {
                    assert!(package.wheel_for(wheel.os, wheel.arch).is_some());
                }
            }
            entry.beside.iter().for_each(wheels);
            let any = |os: &&str| entry.package.wheels.iter().any(|w| w.os == *os);
            assert!(entry.systems.iter().any(any), "{provider}");
        }
    }

    #[test]
    fn every_main_library_of_nvidia_is_opened_first() {
        let toolkit = &nvidia::TOOLKITS[0];
        for wheel in nvidia::LIBRARIES.iter().flat_map(|p| p.wheels) {
            let opened = match wheel.os {
                "linux" => toolkit
                    .libraries
                    .iter()
                    .any(|(name, _)| *name == wheel.library),
                _ => nvidia::PRELOAD.iter().any(|p| wheel.library.starts_with(p)),
            };
            assert!(opened, "{}", wheel.library);
        }
        for (name, package) in toolkit.libraries {
            let ours = nvidia::LIBRARIES.iter().any(|p| p.name == *package);
            assert!(ours, "{name}");
        }
    }

    #[test]
    fn an_impossible_pair_names_those_that_exist() {
        let refused = |provider: Provider, precision| provider.check(precision).unwrap_err();
        assert_eq!(
            refused(Provider::OpenVino, Precision::Int8).to_string(),
            "--ep openvino runs fp32 and bf16, not int8; int8 goes with cpu"
        );
        assert_eq!(
            refused(Provider::Cpu, Precision::Fp16).to_string(),
            "--ep cpu runs fp32 and int8, not fp16; fp16 goes with cuda, tensorrt, directml and migraphx"
        );
        assert_eq!(
            refused(Provider::CoreMl, Precision::Bf16).to_string(),
            "--ep coreml runs fp32, not bf16; bf16 goes with openvino and cuda"
        );
        for provider in Provider::ALL {
            for &precision in provider.entry().precisions {
                assert_eq!(provider.check(precision), Ok(()));
            }
        }
    }

    #[test]
    fn failures_are_explained_by_what_is_missing() {
        let cuda = |detail: &str| Provider::Cuda.way_out(detail);
        let loading = "Failed to load library libonnxruntime_providers_cuda.so with error: ";
        let gone = "cannot open shared object file: No such file or directory";
        assert!(cuda(&format!("{loading}libcudnn.so.9: {gone}")).contains("cuDNN 9 is missing"));
        assert!(cuda(&format!("{loading}libcublasLt.so.13: {gone}")).contains("harness setup"));
        assert!(cuda(&format!("{loading}libcuda.so.1: {gone}")).contains("NVIDIA driver, 580"));
        assert!(cuda("CUDA failure 101: invalid device ordinal").contains("harness providers"));
        assert!(cuda("CUDA failure 2: out of memory").contains("memory is full"));
        assert!(
            cuda("CUDA execution provider is not enabled in this build.")
                .contains("ORT_DYLIB_PATH")
        );
        assert_eq!(cuda("something else"), "run with --ep cpu");
        let trt = Provider::TensorRt.way_out(&format!("libnvinfer.so.10: {gone}"));
        assert!(trt.contains("TensorRT 10") && trt.contains("LD_LIBRARY_PATH"));
        let amd = Provider::MiGraphX.way_out(&format!("libmigraphx_c.so.3: {gone}"));
        assert!(amd.contains("ROCm 7"));
    }
}
