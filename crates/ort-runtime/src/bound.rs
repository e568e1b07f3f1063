//! A session that runs many times on buffers which stay where they are.

use std::collections::BTreeMap;

use ndarray::ArrayViewD;
use ort::session::{IoBinding, NoSelectedOutputs, RunOptions};
use ort::value::TensorElementType;

use super::buffer::{self, Buffer, Memory};
use super::capture::{self, Capture};
use super::element::{self, Element};
use super::error::SessionError;
use super::session::Session;

/// One graph with its buffers, for as long as a loop of runs lasts.
///
/// Every buffer is made once and then overwritten in place. With a provider that has memory of its own, caches and
/// whatever else the graph works on are there; the host reaches the values that it gives and those that it asks for
/// through a copy of each.
pub struct Bound<'s> {
    pub(super) session: &'s mut Session,
    pub(super) binding: IoBinding,
    pub(super) memory: Memory,
    /// By the name of the input.
    pub(super) caches: BTreeMap<String, Buffer>,
    pub(super) inputs: BTreeMap<String, BoundInput>,
    /// Outputs that are read after a run.
    pub(super) outputs: BTreeMap<String, BoundOutput>,
    /// For sessions that were loaded to record and replay.
    capture: Option<Capture>,
}

pub(super) struct BoundInput {
    pub buffer: Buffer,
    /// The provider reads it on the host.
    pub by_host: bool,
}

pub(super) struct BoundOutput {
    buffer: Buffer,
    /// Its values in f32, where they are not.
    widened: Vec<f32>,
    /// What the buffer's copy on the host holds is that of the last run.
    fresh: bool,
}

impl BoundOutput {
    pub(super) fn read(&mut self) -> ort::Result<&[f32]> {
        if !self.fresh {
            self.buffer.pull()?;
            self.fresh = true;
        }
        element::read(self.buffer.host(), &mut self.widened)
    }
}

impl<'s> Bound<'s> {
    /// # Errors
    /// When the provider gives no access to its memory.
    pub fn new(session: &'s mut Session) -> Result<Self, SessionError> {
        let start = || {
            Ok((
                session.inner.create_binding()?,
                Memory::new(&session.inner, session.memory)?,
            ))
        };
        let (binding, memory) = start().map_err(|e| session.run_error(e))?;
        let capture = session.captures.then(Capture::new);
        Ok(Self {
            session,
            binding,
            memory,
            caches: BTreeMap::new(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            capture,
        })
    }

    /// Give an input its values, until it is given others. The first time, or with another shape, a buffer is made for
    /// it; from then on it is overwritten. Values in f32 are narrowed where the graph wants half precision.
    ///
    /// # Errors
    /// When the graph has no such input or not of that type, or there is not enough memory.
    pub fn input<T: Element>(
        &mut self,
        name: &str,
        values: ArrayViewD<T>,
    ) -> Result<(), SessionError> {
        let known = self.inputs.get_mut(name);
        if let Some(input) = known.filter(|input| input.buffer.has_shape(values.shape())) {
            let changed =
                T::write(values, input.buffer.host_mut()).map_err(|e| self.session.run_error(e))?;
            if changed {
                input.buffer.push().map_err(|e| self.session.run_error(e))?;
            }
            if let (true, true, Some(capture)) = (changed, input.by_host, &mut self.capture) {
                capture.host_input_changed();
            }
            return Ok(());
        }
        let (place, element) = self.declared_input(name)?;
        let bind = || -> ort::Result<BoundInput> {
            let by_host = buffer::read_by_host(&self.session.inner)?;
            let by_host = by_host.get(place).copied().unwrap_or(true);
            let mut buffer = match by_host {
                true => self.memory.on_host(element, values.shape())?,
                false => self.memory.on_device(element, values.shape(), true)?,
            };
            T::write(values, buffer.host_mut())?;
            buffer.push()?;
            self.binding.bind_input(name, &buffer.bound.typed)?;
            Ok(BoundInput { buffer, by_host })
        };
        let input = bind().map_err(|e| self.session.run_error(e))?;
        self.inputs.insert(name.to_owned(), input);
        self.rebound();
        Ok(())
    }

    /// Bind an output of `shape`, to be read with [`Bound::read`].
    ///
    /// # Errors
    /// When the graph has no such output, or there is not that much memory.
    pub fn output(&mut self, name: &str, shape: &[usize]) -> Result<(), SessionError> {
        let outlets = self.session.inner.outputs();
        let element = outlets
            .iter()
            .find(|outlet| outlet.name() == name)
            .and_then(|outlet| outlet.dtype().tensor_type())
            .ok_or_else(|| self.session.output_error(format!("no output `{name}`")))?;
        let mut bind = || -> ort::Result<Buffer> {
            let mut buffer = self.memory.on_device(element, shape, true)?;
            self.binding.bind_output(name, &mut buffer.bound.typed)?;
            Ok(buffer)
        };
        let output = BoundOutput {
            buffer: bind().map_err(|e| self.session.run_error(e))?,
            widened: Vec::new(),
            fresh: false,
        };
        self.outputs.insert(name.to_owned(), output);
        self.rebound();
        Ok(())
    }

    /// Whether the kernels of the first run are recorded. ONNX Runtime then takes that run several times over: once to make
    /// room, once to record, and once to replay. What a state holds after it is of no use.
    pub fn records(&self) -> bool {
        self.capture.is_some()
    }

    /// Run once on what is bound.
    ///
    /// # Errors
    /// Those of the graph; [`SessionError::is_out_of_memory`] tells whether a smaller batch might run.
    pub fn run(&mut self) -> Result<(), SessionError> {
        let options = self.options().map_err(|e| self.session.run_error(e))?;
        let ran = match &options {
            Some(options) => self
                .session
                .inner
                .run_binding_with_options(&self.binding, options),
            None => self.session.inner.run_binding(&self.binding),
        };
        ran.map(drop).map_err(|e| self.session.run_error(e))?;
        self.outputs
            .values_mut()
            .for_each(|output| output.fresh = false);
        self.session.read_placement();
        Ok(())
    }

    /// An output of the last run, row-major.
    ///
    /// # Errors
    /// When it is not bound or holds no floats.
    pub fn read(&mut self, name: &str) -> Result<&[f32], SessionError> {
        let Some(output) = self.outputs.get_mut(name) else {
            let detail = format!("no output `{name}` is bound");
            return Err(self.session.output_error(detail));
        };
        output
            .read()
            .map_err(|e| self.session.output_error(e.to_string()))
    }

    /// The place and the type of an input of the graph.
    pub(super) fn declared_input(
        &self,
        name: &str,
    ) -> Result<(usize, TensorElementType), SessionError> {
        let outlets = self.session.inner.inputs();
        let place = outlets.iter().position(|outlet| outlet.name() == name);
        place
            .and_then(|place| Some((place, outlets[place].dtype().tensor_type()?)))
            .ok_or_else(|| {
                self.session
                    .run_error(ort::Error::new(format!("it has no input `{name}`")))
            })
    }

    /// None where nothing is recorded.
    fn options(&mut self) -> ort::Result<Option<RunOptions<NoSelectedOutputs>>> {
        let Some(capture) = &mut self.capture else {
            return Ok(None);
        };
        let mut options = RunOptions::new()?;
        options.set(capture::RUN_OPTION, capture.next_run().to_string())?;
        Ok(Some(options))
    }

    pub(super) fn rebound(&mut self) {
        if let Some(capture) = &mut self.capture {
            capture.bound();
        }
    }
}
