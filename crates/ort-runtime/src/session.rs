//! Inference sessions. Nothing outside this folder names `ort`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use files::{self, PartFolder, regular};
use ndarray::{ArrayD, ArrayViewD, Ix2, IxDyn};
use onnx_graph::Precision;
use ort::environment::Environment;
use ort::ep::ExecutionProviderDispatch;
use ort::logging::LogLevel;
use ort::memory::Allocator;
use ort::session::SessionInputValue;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{DynTensor, TensorElementType, TensorRef};

use super::buffer::DeviceMemory;
use super::compiled;
use super::element::{self, Element};
use super::error::SessionError;
use super::found::Library;
use super::graph_file::GraphFile;
use super::opened;
use super::placement::Placement;
use super::providers::{Ask, Memory, Provider};

/// ONNX Runtime's name of the provider that is always there.
const CPU: &str = "CPUExecutionProvider";

/// A profile takes some hundred bytes a node, and the largest graphs have some ten thousand nodes.
const LARGEST_PROFILE: u64 = 256 << 20;
/// The graphs of a model have theirs at the same time, each some megabytes at most [bytes].
const ROOM_FOR_PROFILES: u64 = 64 << 20;

/// Where sessions run.
#[derive(Debug, Clone, Copy)]
pub struct SessionOptions {
    pub provider: Provider,
    /// Number of the device, for providers that have several.
    pub device: Option<u32>,
    /// Threads on the CPU, in all.
    pub threads: usize,
    /// Whether these wait for work in a loop, which is faster, or asleep, which leaves the processors to others.
    pub spinning: bool,
}

/// How ONNX Runtime begins to say that a graph cannot be recorded.
const CAPTURE_REFUSED: &str = "cannot use the graph capture feature";

/// ONNX Runtime, opened.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    options: SessionOptions,
    /// Name of the folder in the cache for what this library compiles.
    compiled: String,
    /// The folder that the results go to, if there is one.
    results: Option<PathBuf>,
}

impl Runtime {
    /// Open the library. The first library that a process opens stays for its lifetime.
    pub fn open(library: &Library, options: SessionOptions) -> Result<Self, SessionError> {
        let environment =
            opened::environment(library, options.provider).map_err(SessionError::Library)?;
        environment.set_log_level(LogLevel::Error);
        Ok(Self {
            environment,
            options,
            compiled: compiled::folder_of(options.provider, library, ort::info()),
            results: None,
        })
    }

    /// The same, with what is not kept in the folder that the results go to, where the one for temporary files is missing
    /// or full.
    pub fn working_in(&self, folder: &Path) -> Self {
        Self {
            results: Some(folder.to_owned()),
            ..self.clone()
        }
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
        self.load(graph, threads, false)
    }

    /// As [`Runtime::session`], for a graph that [`super::Bound`] will run many times on the same buffers: where the
    /// device can record its kernels and replay them (CUDA graphs), it does, if the whole graph runs on it.
    pub fn bound_session(
        &self,
        graph: &GraphFile,
        threads: usize,
    ) -> Result<Session, SessionError> {
        if !self.can_capture() {
            return self.load(graph, threads, false);
        }
        match self.load(graph, threads, true) {
            // Some nodes are elsewhere: it runs all the same, and its placement tells which.
            Err(error) if error.to_string().contains(CAPTURE_REFUSED) => {
                self.load(graph, threads, false)
            }
            loaded => loaded,
        }
    }

    fn load(
        &self,
        graph: &GraphFile,
        threads: usize,
        capture: bool,
    ) -> Result<Session, SessionError> {
        let path = &graph.path;
        let load = |source| SessionError::Load {
            graph: path.clone(),
            source,
        };
        // The profile of the first run says which provider every node really ran on.
        let profile = self.scratch().map_err(SessionError::Scratch)?;
        let mut builder = self
            .builder(threads, &profile.path().join("placement"))
            .map_err(load)?;
        let cache = match compiled::is_used(self.options.provider) {
            true => compiled::make(&self.compiled, self.options.provider, graph)?,
            false => profile.path().to_owned(),
        };
        let dispatch = self
            .provider(graph.precision, threads, &cache, capture)
            .map_err(|e| self.provider_error(e.to_string()))?;
        let asked = dispatch.as_ref().map_or(CPU, |dispatch| dispatch.name());
        if let Some(dispatch) = dispatch {
            builder = builder
                .with_execution_providers([dispatch.error_on_failure()])
                .map_err(|e| self.provider_error(e.to_string()))?;
        }
        let inner = builder.commit_from_file(path).map_err(|e| {
            if self.options.provider == Provider::Cpu {
                load(e)
            } else {
                self.provider_error(e.to_string())
            }
        })?;
        Ok(Session {
            inner,
            graph: path.clone(),
            provider: self.options.provider,
            asked,
            memory: self.device_memory(),
            captures: capture,
            profile: Some(profile),
            placement: Placement::default(),
        })
    }

    /// For what is not kept.
    fn scratch(&self) -> std::io::Result<PartFolder> {
        let free = fs4::available_space(std::env::temp_dir());
        match &self.results {
            Some(folder) if !free.is_ok_and(|free| free >= ROOM_FOR_PROFILES) => {
                PartFolder::new_in(folder).map_err(|e| {
                    let told = format!("cannot make a folder in {}: {e}", folder.display());
                    std::io::Error::new(e.kind(), told)
                })
            }
            _ => PartFolder::temporary(),
        }
    }

