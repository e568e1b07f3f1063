//! Whether a machine can do what is asked of a provider: known before anything is downloaded, exported or run. The facts
//! are arguments, so that made-up machines can be asked about.

use foreign::{Foreign, Safe};
use onnx_graph::Precision;

use super::binary::system_name;
use super::devices::{self, Cpu, Gpu, NoGpu};
use super::inventory;
use super::providers::{Devices, PairError, Provider, Toolkit, list};

/// What counts of a machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// In the words of [`std::env::consts::OS`].
    pub os: &'static str,
    /// What the CPU computes in.
    pub cpu: Cpu,
    /// NVIDIA's GPUs; `None` when nobody asked for them, since asking opens the driver.
    pub nvidia: Option<Result<Vec<Gpu>, NoGpu>>,
    /// The CUDA of the library that would be opened.
    pub cuda: &'static Toolkit,
    /// Whether there are Vulkan's loader and a driver for it; `None` when nobody asked, or the system uses none.
    pub vulkan: Option<bool>,
}

impl Machine {
    /// This one, as far as it matters to `provider`.
    pub fn here(provider: Provider) -> Self {
        Self {
            os: std::env::consts::OS,
            cpu: Cpu::here(),
            nvidia: is_nvidia(provider).then(devices::nvidia),
            cuda: inventory::toolkit_here(provider),
            vulkan: (provider == Provider::WebGpu && cfg!(target_os = "linux"))
                .then(devices::has_vulkan),
        }
    }
}

fn is_nvidia(provider: Provider) -> bool {
    matches!(provider, Provider::Cuda | Provider::TensorRt)
}

/// Why a machine cannot do it, and what to do instead.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Pair(PairError),
    #[error("--ep {provider} exists on {} only, and this is {}; run with --ep cpu", systems(*provider), system_name(os))]
    System {
        provider: Provider,
        os: &'static str,
    },
    #[error("--device goes with a provider of several devices (--ep cuda), not with {0}")]
    OneDevice(Provider),
    #[error(
        "--device {asked} is not there; --ep {provider} can use {}",
        told(gpus)
    )]
    NoSuchDevice {
        asked: u32,
        provider: Provider,
        gpus: Vec<Gpu>,
    },
    #[error(
        "--precision bf16 needs a CPU with AMX or AVX-512 BF16; this one has neither; leave --precision out"
    )]
    NoBf16,
    #[error(
        "--ep {provider} needs an NVIDIA driver, {} or newer, and a GPU, and {reason}; install the driver \
         (on Debian and Ubuntu the package nvidia-driver), or run with --ep cpu",
        cuda.oldest_driver
    )]
    NoGpu {
        provider: Provider,
        cuda: &'static Toolkit,
        reason: NoGpu,
    },
    // Without it, ONNX Runtime ends the process.
    #[error(
        "--ep {0} needs a GPU with a driver for Vulkan, and none was found; install one (on Debian and \
         Ubuntu the packages libvulkan1 and mesa-vulkan-drivers), or run with --ep cpu"
    )]
    NoVulkan(Provider),
    #[error(
        "--ep {provider} needs an NVIDIA driver that runs CUDA {}, {} or newer; this one is {driver} and \
         runs CUDA {runs}; install a newer driver, or run with --ep cpu",
        needed.major,
        needed.oldest_driver
    )]
    OldDriver {
        provider: Provider,
        needed: &'static Toolkit,
        driver: Foreign,
        runs: Foreign,
    },
    #[error(
        "--precision bf16 needs a GPU of the Ampere generation or later (compute capability {}.0), and {name} has {major}.{minor}; \
         run with --precision fp16",
        AMPERE
    )]
    BeforeAmpere {
        name: Foreign,
        major: u32,
        minor: u32,
    },
}

/// The first generation of NVIDIA's cores that computes in bf16.
const AMPERE: u32 = 8;

impl Safe for Refusal {}

impl Refusal {
    /// Whether another command line would do, rather than another machine.
    pub fn is_usage(&self) -> bool {
        !matches!(
            self,
            Self::NoGpu { .. } | Self::OldDriver { .. } | Self::NoVulkan(_)
        )
    }
}

/// `Linux and Windows`.
fn systems(provider: Provider) -> String {
    let systems = provider.entry().systems.iter().map(|os| system_name(os));
    list(&systems.collect::<Vec<_>>())
}

