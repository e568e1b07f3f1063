//! Inference sessions. Nothing outside this folder names `ort`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ndarray::{ArrayD, ArrayViewD, Ix2};
use ort::environment::Environment;
use ort::ep::{self, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::SessionInputValue;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::TensorRef;

use super::library::Library;
use super::providers::Provider;
use crate::precision::Precision;

/// Why a graph could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(
        "cannot open {} as ONNX Runtime: {detail}; unset ORT_DYLIB_PATH or remove the file, and the harness \
         installs its own",
        library.display()
    )]
    Library { library: PathBuf, detail: String },
    #[error("the execution provider {provider} could not start: {detail}; {way_out}")]
    Provider {
        provider: Provider,
        detail: String,
        way_out: &'static str,
    },
    #[error(
        "cannot load {}: {source}; if its folder was made by `harness export`, remove the folder and it is made again",
        graph.display()
    )]
    Load { graph: PathBuf, source: ort::Error },
    #[error("cannot run {}: {source}", graph.display())]
    Run { graph: PathBuf, source: ort::Error },
    #[error("{} gave an output of another shape or type than its exporter promised: {detail}", graph.display())]
    Output { graph: PathBuf, detail: String },
}

/// Where sessions run.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    pub provider: Provider,
    /// Number of the device, for providers that have several.
    pub device: Option<u32>,
    /// Threads on the CPU, in all.
    pub threads: usize,
}

/// A graph on disk, its weights beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFile {
    pub path: PathBuf,
    /// Of the graph's own file: a key for what is made of it.
    pub sha256: String,
    /// What to compute in, for providers that are told so.
    pub precision: Precision,
}

/// ONNX Runtime, opened.
pub struct Runtime {
    environment: Environment,
    options: SessionOptions,
}

impl Runtime {
    /// Open the library. The first library that a process opens stays for its lifetime.
    pub fn open(library: &Library, options: SessionOptions) -> Result<Self, SessionError> {
        let failed = |detail: String| SessionError::Library {
            library: library.path.clone(),
            detail,
        };
        let environment = ort::init_from(&library.path)
            .map_err(|e| failed(e.to_string()))?
            .with_name("harness")
            .with_telemetry(false)
            .build()
            .map_err(|e| failed(e.to_string()))?;
        environment.set_log_level(LogLevel::Error);
        Ok(Self {
            environment,
            options,
        })
    }

    pub fn options(&self) -> SessionOptions {
        self.options
    }

    /// Version and build of the library, in its own words.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    /// Load a graph for `threads` of the CPU. A provider that cannot start is an error, never a silent fallback to the CPU.
    pub fn session(&self, graph: &GraphFile, threads: usize) -> Result<Session, SessionError> {
        let graph = &graph.path;
        let load = |source| SessionError::Load {
            graph: graph.clone(),
            source,
        };
        // The profile of the first run says which provider every node really ran on.
        let profile = tempfile::tempdir().map_err(|e| load(ort::Error::new(e.to_string())))?;
        let mut builder = self
            .builder(threads, &profile.path().join("placement"))
            .map_err(load)?;
        if let Some(dispatch) = self.provider() {
            builder = builder
                .with_execution_providers([dispatch.error_on_failure()])
                .map_err(|e| self.provider_error(e.to_string()))?;
        }
        let inner = builder.commit_from_file(graph).map_err(|e| {
            if self.options.provider == Provider::Cpu {
                load(e)
            } else {
                self.provider_error(e.to_string())
            }
        })?;
        Ok(Session {
            inner,
            graph: graph.clone(),
            profile: Some(profile),
            placement: BTreeMap::new(),
        })
    }

