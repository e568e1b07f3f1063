//! What is in this machine: NVIDIA's GPUs through the driver's own library, and what the CPU can compute in.

use std::path::PathBuf;

use foreign::Foreign;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

/// One GPU of NVIDIA's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// What `--device` calls it: its place among the devices that `CUDA_VISIBLE_DEVICES` leaves, in the order of the PCI
    /// bus. CUDA does so with `CUDA_DEVICE_ORDER=PCI_BUS_ID`, which the program sets.
    pub index: u32,
    /// As NVIDIA sells it.
    pub name: String,
    /// Of its memory.
    pub total_bytes: u64,
    /// Of its memory, at the time of asking.
    pub free_bytes: u64,
    /// Version of the driver, such as `580.95.05`.
    pub driver: String,
    /// The newest CUDA that the driver runs, such as `13.0`.
    pub cuda_driver_version: String,
    /// Generation of its cores (compute capability), such as 8 and 0 of Ampere; `None` where the driver does not tell, as of
    /// some slices.
    pub capability: Option<(u32, u32)>,
}

/// Why no GPU of NVIDIA's can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoGpu {
    #[error("there is no NVIDIA driver on this machine")]
    NoDriver,
    #[error("the NVIDIA driver does not answer: {0}")]
    Broken(Foreign),
    #[error("the NVIDIA driver finds no GPU")]
    NoneFound,
    #[error("CUDA_VISIBLE_DEVICES hides every GPU; unset or correct it")]
    AllHidden,
}

/// NVIDIA's GPUs in this machine that CUDA would show; never an empty list.
///
/// # Errors
/// [`NoGpu`], the plain state of most machines.
pub fn nvidia() -> Result<Vec<Gpu>, NoGpu> {
    let nvml = Nvml::init().map_err(|e| match e {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => NoGpu::NoDriver,
        NvmlError::DriverNotLoaded => NoGpu::Broken(Foreign::new("it is installed and not loaded")),
        other => NoGpu::Broken(Foreign::said(other)),
    })?;
    let shown = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let found = list(&nvml, shown.as_deref()).map_err(|e| NoGpu::Broken(Foreign::said(e)))?;
    if found.is_empty() {
        return Err(NoGpu::NoneFound);
    }
    let gpus = visible(found, shown.as_deref());
    match gpus.is_empty() {
        true => Err(NoGpu::AllHidden),
        false => Ok(gpus),
    }
}

/// Every GPU with its lasting name, in the order of the PCI bus; behind them the slices of GPUs that are `shown` by name, as
/// clusters hand them out.
fn list(nvml: &Nvml, shown: Option<&str>) -> Result<Vec<(String, Gpu)>, NvmlError> {
    let driver = nvml.sys_driver_version()?;
    let cuda = nvml.sys_cuda_driver_version()?;
    let gpu = |index, device: &Device| -> Result<Gpu, NvmlError> {
        let memory = device.memory_info()?;
        Ok(Gpu {
            index,
            name: device.name()?,
            total_bytes: memory.total,
            free_bytes: memory.free,
            driver: driver.clone(),
            cuda_driver_version: format!("{}.{}", cuda / 1000, cuda % 1000 / 10),
            capability: device.cuda_compute_capability().ok().and_then(|told| {
                Some((
                    u32::try_from(told.major).ok()?,
                    u32::try_from(told.minor).ok()?,
                ))
            }),
        })
    };
    let mut found = (0..nvml.device_count()?)
        .map(|index| {
            let device = nvml.device_by_index(index)?;
            Ok((device.uuid()?, gpu(index, &device)?))
        })
        .collect::<Result<Vec<_>, NvmlError>>()?;
    let names = shown.unwrap_or_default().split(',').map(str::trim);
    for (name, index) in names.filter(|name| name.starts_with("MIG-")).zip(0..) {
        let slice = nvml.device_by_uuid(name)?;
        found.push((name.to_owned(), gpu(index, &slice)?));
    }
    Ok(found)
}

/// Those that `CUDA_VISIBLE_DEVICES` names, by number or by the beginning of the lasting name, in its order; as CUDA does,
/// up to the first name that is none.
fn visible(found: Vec<(String, Gpu)>, shown: Option<&str>) -> Vec<Gpu> {
    let Some(shown) = shown else {
        return found.into_iter().map(|(_, gpu)| gpu).collect();
    };
    shown
        .split(',')
        .map(str::trim)
        .map_while(|name| match name.parse::<usize>() {
            Ok(number) => found.get(number),
            Err(_) if name.is_empty() => None,
            Err(_) => found.iter().find(|(uuid, _)| uuid.starts_with(name)),
        })
        .zip(0..)
        .map(|((_, gpu), index)| Gpu {
            index,
            ..gpu.clone()
        })
        .collect()
}

/// Whether there is Vulkan on this Linux: the loader, under the name that programs ask for, and the description of a driver
/// where the loader looks for one.
pub(super) fn has_vulkan() -> bool {
    ort::util::preload_dylib("libvulkan.so.1").is_ok() && has_vulkan_driver()
}

fn has_vulkan_driver() -> bool {
    !vulkan_drivers().is_empty()
}

