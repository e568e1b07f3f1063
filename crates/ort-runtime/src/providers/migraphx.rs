//! MIGraphX on AMD's GPUs; ROCm is the machine's.

use ort::ep::{ArenaExtendStrategy, ExecutionProviderDispatch, MIGraphX};

use super::{Ask, Devices, Entry, Memory, Missing, Package, Precision, Wheel};

static ONNXRUNTIME_MIGRAPHX: Package = Package {
    name: "onnxruntime-migraphx",
    version: "1.27.1",
    wheels: &[Wheel {
        os: "linux",
        arch: "x86_64",
        tag: "manylinux_2_34_x86_64",
        uv_platform: "x86_64-manylinux_2_34",
        library: "libonnxruntime.so.1.27.1",
        sha256: "089c992442b6bff9f7786173ce6a31db111b104ae66be34d5467593951d905a4",
        bytes: 21_474_043,
    }],
};

pub(super) static ENTRY: Entry = Entry {
    name: "migraphx",
    about: "AMD GPUs; ROCm with MIGraphX is the machine's",
    package: &ONNXRUNTIME_MIGRAPHX,
    beside: &[],
    toolkits: &[],
    brought: &[],
    preload: &[],
    systems: &["linux"],
    needs: "ROCm 7 with MIGraphX",
    precisions: &[Precision::Fp32, Precision::Fp16],
    devices: Devices::Numbered,
    several_sessions: false,
    memory: Memory::Host,
    options,
    missing: &[
        Missing {
            signs: &["libmigraphx", "libamdhip64"],
            what: "it needs ROCm 7 with MIGraphX where the loader finds it: install AMD's packages rocm and migraphx, \
                   or run with --ep cpu",
        },
        Missing {
            signs: &["no ROCm-capable device", "hipErrorNoDevice"],
            what: "there is no AMD GPU that ROCm can use; run with --ep cpu",
        },
        Missing {
            signs: &["invalid device ordinal", "hipErrorInvalidDevice"],
            what: "there is no such device: `rocminfo` lists those there are",
        },
    ],
};

fn options(ask: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    Ok(Some(
        MIGraphX::default()
            .with_device_id(ask.device_number()?)
            .with_fp16(ask.precision == Precision::Fp16)
            .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
            .build(),
    ))
}