    fn builder(&self, threads: usize, profile: &Path) -> ort::Result<SessionBuilder> {
        Ok(SessionBuilder::new(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            .with_memory_pattern(false)?
            .with_profiling(profile)?)
    }

    fn provider(&self) -> Option<ExecutionProviderDispatch> {
        let device = self.options.device.unwrap_or(0);
        match self.options.provider {
            Provider::Cpu => None,
            Provider::Cuda => Some(
                ep::CUDA::default()
                    .with_device_id(device as i32)
                    // TF32 keeps ten bits of a product: not what fp32 promises.
                    .with_tf32(false)
                    .build(),
            ),
            Provider::OpenVino => Some(
                ep::OpenVINO::default()
                    .with_device_type("CPU")
                    .with_precision("FP32")
                    .with_num_threads(self.options.threads)
                    .build(),
            ),
        }
    }

    fn provider_error(&self, detail: String) -> SessionError {
        SessionError::Provider {
            provider: self.options.provider,
            detail,
            way_out: match self.options.provider {
                Provider::Cuda => {
                    "it needs an NVIDIA driver, CUDA 13 and cuDNN 9 where the loader finds them (LD_LIBRARY_PATH), or \
                     run with --ep cpu"
                }
                _ => "run with --ep cpu",
            },
        }
    }
}

/// One input of a graph, row-major.
pub enum Input<'a> {
    Float(ArrayViewD<'a, f32>),
    Int64(ArrayViewD<'a, i64>),
    Bool(ArrayViewD<'a, bool>),
}

/// A loaded graph.
pub struct Session {
    pub(super) inner: ort::session::Session,
    graph: PathBuf,
    profile: Option<tempfile::TempDir>,
    placement: BTreeMap<String, usize>,
}

impl Session {
    /// Run the graph on named inputs and return the outputs `wanted`, f32, row-major.
    pub fn run<const N: usize>(
        &mut self,
        inputs: &[(&str, Input)],
        wanted: [&str; N],
    ) -> Result<[ArrayD<f32>; N], SessionError> {
        let outputs = self.run_all(inputs, &wanted)?;
        outputs
            .try_into()
            .map_err(|_| self.output_error("an output is missing".to_owned()))
    }

    /// As [`Session::run`], for a number of outputs that depends on the model.
    pub fn run_all(
        &mut self,
        inputs: &[(&str, Input)],
        wanted: &[&str],
    ) -> Result<Vec<ArrayD<f32>>, SessionError> {
        let run = |source| SessionError::Run {
            graph: self.graph.clone(),
            source,
        };
        let mut named: Vec<(String, SessionInputValue)> = Vec::with_capacity(inputs.len());
        for (name, input) in inputs {
            let value = match input {
                Input::Float(x) => TensorRef::from_array_view(x.view()).map_err(run)?.into(),
                Input::Int64(x) => TensorRef::from_array_view(x.view()).map_err(run)?.into(),
                Input::Bool(x) => TensorRef::from_array_view(x.view()).map_err(run)?.into(),
            };
            named.push(((*name).to_owned(), value));
        }
        let outputs = self.inner.run(named).map_err(run)?;
        let output = |detail: String| SessionError::Output {
            graph: self.graph.clone(),
            detail,
        };
        let mut found = Vec::with_capacity(wanted.len());
        for name in wanted {
            let value = outputs
                .get(*name)
                .ok_or_else(|| output(format!("no output `{name}`")))?;
            let array = value
                .try_extract_array::<f32>()
                .map_err(|e| output(e.to_string()))?;
            found.push(array.to_owned());
        }
        drop(outputs);
        self.read_placement();
        Ok(found)
    }

    /// Run the graph on named inputs and return its output `embedding` `[batch, joint]`.
    pub fn embed(
        &mut self,
        inputs: &[(&str, Input)],
    ) -> Result<ndarray::Array2<f32>, SessionError> {
        let [embedding] = self.run(inputs, ["embedding"])?;
        embedding
            .into_dimensionality::<Ix2>()
            .map_err(|e| self.output_error(e.to_string()))
    }

    pub(super) fn run_error(&self, source: ort::Error) -> SessionError {
        SessionError::Run {
            graph: self.graph.clone(),
            source,
        }
    }

    /// The error of an output that is not what the graph promised.
    pub fn output_error(&self, detail: String) -> SessionError {
        SessionError::Output {
            graph: self.graph.clone(),
            detail,
        }
    }

    /// How many nodes of the optimised graph ran on each provider; empty before the first run.
    pub fn placement(&self) -> &BTreeMap<String, usize> {
        &self.placement
    }

    /// After the first run: stop profiling and count. A profile that cannot be read leaves the counts empty, and
    /// the manifest says so; the results do not depend on it.
    pub(super) fn read_placement(&mut self) {
        let Some(folder) = self.profile.take() else {
            return;
        };
        let profile = self.inner.end_profiling().ok();
        let events = profile
            .and_then(|file| std::fs::read(folder.path().join(file)).ok())
            .and_then(|bytes| serde_json::from_slice::<Vec<serde_json::Value>>(&bytes).ok());
        for event in events.into_iter().flatten() {
            let is_kernel = event["name"]
                .as_str()
                .is_some_and(|name| name.ends_with("_kernel_time"));
            if let (true, Some(provider)) = (is_kernel, event["args"]["provider"].as_str()) {
                *self.placement.entry(provider.to_owned()).or_default() += 1;
            }
        }
    }
}
