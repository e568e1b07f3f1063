//! ONNX Runtime on the CPU; a process can open it once.

use std::sync::OnceLock;

use ort_runtime::{Provider, Runtime, SessionOptions, library};

pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let library = library::find_or_install(Provider::Cpu, false).unwrap();
        let options = SessionOptions {
            provider: Provider::Cpu,
            device: None,
            threads: 2,
            spinning: true,
        };
        Runtime::open(&library, options).unwrap()
    })
}
