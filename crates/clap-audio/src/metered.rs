//! How much of a file a library may read before it hands something on.
//!
//! symphonia (0.6.1) holds the tables, titles and pictures of a file until the end, however large: of a file that is mostly a
//! hole on the disk, a few kilobytes take gigabytes. So every step of reading has a budget.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use symphonia::core::io::MediaSource;

/// For all that comes before the sound. The table of an hour of AAC takes 1 MiB, a picture some.
pub(super) const HEADERS: u64 = 32 << 20;
/// For one packet, whatever stands before it and what is read ahead.
pub(super) const PACKET: u64 = 16 << 20;

/// Bytes that may still be read.
#[derive(Clone, Default)]
pub(super) struct Budget(Arc<AtomicU64>);

impl Budget {
    /// From now on.
    pub(super) fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// A source of which no more is read than its budget allows.
pub(super) struct Metered {
    source: Box<dyn MediaSource>,
    budget: Budget,
}

impl Metered {
    pub(super) fn new(source: Box<dyn MediaSource>, budget: Budget) -> Self {
        Self { source, budget }
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.0.load(Ordering::Relaxed);
        if left == 0 {
            return Err(io::Error::other(
                "what stands around its sound is larger than any program writes",
            ));
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let read = self.source.read(&mut buffer[..most])?;
        self.budget.0.store(left - read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Metered {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

impl MediaSource for Metered {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_the_budget_allows() {
        let budget = Budget::default();
        let source = Box::new(io::Cursor::new(vec![7; 100]));
        let mut metered = Metered::new(source, budget.clone());
        let mut read = [0; 60];
        budget.set(50);
        assert_eq!(metered.read(&mut read).unwrap(), 50);
        assert!(metered.read(&mut read).is_err());
        budget.set(60);
        assert_eq!(metered.read(&mut read).unwrap(), 50);
        assert_eq!(metered.read(&mut read).unwrap(), 0);
    }
}