    fn builder(&self, threads: usize, profile: &Path) -> ort::Result<SessionBuilder> {
        Ok(SessionBuilder::new(&self.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            .with_inter_threads(1)?
            .with_intra_op_spinning(self.options.spinning)?
            .with_memory_pattern(false)?
            // On x86 without VNNI, products of u8 and i8 are added in pairs in 16 bits, which overflow: a cosine of 0.87 in
            // place of 0.998. ONNX Runtime then takes weights in u8, which are slower and right; elsewhere nothing changes.
            .with_config_entry("session.x64quantprecision", "1")?
            .with_profiling(profile)?)
    }

    /// What the session is told of its provider; `None` for the CPU.
    fn provider(
        &self,
        precision: Precision,
        threads: usize,
        cache: &Path,
        graph_capture: bool,
    ) -> ort::Result<Option<ExecutionProviderDispatch>> {
        (self.options.provider.entry().options)(&Ask {
            precision,
            device: self.options.device.unwrap_or(0),
            threads,
            cache,
            graph_capture,
        })
    }

    /// Whether the provider can record its kernels, and nobody forbids it, as one does who measures what it is worth.
    fn can_capture(&self) -> bool {
        let forbidden = std::env::var_os("HARNESS_CUDA_GRAPH").is_some_and(|v| v == "0");
        self.options.provider == Provider::Cuda && !forbidden
    }

    /// The memory that the provider's buffers are in, if it is not the host's.
    fn device_memory(&self) -> Option<DeviceMemory> {
        let Memory::Device(name) = self.options.provider.entry().memory else {
            return None;
        };
        Some(DeviceMemory {
            name,
            device: self.options.device.unwrap_or(0),
        })
    }

    fn provider_error(&self, detail: String) -> SessionError {
        // Some providers write their chain of causes over many lines, half of them empty.
        let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
        let provider = self.options.provider;
        SessionError::Provider {
            provider,
            way_out: provider.way_out(&detail),
            detail,
        }
    }
}

/// One input of a graph, row-major.
pub enum Input<'a> {
    Float(ArrayViewD<'a, f32>),
    Int64(ArrayViewD<'a, i64>),
    Int32(ArrayViewD<'a, i32>),
    Bool(ArrayViewD<'a, bool>),
}

/// A loaded graph.
pub struct Session {
    pub(super) inner: ort::session::Session,
    graph: PathBuf,
    provider: Provider,
    /// What ONNX Runtime calls it.
    asked: &'static str,
    pub(super) memory: Option<DeviceMemory>,
    /// Loaded to record its kernels.
    pub(super) captures: bool,
    profile: Option<PartFolder>,
    placement: Placement,
}

impl Session {
    /// Run the graph on named inputs and return the outputs `wanted`, f32, row-major. Where the graph has half precision,
    /// floats are narrowed on their way in and widened on their way out.
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
                Input::Float(x) => self.floats(name, x.view()).map_err(run)?,
                Input::Int64(x) => TensorRef::from_array_view(x.view()).map_err(run)?.into(),
                Input::Int32(x) => TensorRef::from_array_view(x.view()).map_err(run)?.into(),
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
            let mut widened = Vec::new();
            let values = element::read(value, &mut widened).map_err(|e| output(e.to_string()))?;
            let shape: Vec<usize> = value.shape().iter().map(|&n| n as usize).collect();
            let array = ArrayD::from_shape_vec(IxDyn(&shape), values.to_vec());
            found.push(array.map_err(|e| output(e.to_string()))?);
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

    /// The input `name` of the type that the graph has it in.
    fn floats<'v>(&self, name: &str, x: ArrayViewD<'v, f32>) -> ort::Result<SessionInputValue<'v>> {
        let outlets = self.inner.inputs();
        let declared = outlets.iter().find(|outlet| outlet.name() == name);
        let declared = declared.and_then(|outlet| outlet.dtype().tensor_type());
        let Some(half @ (TensorElementType::Float16 | TensorElementType::Bfloat16)) = declared
        else {
            return Ok(TensorRef::from_array_view(x)?.into());
        };
        let mut tensor = DynTensor::new(&Allocator::default(), half, x.shape())?;
        f32::write(x, &mut tensor)?;
        Ok(tensor.into())
    }

    /// Bytes of one value of the input `name`; `None` when the graph has no such input.
    pub fn input_value_bytes(&self, name: &str) -> Option<usize> {
        let outlets = self.inner.inputs();
        let input = outlets.iter().find(|outlet| outlet.name() == name)?;
        input.dtype().tensor_type()?.byte_size(1)
    }

    /// How many nodes of the optimised graph ran on each provider; empty before the first run.
    pub fn placement(&self) -> &BTreeMap<String, usize> {
        &self.placement.nodes
    }

    /// After the first run: stop profiling and count. A profile that cannot be read, as on a full disk, leaves the counts
    /// empty: whoever reports them tells, and the results do not depend on it.
    pub(super) fn read_placement(&mut self) {
        let Some(folder) = self.profile.take() else {
            return;
        };
        let profile = self.inner.end_profiling().ok().and_then(|file| {
            let file = folder.path().join(file);
            let bytes = regular::read(&file, LARGEST_PROFILE).ok()?;
            Placement::read(&bytes, self.asked).ok()
        });
        if let Some(placement) = profile {
            placement.warn(&self.graph, self.provider);
            self.placement = placement;
        }
    }
}
