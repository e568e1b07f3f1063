//! OpenVINO on Intel's CPUs; OpenVINO itself is in the package.

use ort::ep::{ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch, OpenVINO};
use serde_json::json;

use super::{Ask, Devices, Entry, Memory, Missing, Package, Precision, Wheel};

/// The wheel for Windows is left out: OpenVINO is not in it but in a package of its own.
static ONNXRUNTIME_OPENVINO: Package = Package {
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

pub(super) static ENTRY: Entry = Entry {
    name: "openvino",
    about: "Intel CPUs, fastest with AMX or AVX-512 BF16; OpenVINO is in the package",
    package: &ONNXRUNTIME_OPENVINO,
    beside: &[],
    toolkits: &[],
    brought: &[],
    preload: &[],
    systems: &["linux", "windows", "macos"],
    needs: "",
    precisions: &[Precision::Fp32, Precision::Bf16],
    devices: Devices::None,
    several_sessions: false,
    memory: Memory::Host,
    options,
    missing: &[Missing {
        signs: &["libopenvino", "libtbb", "openvino.dll"],
        what: "OpenVINO's libraries are missing beside ONNX Runtime; run `harness setup --ep openvino`",
    }],
};

fn options(ask: &Ask) -> ort::Result<Option<ExecutionProviderDispatch>> {
    Ok(Some(
        OpenVINO::default()
            .with_device_type("CPU")
            // The configuration itself, not the name of a file with it: a name is taken, and then nothing of the file.
            .with_arbitrary_config("load_config", config(ask))
            .with_cache_dir(ask.cache_text()?)
            .build(),
    ))
}

/// OpenVINO's properties of its CPU device. One stream: one request at a time has all the threads.
fn config(ask: &Ask) -> String {
    let precision = match ask.precision {
        Precision::Bf16 => "bf16",
        _ => "f32",
    };
    let mut cpu = json!({
        "INFERENCE_PRECISION_HINT": precision,
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": ask.threads.to_string(),
    });
    if ask.precision == Precision::Bf16 {
        // Its generated kernel for attention refuses keys in bf16 with queries in f32, as in the decoder (2025.4); without it
        // CLAP's audio tower is as fast.
        cpu["SNIPPETS_MODE"] = json!("DISABLE");
    }
    json!({ "CPU": cpu }).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_configuration_is_json_of_texts() {
        let ask = Ask {
            precision: Precision::Bf16,
            device: 0,
            threads: 2,
            cache: Path::new("cache"),
            graph_capture: false,
        };
        assert_eq!(
            config(&ask),
            r#"{"CPU":{"INFERENCE_PRECISION_HINT":"bf16","NUM_STREAMS":"1","INFERENCE_NUM_THREADS":"2","SNIPPETS_MODE":"DISABLE"}}"#
        );
        let in_full = Ask {
            precision: Precision::Fp32,
            ..ask
        };
        let config = config(&in_full);
        assert!(
            config.contains("f32") && !config.contains("SNIPPETS"),
            "{config}"
        );
    }
}
