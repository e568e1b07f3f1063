//! A provider's first start on a machine, in a process of its own: some libraries and drivers end the process that starts
//! them, without a word. What started once is remembered, by library, driver and device.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::{fs, io};

use files::cache;
use files::{self, PartFolder};
use foreign::Foreign;
use ndarray::Array2;
use onnx_graph::Precision;
use onnx_graph::{Axis, Element, GraphBuilder, Operators, WeightsFile};
use process::child;
use sysinfo::System;

use super::devices;
use super::error::SessionError;
use super::found::Library;
use super::graph_file::GraphFile;
use super::providers::{Memory, Provider};
use super::session::{Input, Runtime, SessionOptions};

/// The hidden option of `harness providers --check` that does no more than [`start`].
pub const OPTION: &str = "--only-start";

/// [`Runtime::open`], after a trial where this machine has not seen the provider start. The CPU's needs none.
///
/// # Errors
/// [`SessionError::Ended`] where the trial was ended; else those of [`Runtime::open`]. A provider that says itself what it
/// lacks is left to say so.
pub fn open(library: &Library, options: SessionOptions) -> Result<Runtime, SessionError> {
    if options.provider != Provider::Cpu {
        let mark = mark(library, options);
        if !mark.as_ref().is_some_and(|mark| mark.is_file()) {
            try_apart(options, mark.as_deref())?;
        }
    }
    Runtime::open(library, options)
}

/// Start the provider and run the smallest graph on it, in this process.
///
/// # Errors
/// What the provider says it lacks.
pub fn start(library: &Library, options: SessionOptions) -> Result<(), SessionError> {
    let runtime = Runtime::open(library, options)?;
    let folder = PartFolder::temporary().map_err(SessionError::Scratch)?;
    let graph = smallest(folder.path()).map_err(SessionError::Scratch)?;
    let mut session = runtime.session(&graph, options.threads)?;
    let ones = Array2::<f32>::ones((2, SIZE));
    let inputs = [("x", Input::Float(ones.view().into_dyn()))];
    session.run(&inputs, ["y"]).map(drop)
}

const SIZE: usize = 16;

/// `y = x w`: a product is what providers are for.
fn smallest(folder: &Path) -> io::Result<GraphFile> {
    let path = folder.join("smallest.onnx");
    let mut weights = WeightsFile::create(&folder.join("smallest.onnx.data"))?;
    let mut graph = GraphBuilder::new("smallest", &mut weights, Operators::Standard);
    let axes = [Axis::Fixed(2), Axis::Fixed(SIZE)];
    let x = graph.input("x", Element::Float, &axes);
    let w = graph.tensor("w", &[SIZE, SIZE], &[0.5; SIZE * SIZE])?;
    let y = graph.matmul(&x, &w);
    graph.output("y", &y, Element::Float, &axes);
    let bytes = graph.encode(("harness", env!("CARGO_PKG_VERSION")), &[]);
    weights.finish()?;
    files::write_bytes(&path, &bytes)?;
    Ok(GraphFile {
        path,
        sha256: files::sha256_bytes(&bytes),
        weights_sha256: String::new(),
        precision: Precision::Fp32,
    })
}

fn try_apart(options: SessionOptions, mark: Option<&Path>) -> Result<(), SessionError> {
    let SessionOptions { provider, .. } = options;
    // Where no other process can be had, this one tries.
    let Ok(mut command) = child::again() else {
        return Ok(());
    };
    command.args(["providers", "--check", "--ep", provider.name(), OPTION]);
    command.args(["--threads", &options.threads.to_string()]);
    if let Some(device) = options.device {
        command.args(["--device", &device.to_string()]);
    }
    let Ok(output) = child::output(&mut command) else {
        return Ok(());
    };
    if let Some(how) = ended(output.status) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(SessionError::Ended {
            provider,
            how,
            said: last_line(&said),
        });
    }
    if let (true, Some(mark)) = (output.status.success(), mark) {
        // Without a place for it, the next start is tried again.
        let made = mark.parent().map_or(Ok(()), fs::create_dir_all);
        let _ = made.and_then(|()| files::write_bytes(mark, b""));
    }
    Ok(())
}

