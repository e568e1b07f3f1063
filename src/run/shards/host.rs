//! The machine that a share was computed on, as far as it decides bits and helps to find it again.

use ort_runtime::Provider;
use ort_runtime::devices;
use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// A machine as a process sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::run) struct Host {
    pub name: String,
    pub pid: u32,
    /// As the system names it; empty where it does not say.
    pub cpu: String,
    /// `x86_64`, and the vector extensions that kernels are chosen by.
    pub vectors: Vec<String>,
    /// Of a GPU, where the provider is one of NVIDIA's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
}

impl Host {
    /// This process's, with the device that `provider` would compute on.
    pub fn here(provider: Provider, device: Option<u32>) -> Self {
        let nvidia = matches!(provider, Provider::Cuda | Provider::TensorRt);
        let gpus = if nvidia {
            devices::nvidia().unwrap_or_default()
        } else {
            Vec::new()
        };
        let gpu = gpus
            .into_iter()
            .find(|gpu| gpu.index == device.unwrap_or(0));
        let (device, driver) = gpu.map(|gpu| (gpu.name, gpu.driver)).unzip();
        Self {
            name: System::host_name().unwrap_or_else(|| "unknown".to_owned()),
            pid: std::process::id(),
            cpu: cpu().unwrap_or_default(),
            vectors: vectors(),
            device,
            driver,
        }
    }

    /// What two machines must share for the same bits, in words.
    pub fn kind(&self) -> String {
        match (&self.device, &self.driver) {
            (Some(device), driver) => {
                format!(
                    "{device}, driver {}",
                    driver.as_deref().unwrap_or("unknown")
                )
            }
            (None, _) => self.vectors.join(" "),
        }
    }
}

/// As its maker names it.
fn cpu() -> Option<String> {
    let cpus = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
    let system = System::new_with_specifics(cpus);
    Some(system.cpus().first()?.brand().trim().to_owned())
}

fn vectors() -> Vec<String> {
    let mut found = vec![std::env::consts::ARCH.to_owned()];
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! those_of {
            ($($name:tt)*) => {
                [$(($name, std::is_x86_feature_detected!($name))),*]
            };
        }
        let known = those_of!["sse4.1" "avx" "avx2" "fma" "avxvnni" "avx512f" "avx512vl" "avx512bw" "avx512dq" "avx512vnni" "avx512bf16"];
        let there = known.into_iter().filter(|(_, there)| *there);
        found.extend(there.map(|(name, _)| name.to_owned()));
        if devices::Cpu::here().amx_bf16 {
            found.push("amx".to_owned());
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        macro_rules! those_of {
            ($($name:tt)*) => {
                [$(($name, std::arch::is_aarch64_feature_detected!($name))),*]
            };
        }
        let known = those_of!["neon" "dotprod" "i8mm" "bf16" "sve"];
        let there = known.into_iter().filter(|(_, there)| *there);
        found.extend(there.map(|(name, _)| name.to_owned()));
    }
    found
}
