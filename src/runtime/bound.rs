//! A session that runs many times on buffers which stay where they are.

use std::fmt::Debug;

use ndarray::ArrayViewD;
use ort::memory::Allocator;
use ort::session::IoBinding;
use ort::value::{PrimitiveTensorElementType, Tensor};

use super::session::{Session, SessionError};

/// One graph with its buffers, for as long as a loop of runs lasts.
///
/// Buffers come from the operating system, not from a session's arena, and go back there with this value.
pub struct Bound<'s> {
    session: &'s mut Session,
    binding: IoBinding,
    allocator: Allocator,
    /// Outputs that are read after a run.
    outputs: Vec<(String, Tensor<f32>)>,
}

impl<'s> Bound<'s> {
    pub fn new(session: &'s mut Session) -> Result<Self, SessionError> {
        let binding = session
            .inner
            .create_binding()
            .map_err(|e| session.run_error(e))?;
        Ok(Self {
            session,
            binding,
            allocator: Allocator::default(),
            outputs: Vec::new(),
        })
    }

    /// Bind one buffer of `shape` as the input `past` and the output `present`: what a run appends is there in the next,
    /// and nothing is copied. Its content is undefined at first.
    pub fn cache(
        &mut self,
        past: &str,
        present: &str,
        shape: &[usize],
    ) -> Result<(), SessionError> {
        let mut bind = || -> ort::Result<()> {
            let mut tensor = Tensor::<f32>::new(&self.allocator, shape_of(shape))?;
            self.binding.bind_input(past, &tensor)?;
            self.binding.bind_output(present, &mut tensor)
        };
        bind().map_err(|e| self.session.run_error(e))
    }

    /// Bind an input of the given values, until it is bound anew.
    pub fn input<T>(&mut self, name: &str, values: ArrayViewD<T>) -> Result<(), SessionError>
    where
        T: PrimitiveTensorElementType + Copy + Debug + 'static,
    {
        let mut bind = || -> ort::Result<()> {
            let mut tensor = Tensor::<T>::new(&self.allocator, shape_of(values.shape()))?;
            let (_, target) = tensor.try_extract_tensor_mut::<T>()?;
            target
                .iter_mut()
                .zip(values.iter())
                .for_each(|(t, v)| *t = *v);
            self.binding.bind_input(name, &tensor)
        };
        bind().map_err(|e| self.session.run_error(e))
    }

    /// Bind an output of `shape`, to be read with [`Bound::read`].
    pub fn output(&mut self, name: &str, shape: &[usize]) -> Result<(), SessionError> {
        let mut bind = || -> ort::Result<Tensor<f32>> {
            let mut tensor = Tensor::<f32>::new(&self.allocator, shape_of(shape))?;
            self.binding.bind_output(name, &mut tensor)?;
            Ok(tensor)
        };
        let tensor = bind().map_err(|e| self.session.run_error(e))?;
        self.outputs.push((name.to_owned(), tensor));
        Ok(())
    }

    /// Run once on what is bound.
    pub fn run(&mut self) -> Result<(), SessionError> {
        let ran = self.session.inner.run_binding(&self.binding).map(drop);
        ran.map_err(|e| self.session.run_error(e))?;
        self.session.read_placement();
        Ok(())
    }

    /// An output of the last run, row-major.
    pub fn read(&self, name: &str) -> Result<&[f32], SessionError> {
        let found = self.outputs.iter().find(|(output, _)| output == name);
        let (_, tensor) = found.ok_or_else(|| {
            self.session
                .output_error(format!("no output `{name}` is bound"))
        })?;
        let read = tensor.try_extract_tensor::<f32>();
        let (_, values) = read.map_err(|e| self.session.output_error(e.to_string()))?;
        Ok(values)
    }
}

/// As ONNX Runtime counts.
fn shape_of(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&n| n as i64).collect()
}
