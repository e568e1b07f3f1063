//! What a decoder remembers from step to step, in buffers of the caller.

use ort::value::TensorElementType;

use super::bound::Bound;
use super::buffer::Buffer;
use super::error::SessionError;

impl Bound<'_> {
    /// Bind for each pair of an input `past` and an output `present` one buffer of `shape`, of the type that the graph has
    /// it in: what a run appends is there in the next, and nothing is copied. They are zeros at first.
    ///
    /// # Errors
    /// When the graph has no such input or output, or there is not that much memory.
    pub fn caches(
        &mut self,
        pairs: &[(String, String)],
        shape: &[usize],
    ) -> Result<(), SessionError> {
        let mut made: Vec<(TensorElementType, Buffer)> = Vec::with_capacity(pairs.len());
        for (past, present) in pairs {
            let (_, element) = self.declared_input(past)?;
            let like = made.iter().find(|(of, _)| *of == element);
            let like = like.map(|(_, buffer)| buffer);
            let mut bind = || -> ort::Result<Buffer> {
                let mut buffer = self.memory.zeros_on_device(element, shape, like)?;
                self.binding.bind_input(past, &buffer.bound.typed)?;
                self.binding.bind_output(present, &mut buffer.bound.typed)?;
                Ok(buffer)
            };
            let buffer = bind().map_err(|e| self.session.run_error(e))?;
            made.push((element, buffer));
        }
        for ((past, _), (_, buffer)) in pairs.iter().zip(made) {
            self.caches.insert(past.clone(), buffer);
        }
        self.rebound();
        Ok(())
    }

    /// Bind a buffer of `shape` `[rows, heads, capacity, head_dim]`, zeros at first, as the input `past`, of which the graph
    /// gives what a run adds as the output `new` `[rows, heads, 1, head_dim]`: [`Bound::append`] puts it there. A buffer
    /// that is bound already keeps what it has, at the places it is at, and gets more of them.
    ///
    /// # Errors
    /// When the graph has no such input or output, or there is not that much memory.
    pub fn growing_cache(
        &mut self,
        past: &str,
        new: &str,
        shape: [usize; 4],
    ) -> Result<(), SessionError> {
        let [rows, heads, capacity, head_dim] = shape;
        let mut bind = || -> ort::Result<Buffer> {
            let mut buffer = self.memory.on_host(TensorElementType::Float32, &shape)?;
            let (_, to) = buffer.bound.typed.try_extract_tensor_mut::<f32>()?;
            to.fill(0.0);
            if let Some(old) = self.caches.get(past) {
                let (_, from) = old.bound.typed.try_extract_tensor::<f32>()?;
                let old = from.len() / (rows * heads).max(1);
                let each = capacity * head_dim;
                for (to, from) in to.chunks_exact_mut(each).zip(from.chunks_exact(old)) {
                    let kept = old.min(each);
                    to[..kept].copy_from_slice(&from[..kept]);
                }
            }
            self.binding.bind_input(past, &buffer.bound.typed)?;
            Ok(buffer)
        };
        let buffer = bind().map_err(|e| self.session.run_error(e))?;
        if self.caches.insert(past.to_owned(), buffer).is_none() {
            self.output(new, &[rows, heads, 1, head_dim])?;
        }
        self.rebound();
        Ok(())
    }

    /// Put what the last run gave as the output `new` at `place` of the cache `past`.
    ///
    /// # Errors
    /// When either is not bound, or the cache has no such place.
    pub fn append(&mut self, past: &str, new: &str, place: usize) -> Result<(), SessionError> {
        let (Some(cache), Some(output)) = (self.caches.get_mut(past), self.outputs.get_mut(new))
        else {
            let detail = format!("no cache `{past}` or no output `{new}` is bound");
            return Err(self.session.output_error(detail));
        };
        let mut append = || -> ort::Result<bool> {
            let values = output.read()?;
            let (shape, to) = cache.bound.typed.try_extract_tensor_mut::<f32>()?;
            let [.., capacity, head_dim] = shape[..] else {
                return Ok(false);
            };
            let (capacity, head_dim) = (capacity as usize, head_dim as usize);
            if place >= capacity || values.len() * capacity != to.len() {
                return Ok(false);
            }
            for (to, new) in to
                .chunks_exact_mut(capacity * head_dim)
                .zip(values.chunks_exact(head_dim))
            {
                to[place * head_dim..][..head_dim].copy_from_slice(new);
            }
            Ok(true)
        };
        match append() {
            Ok(true) => Ok(()),
            Ok(false) => {
                let detail = format!("`{new}` does not fit at place {place} of `{past}`");
                Err(self.session.output_error(detail))
            }
            Err(e) => Err(self.session.output_error(e.to_string())),
        }
    }

    /// The whole of a cache in f32 that the host reaches, row-major.
    ///
    /// # Errors
    /// When it is not bound or of another type.
    pub fn cached(&self, past: &str) -> Result<&[f32], SessionError> {
        let Some(cache) = self.caches.get(past) else {
            let detail = format!("no cache `{past}` is bound");
            return Err(self.session.output_error(detail));
        };
        let read = cache.bound.typed.try_extract_tensor::<f32>();
        let (_, values) = read.map_err(|e| self.session.output_error(e.to_string()))?;
        Ok(values)
    }
}
