//! CoreML on Apple's machines: a provider in the wheel for the CPU.

use ort::ep::{
    CoreML, ExecutionProviderDispatch,
    coreml::{ComputeUnits, ModelFormat},
};

use super::{Ask, Devices, Entry, Memory, Missing, Precision, cpu};

pub(super) static ENTRY: Entry = Entry {
    name: "coreml",
    about: "the GPU of Apple's machines",
    package: &cpu::ONNXRUNTIME,
    beside: &[],
    toolkits: &[],
    brought: &[],
    preload: &[],
    systems: &["macos"],
    needs: "macOS 14 or newer",
    precisions: &[Precision::Fp32],
    devices: Devices::None,
    several_sessions: false,
    memory: Memory::Host,
    options,
    missing: &[Missing {
        signs: &["CoreML is not", "MLProgram"],
        what: "it needs macOS 14 or newer; update, or run with --ep cpu",
    }],
};

fn options(ask: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    Ok(Some(
        CoreML::default()
            .with_model_format(ModelFormat::MLProgram)
            // The neural engine computes in half precision only: not what fp32 promises.
            .with_compute_units(ComputeUnits::CPUAndGPU)
            .with_model_cache_dir(ask.cache_text()?)
            .build(),
    ))
}