/// `0 (NVIDIA H100 80GB HBM3) and 1 (NVIDIA L4)`.
fn told(gpus: &[Gpu]) -> String {
    let names: Vec<String> = gpus
        .iter()
        .map(|gpu| format!("{} ({})", gpu.index, gpu.name))
        .collect();
    list(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Whether the provider exists on the system of `machine`, with a package of ours or without.
///
/// # Errors
/// [`Refusal::System`].
pub fn exists(machine: &Machine, provider: Provider) -> Result<(), Refusal> {
    match provider.entry().systems.contains(&machine.os) {
        true => Ok(()),
        false => Err(Refusal::System {
            provider,
            os: machine.os,
        }),
    }
}

/// Whether `machine` can run `provider` in `precision` on `device`. What only its library can tell is left to it.
///
/// # Errors
/// The first [`Refusal`]: what is wrong on any machine goes before what is missing in this one.
pub fn check(
    machine: &Machine,
    provider: Provider,
    precision: Precision,
    device: Option<u32>,
) -> Result<(), Refusal> {
    provider.check(precision).map_err(Refusal::Pair)?;
    if device.is_some() && provider.entry().devices == Devices::None {
        return Err(Refusal::OneDevice(provider));
    }
    exists(machine, provider)?;
    let bf16 = provider == Provider::OpenVino && precision == Precision::Bf16;
    if bf16 && machine.cpu.bf16().is_none() {
        return Err(Refusal::NoBf16);
    }
    if provider == Provider::WebGpu && machine.vulkan == Some(false) {
        return Err(Refusal::NoVulkan(provider));
    }
    match (&machine.nvidia, is_nvidia(provider)) {
        (Some(found), true) => check_nvidia(
            found,
            machine.cuda,
            provider,
            precision,
            device.unwrap_or(0),
        ),
        _ => Ok(()),
    }
}

fn check_nvidia(
    found: &Result<Vec<Gpu>, NoGpu>,
    cuda: &'static Toolkit,
    provider: Provider,
    precision: Precision,
    asked: u32,
) -> Result<(), Refusal> {
    let gpus = found.as_ref().map_err(|reason| Refusal::NoGpu {
        provider,
        cuda,
        reason: reason.clone(),
    })?;
    let Some(gpu) = gpus.iter().find(|gpu| gpu.index == asked) else {
        return Err(Refusal::NoSuchDevice {
            asked,
            provider,
            gpus: gpus.clone(),
        });
    };
    let major = gpu.driver.split('.').next().map(str::parse::<u32>);
    // A number that is none of ours to read is the library's to judge.
    if matches!(major, Some(Ok(major)) if major < cuda.oldest_driver) {
        return Err(Refusal::OldDriver {
            provider,
            needed: cuda,
            driver: Foreign::new(&gpu.driver),
            runs: Foreign::new(&gpu.cuda_driver_version),
        });
    }
    match gpu.capability {
        Some((major, minor)) if precision == Precision::Bf16 && major < AMPERE => {
            Err(Refusal::BeforeAmpere {
                name: Foreign::new(&gpu.name),
                major,
                minor,
            })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::providers::nvidia::TOOLKITS;
    use super::*;

    fn gpu(index: u32, driver: &str) -> Gpu {
        Gpu {
            index,
            name: "NVIDIA L4".to_owned(),
            total_bytes: 24 << 30,
            free_bytes: 23 << 30,
            driver: driver.to_owned(),
            cuda_driver_version: "12.8".to_owned(),
            capability: Some((8, 9)),
        }
    }

    fn machine(nvidia: Result<Vec<Gpu>, NoGpu>) -> Machine {
        Machine {
            os: "linux",
            cpu: Cpu::default(),
            nvidia: Some(nvidia),
            cuda: &TOOLKITS[0],
            vulkan: None,
        }
    }

    /// The message of a refusal, and whether it is about the command line.
    fn refused(
        machine: &Machine,
        provider: Provider,
        precision: Precision,
        device: Option<u32>,
    ) -> (String, bool) {
        let refusal = check(machine, provider, precision, device).unwrap_err();
        let message = refusal.to_string();
        assert!(!message.contains('\n'), "{message}");
        (message, refusal.is_usage())
    }

    #[test]
    fn a_machine_without_a_driver_says_what_to_install() {
        for provider in [Provider::Cuda, Provider::TensorRt] {
            let bare = machine(Err(NoGpu::NoDriver));
            let (message, usage) = refused(&bare, provider, Precision::Fp32, None);
            assert_eq!(
                message,
                format!(
                    "--ep {provider} needs an NVIDIA driver, 580 or newer, and a GPU, and there is no NVIDIA driver on \
                     this machine; install the driver (on Debian and Ubuntu the package nvidia-driver), or run with \
                     --ep cpu"
                )
            );
            assert!(!usage);
        }
        let broken = machine(Err(NoGpu::Broken(Foreign::new("version mismatch"))));
        let (message, _) = refused(&broken, Provider::Cuda, Precision::Fp16, Some(0));
        assert!(message.contains("version mismatch"), "{message}");
    }

    #[test]
    fn a_driver_too_old_is_named_with_the_one_that_is_needed() {
        let old = machine(Ok(vec![gpu(0, "570.86.15")]));
        let (message, usage) = refused(&old, Provider::Cuda, Precision::Fp32, None);
        for part in ["580 or newer", "570.86.15", "CUDA 12.8", "--ep cpu"] {
            assert!(message.contains(part), "{part} in {message}");
        }
        assert!(!usage);
        for driver in ["580.65.06", "595.10", "strange"] {
            let new = machine(Ok(vec![gpu(0, driver)]));
            assert!(check(&new, Provider::Cuda, Precision::Bf16, None).is_ok());
        }
        // A library for CUDA 12 asks for less.
        let of_12 = Machine {
            cuda: &TOOLKITS[1],
            ..old
        };
        assert!(check(&of_12, Provider::Cuda, Precision::Fp32, None).is_ok());
        let older = Machine {
            nvidia: Some(Ok(vec![gpu(0, "470.1")])),
            ..of_12
        };
        let (message, _) = refused(&older, Provider::Cuda, Precision::Fp32, None);
        assert!(message.contains("runs CUDA 12, 525 or newer"), "{message}");
    }

    #[test]
    fn bf16_is_refused_on_a_gpu_before_ampere_only() {
        let of = |capability| {
            machine(Ok(vec![Gpu {
                name: "Tesla T4".to_owned(),
                capability,
                ..gpu(0, "580.1")
            }]))
        };
        let turing = of(Some((7, 5)));
        let (message, usage) = refused(&turing, Provider::Cuda, Precision::Bf16, None);
        assert_eq!(
            message,
            "--precision bf16 needs a GPU of the Ampere generation or later (compute capability 8.0), and Tesla T4 has 7.5; \
             run with --precision fp16"
        );
        assert!(usage);
        assert!(check(&turing, Provider::Cuda, Precision::Fp16, None).is_ok());
        for capability in [Some((8, 0)), Some((12, 0)), None] {
            assert!(check(&of(capability), Provider::Cuda, Precision::Bf16, None).is_ok());
        }
    }

    #[test]
    fn a_device_that_is_not_there_names_those_that_are() {
        let two = machine(Ok(vec![gpu(0, "580.1"), gpu(1, "580.1")]));
        assert!(check(&two, Provider::Cuda, Precision::Fp32, Some(1)).is_ok());
        assert_eq!(
            refused(&two, Provider::Cuda, Precision::Fp32, Some(7)),
            (
                "--device 7 is not there; --ep cuda can use 0 (NVIDIA L4) and 1 (NVIDIA L4)"
                    .to_owned(),
                true
            )
        );
        for provider in [Provider::Cpu, Provider::OpenVino, Provider::WebGpu] {
            let (message, usage) = refused(&two, provider, Precision::Fp32, Some(0));
            assert!(message.contains(&format!("not with {provider}")));
            assert!(usage);
        }
    }

    #[test]
    fn webgpu_without_vulkan_is_refused_before_it_ends_the_process() {
        let mut linux = machine(Err(NoGpu::NoDriver));
        linux.vulkan = Some(false);
        let (message, usage) = refused(&linux, Provider::WebGpu, Precision::Fp32, None);
        assert!(message.contains("libvulkan1"), "{message}");
        assert!(!usage);
        assert!(check(&linux, Provider::Cpu, Precision::Fp32, None).is_ok());
        for there in [Some(true), None] {
            linux.vulkan = there;
            assert!(check(&linux, Provider::WebGpu, Precision::Fp32, None).is_ok());
        }
    }

    #[test]
    fn bf16_needs_a_cpu_that_has_it_only_where_the_cpu_computes() {
        let mut plain = machine(Ok(vec![gpu(0, "580.1")]));
        let message = "--precision bf16 needs a CPU with AMX or AVX-512 BF16; this one has neither; leave \
                       --precision out";
        assert_eq!(
            refused(&plain, Provider::OpenVino, Precision::Bf16, None),
            (message.to_owned(), true)
        );
        assert!(check(&plain, Provider::Cuda, Precision::Bf16, None).is_ok());
        assert!(check(&plain, Provider::OpenVino, Precision::Fp32, None).is_ok());
        for (amx_bf16, avx512_bf16) in [(true, false), (false, true)] {
            plain.cpu = Cpu {
                amx_bf16,
                avx512_bf16,
            };
            assert!(check(&plain, Provider::OpenVino, Precision::Bf16, None).is_ok());
        }
    }

    #[test]
    fn a_provider_of_another_system_is_refused_and_a_pair_before_it() {
        let linux = machine(Err(NoGpu::NoDriver));
        assert_eq!(
            refused(&linux, Provider::CoreMl, Precision::Fp32, None),
            (
                "--ep coreml exists on macOS only, and this is Linux; run with --ep cpu".to_owned(),
                true
            )
        );
        let (message, _) = refused(&linux, Provider::CoreMl, Precision::Int8, Some(3));
        assert_eq!(
            message,
            "--ep coreml runs fp32, not int8; int8 goes with cpu"
        );
        let (message, _) = refused(&linux, Provider::DirectMl, Precision::Fp16, Some(3));
        assert!(message.contains("Windows only"), "{message}");
    }
}
