//! What a graph makes anew at every run of what it made at the last, without the host between.

use ndarray::ArrayViewD;

use super::bound::{Bound, BoundInput};
use super::element::Element;
use super::error::SessionError;

impl Bound<'_> {
    /// Bind one buffer with `values` as the input `before` and the output `after`: what a run leaves there is what the next
    /// begins with. The graph has to write it after it has read it. One that is bound already begins anew with `values`.
    ///
    /// # Errors
    /// When the graph has no such input or output, not of that type, or there is not enough memory.
    pub fn state<T: Element>(
        &mut self,
        before: &str,
        after: &str,
        values: ArrayViewD<T>,
    ) -> Result<(), SessionError> {
        let known = self.inputs.get_mut(before);
        if let Some(state) = known.filter(|state| state.buffer.has_shape(values.shape())) {
            // What the host wrote last is not what the last run left.
            let renewed = T::write(values, state.buffer.host_mut());
            return renewed
                .and_then(|_| state.buffer.push())
                .map_err(|e| self.session.run_error(e));
        }
        let (_, element) = self.declared_input(before)?;
        let bind = || -> ort::Result<BoundInput> {
            let mut buffer = self.memory.on_device(element, values.shape(), true)?;
            T::write(values, buffer.host_mut())?;
            buffer.push()?;
            self.binding.bind_input(before, &buffer.bound.typed)?;
            self.binding.bind_output(after, &mut buffer.bound.typed)?;
            Ok(BoundInput {
                buffer,
                by_host: false,
            })
        };
        let state = bind().map_err(|e| self.session.run_error(e))?;
        self.inputs.insert(before.to_owned(), state);
        self.rebound();
        Ok(())
    }

    /// The error of what the graph left, where it is not what it promised.
    pub fn output_error(&self, detail: String) -> SessionError {
        self.session.output_error(detail)
    }

    /// What the last run left in the state `before`, row-major.
    ///
    /// # Errors
    /// When it is not bound, or of another type.
    pub fn left_in<T: Element>(&mut self, before: &str) -> Result<&[T], SessionError> {
        let Some(state) = self.inputs.get_mut(before) else {
            let detail = format!("no state `{before}` is bound");
            return Err(self.session.output_error(detail));
        };
        state
            .buffer
            .pull()
            .and_then(|()| state.buffer.host().try_extract_tensor::<T>())
            .map(|(_, values)| values)
            .map_err(|e| self.session.output_error(e.to_string()))
    }
}
