//! The samples of a file at the rate of a model, within a budget of memory over all threads.
//!
//! Files of ordinary length are decoded side by side. One that is longer goes on alone: it waits until no other long one is
//! held, and holds nothing that others wait for. So the most that is held is a few files of ordinary length and a long one,
//! however many threads there are.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::decode::each_block;
use super::error::AudioError;
use super::resample::Resampler;

/// Samples of a file that any thread may hold: 5.8 minutes at 48 kHz, 64 MiB.
const ORDINARY: usize = 1 << 24;

/// Held by whoever holds more.
static LONG: Mutex<()> = Mutex::new(());

/// Mono `[samples]` at the rate that was asked for.
pub struct Samples {
    samples: Vec<f32>,
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Deref for Samples {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.samples
    }
}

/// Decode `path` to mono at `rate_hz`, resampled as it comes. Of a long file, the thread waits for other long ones; it must
/// not hold one of them.
///
/// # Errors
/// Those of [`decode`](super::decode).
pub fn decode_at(path: &Path, rate_hz: u32) -> Result<Samples, AudioError> {
    let mut resampler: Option<Resampler> = None;
    let mut alone = None;
    each_block(path, |from_hz, block| {
        let resampler = resampler.get_or_insert_with(|| Resampler::new(from_hz, rate_hz));
        if alone.is_none() && resampler.ready() > ORDINARY {
            alone = Some(LONG.lock().unwrap_or_else(PoisonError::into_inner));
        }
        resampler.push(block);
    })?;
    Ok(Samples {
        samples: resampler.map(Resampler::finish).unwrap_or_default(),
        _alone: alone,
    })
}
