//! ONNX Runtime on the CPU for the tests of this crate: a process opens it once.

use std::sync::OnceLock;

use super::{Provider, Runtime, SessionOptions, library};

pub(crate) fn on_cpu() -> &'static Runtime {
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
