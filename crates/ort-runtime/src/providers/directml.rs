//! DirectML on the GPUs of Windows, of any maker.

use ort::ep::{DirectML, ExecutionProviderDispatch};

use super::{Ask, Devices, Entry, Memory, Missing, Package, Precision, Wheel};

/// DirectML itself is in it.
static ONNXRUNTIME_DIRECTML: Package = Package {
    name: "onnxruntime-directml",
    version: "1.24.4",
    wheels: &[Wheel {
        os: "windows",
        arch: "x86_64",
        tag: "win_amd64",
        uv_platform: "x86_64-pc-windows-msvc",
        library: "onnxruntime.dll",
        sha256: "f2ecb68b7b7b259d2ef3112ae760149f9b5a1e7c0fbb73d539da6250a648a614",
        bytes: 25_111_930,
    }],
};

pub(super) static ENTRY: Entry = Entry {
    name: "directml",
    about: "GPUs of any maker on Windows; DirectML is in the package",
    package: &ONNXRUNTIME_DIRECTML,
    beside: &[],
    // Windows has an older one of its own, which would be found first.
    toolkits: &[],
    brought: &[],
    preload: &["DirectML.dll"],
    systems: &["windows"],
    needs: "a GPU with DirectX 12",
    precisions: &[Precision::Fp32, Precision::Fp16],
    devices: Devices::Numbered,
    several_sessions: false,
    memory: Memory::Host,
    options,
    missing: &[
        Missing {
            signs: &["DXGI_ERROR_NOT_FOUND", "887A0002", "No devices detected"],
            what: "there is no such GPU with DirectX 12; take another with --device, or run with --ep cpu",
        },
        Missing {
            signs: &["DirectML.dll"],
            what: "DirectML is missing; run `harness setup --ep directml`, which installs it beside ONNX Runtime",
        },
    ],
};

/// Sessions for it must be without memory patterns and run one node after another, as all of the harness's are.
fn options(ask: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    let device = ask.device_number()?;
    Ok(Some(DirectML::default().with_device_id(device).build()))
}