/// Descriptions of Vulkan's drivers, as far as they tell one set of drivers from another: files that the user names himself,
/// and those where the loader looks, each with its size and the time of its change.
pub(super) fn vulkan_drivers() -> Vec<String> {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"];
    let named = named.iter().filter_map(std::env::var_os);
    let mut drivers: Vec<String> = named
        .filter(|files| !files.is_empty())
        .map(|files| files.display().to_string())
        .collect();
    let of_variable = |name: &str, usual: &str| {
        let folders = std::env::var_os(name).filter(|v| !v.is_empty());
        let folders = folders.unwrap_or_else(|| usual.into());
        std::env::split_paths(&folders).collect::<Vec<_>>()
    };
    let mut roots = of_variable("XDG_DATA_DIRS", "/usr/local/share:/usr/share");
    roots.extend(of_variable("XDG_CONFIG_DIRS", "/etc/xdg"));
    roots.extend(["/etc", "/usr/local/etc", "/usr/share", "/usr/local/share"].map(PathBuf::from));
    if let Some(home) = std::env::home_dir() {
        roots.extend([home.join(".local/share"), home.join(".config")]);
    }
    for root in roots {
        let entries = std::fs::read_dir(root.join("vulkan/icd.d"));
        drivers.extend(entries.into_iter().flatten().flatten().map(|entry| {
            let told = entry.metadata().ok().map(|m| (m.len(), m.modified().ok()));
            format!("{} {told:?}", entry.path().display())
        }));
    }
    drivers.sort();
    drivers
}

/// What the CPU computes in beyond fp32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cpu {
    /// Products of bf16 in vectors.
    pub avx512_bf16: bool,
    /// Products of bf16 in tiles.
    pub amx_bf16: bool,
}

impl Cpu {
    /// That of this machine.
    pub fn here() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            Self {
                avx512_bf16: std::is_x86_feature_detected!("avx512bf16"),
                amx_bf16: amx_bf16(),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Self::default()
    }

    /// In which units it computes bf16; `None`: in none.
    pub fn bf16(self) -> Option<&'static str> {
        match (self.amx_bf16, self.avx512_bf16) {
            (true, true) => Some("AMX and AVX-512 BF16"),
            (true, false) => Some("AMX"),
            (false, true) => Some("AVX-512 BF16"),
            (false, false) => None,
        }
    }
}

/// Stable Rust does not detect AMX yet: the processor's and the system's word for it.
#[cfg(target_arch = "x86_64")]
fn amx_bf16() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};

    #[target_feature(enable = "xsave")]
    unsafe fn saved_state() -> u64 {
        unsafe { _xgetbv(0) }
    }

    // Without AVX-512 there is no AMX, and the check tells that the system saves registers with XSAVE.
    if !std::is_x86_feature_detected!("avx512f") || __cpuid(0).eax < 7 {
        return false;
    }
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    let features = __cpuid_count(7, 0).edx;
    // SAFETY: AVX-512 is detected only where the system has enabled XSAVE, which XGETBV is part of.
    let saved = unsafe { saved_state() };
    const TILES: u64 = 0b11 << 17;
    features & AMX_BF16 != 0 && features & AMX_TILE != 0 && saved & TILES == TILES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<(String, Gpu)> {
        ["GPU-aa11", "GPU-bb22"]
            .iter()
            .zip(0..)
            .map(|(uuid, index)| {
                let gpu = Gpu {
                    index,
                    name: format!("card {index}"),
                    total_bytes: 24 << 30,
                    free_bytes: 20 << 30,
                    driver: "580.95.05".to_owned(),
                    cuda_driver_version: "13.0".to_owned(),
                    capability: Some((9, 0)),
                };
                ((*uuid).to_owned(), gpu)
            })
            .collect()
    }

    fn names(shown: Option<&str>) -> Vec<String> {
        let gpus = visible(two(), shown);
        let places: Vec<u32> = gpus.iter().map(|g| g.index).collect();
        assert_eq!(places, (0..gpus.len() as u32).collect::<Vec<_>>());
        gpus.into_iter().map(|g| g.name).collect()
    }

    #[test]
    fn a_slice_is_shown_by_its_name() {
        let mut found = two();
        let slice = Gpu {
            name: "a slice".to_owned(),
            total_bytes: 10 << 30,
            ..found[0].1.clone()
        };
        found.push(("MIG-cc33".to_owned(), slice));
        for shown in ["MIG-cc33", "MIG-cc33,0", "MIG-cc"] {
            let gpus = visible(found.clone(), Some(shown));
            assert_eq!((gpus[0].index, gpus[0].name.as_str()), (0, "a slice"));
        }
        assert!(visible(found, Some("MIG-other")).is_empty());
    }

    #[test]
    fn the_visible_devices_are_numbered_anew() {
        assert_eq!(names(None), ["card 0", "card 1"]);
        assert_eq!(names(Some("1")), ["card 1"]);
        assert_eq!(names(Some("1,0")), ["card 1", "card 0"]);
        assert_eq!(names(Some("GPU-bb")), ["card 1"]);
        assert_eq!(names(Some("0,7,1")), ["card 0"]);
        assert!(names(Some("")).is_empty());
        assert!(names(Some("-1")).is_empty());
    }
}