/// How a process came to its end that it did not choose; `None` for one that ended by itself.
fn ended(status: ExitStatus) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        status.signal().map(|signal| match name(signal) {
            Some(name) => format!("{name}, signal {signal}"),
            None => format!("signal {signal}"),
        })
    }
    #[cfg(not(unix))]
    {
        // Codes of exceptions, such as 0xC0000005, are negative numbers.
        let code = status.code().filter(|&code| code < 0)?;
        Some(format!("exception {code:#X}"))
    }
}

/// Of the signals that end a process whose code went wrong.
#[cfg(unix)]
fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGSYS => "SIGSYS",
        libc::SIGKILL => "SIGKILL",
        _ => return None,
    })
}

fn last_line(said: &str) -> Option<String> {
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    last.map(|line| Foreign::new(line.trim()).to_string())
}

/// The file that says that this was started here before; `None` where there is no place for it.
fn mark(library: &Library, options: SessionOptions) -> Option<PathBuf> {
    let provider = options.provider;
    let driver = match provider.entry().memory {
        Memory::Device(_) => devices::nvidia().ok().map(|gpus| {
            let told = gpus
                .iter()
                .map(|gpu| format!("{} {}", gpu.name, gpu.driver));
            told.collect::<Vec<_>>()
        }),
        Memory::Host => (provider == Provider::WebGpu).then(devices::vulkan_drivers),
    };
    let key = format!(
        "{provider} {:?} {:?} {:?} {:?} {:?}",
        options.device,
        driver,
        (&library.path, &library.version, &library.before),
        // Another file at the same place.
        fs::metadata(&library.path)
            .ok()
            .map(|meta| (meta.len(), meta.modified().ok())),
        // Machines share home folders.
        System::host_name(),
    );
    let folder = cache::folder().ok()?.join("started");
    let hash = files::sha256_bytes(key.as_bytes());
    Some(folder.join(&hash[..32]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::for_tests;

    #[test]
    fn the_smallest_graph_runs() {
        let folder = tempfile::tempdir().unwrap();
        let graph = smallest(folder.path()).unwrap();
        let mut session = for_tests::runtime().session(&graph, 1).unwrap();
        let ones = Array2::<f32>::ones((2, SIZE));
        let inputs = [("x", Input::Float(ones.view().into_dyn()))];
        let [y] = session.run(&inputs, ["y"]).unwrap();
        assert!(y.iter().all(|&y| y == SIZE as f32 / 2.0));
    }

    #[cfg(unix)]
    #[test]
    fn a_signal_is_told_by_its_name() {
        use std::os::unix::process::ExitStatusExt;
        let of = |raw| ended(ExitStatus::from_raw(raw));
        assert_eq!(of(libc::SIGSEGV).unwrap(), "SIGSEGV, signal 11");
        assert_eq!(of(63).unwrap(), "signal 63");
        assert_eq!(of(0), None);
        assert_eq!(of(1 << 8), None);
    }

    #[test]
    fn another_library_driver_or_device_is_another_start() {
        let library = |path: &str| Library {
            path: path.into(),
            version: "1.31.1".to_owned(),
            origin: super::super::library::Origin::Cache,
            sha256: None,
            before: Vec::new(),
        };
        let options = |provider, device| SessionOptions {
            provider,
            device,
            threads: 2,
            spinning: true,
        };
        let mark = |path, provider, device| mark(&library(path), options(provider, device));
        let first = mark("/a/lib.so", Provider::Cuda, None).unwrap();
        assert_eq!(mark("/a/lib.so", Provider::Cuda, None).unwrap(), first);
        for other in [
            mark("/b/lib.so", Provider::Cuda, None),
            mark("/a/lib.so", Provider::WebGpu, None),
            mark("/a/lib.so", Provider::Cuda, Some(1)),
        ] {
            assert_ne!(other.unwrap(), first);
        }
    }
}
