//! How many pieces are made at once: from memory and cores, never changing what is made.

use std::ops::Range;

use sysinfo::System;

use crate::runtime::devices;
use crate::runtime::providers::{Memory, Provider};

/// A step reads every weight once, however many pieces it makes: a piece more is nearly free until its arithmetic takes
/// as long as the reading. MusicGen-small in fp32 is there at about four pieces a core.
const PIECES_A_CORE: usize = 4;
/// From here on another piece gains little, and an interruption would cost more.
const MOST_PIECES: usize = 32;
/// Of the memory that is free, the part to use: others want some of it while the pieces are made.
const USED_PART: (u64, u64) = (4, 5);

/// Memory that generation will take beyond what the process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// However many pieces there are.
    pub fixed_bytes: u64,
    /// Of each piece that is made at once with others.
    pub piece_bytes: u64,
}

/// Not even one piece fits into the memory that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "one piece of this length needs about {} MB of memory, and {} MB of the {} MB that are free can be used; make \
     shorter pieces, free memory, or try it all the same with --batch 1",
    megabytes(needs.fixed_bytes.saturating_add(needs.piece_bytes)),
    megabytes(usable(*available_bytes)),
    megabytes(*available_bytes)
)]
pub struct NoRoom {
    pub needs: Needs,
    pub available_bytes: u64,
}

/// Keys and values of `value_bytes` each for `rows` rows (two a piece with guidance) and `steps` steps, in `layers` layers
/// of width `hidden`.
pub fn cache_bytes(
    value_bytes: u64,
    rows: usize,
    steps: usize,
    hidden: usize,
    layers: usize,
) -> u64 {
    let values = [rows, steps, hidden, layers].into_iter();
    values.fold(value_bytes.saturating_mul(2), |bytes, n| {
        bytes.saturating_mul(n as u64)
    })
}

/// ONNX Runtime's name of the memory of NVIDIA's devices, whose driver tells how much of it is free.
const CUDA: &str = "Cuda";

/// What pieces are made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Of the memory that their caches are in; `None` where nobody tells.
    pub available_bytes: Option<u64>,
    /// Cores that compute, where it is not a device.
    pub cores: Option<usize>,
}

impl Room {
    /// The memory of `provider` and its `device`, as of now.
    pub fn of(provider: Provider, device: u32, threads: usize) -> Self {
        match provider.entry().memory {
            Memory::Host => Self {
                available_bytes: available_bytes(),
                cores: Some(threads),
            },
            Memory::Device(allocator) => Self {
                available_bytes: match allocator {
                    CUDA => devices::nvidia().ok().and_then(|gpus| {
                        let gpu = gpus.into_iter().find(|gpu| gpu.index == device);
                        gpu.map(|gpu| gpu.free_bytes)
                    }),
                    _ => None,
                },
                cores: None,
            },
        }
    }
}

/// The most pieces to make at once in `room`; at least 1.
///
/// # Errors
/// When one piece needs more memory than there is.
pub fn most_at_once(needs: Needs, room: Room) -> Result<usize, NoRoom> {
    let by_cores = match room.cores {
        Some(cores) => cores.saturating_mul(PIECES_A_CORE).clamp(1, MOST_PIECES),
        None => MOST_PIECES,
    };
    let Some(available_bytes) = room.available_bytes else {
        return Ok(by_cores);
    };
    let room = usable(available_bytes).saturating_sub(needs.fixed_bytes);
    let by_memory = room / needs.piece_bytes.max(1);
    match usize::try_from(by_memory).unwrap_or(usize::MAX) {
        0 => Err(NoRoom {
            needs,
            available_bytes,
        }),
        by_memory => Ok(by_cores.min(by_memory)),
    }
}

/// The batches that make `pieces` with at most `at_once` in each: as few as can be, and as even, the larger ones first.
/// 100 pieces with at most 8 are 9 batches of 8 and 4 of 7. When memory runs out they become smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batches {
    pieces: usize,
    at_once: usize,
    /// Pieces that are made.
    made: usize,
}

/// Memory ran out, and a batch is tried again with fewer pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halved {
    pub from: usize,
    pub to: usize,
}

impl Batches {
    pub fn new(pieces: usize, at_once: usize) -> Self {
        Self {
            pieces,
            at_once: at_once.max(1),
            made: 0,
        }
    }

    /// Make the next batch with `make`, from the places of its pieces; `None` when all are made. Where that fails for
    /// want of memory, as `wants_memory` tells, the batch is halved and made again, `told` of it, and so are all that
    /// follow.
    ///
    /// # Errors
    /// What `make` returns for any other reason, or for a piece alone.
    pub fn next<T, E>(
        &mut self,
        mut make: impl FnMut(Range<usize>) -> Result<T, E>,
        wants_memory: impl Fn(&E) -> bool,
        mut told: impl FnMut(Halved),
    ) -> Result<Option<(Range<usize>, T)>, E> {
        loop {
            let left = self.pieces - self.made;
            if left == 0 {
                return Ok(None);
            }
            let size = left.div_ceil(left.div_ceil(self.at_once));
            let batch = self.made..self.made + size;
            match make(batch.clone()) {
                Ok(made) => {
                    self.made += size;
                    return Ok(Some((batch, made)));
                }
                Err(error) if size > 1 && wants_memory(&error) => {
                    self.at_once = size / 2;
                    told(Halved {
                        from: size,
                        to: self.at_once,
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Memory that a process can take now without swapping, the limit of its container included; `None` where the system
/// does not tell.
pub fn available_bytes() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    // Without it `cgroup_limits` panics.
    if system.total_memory() == 0 {
        return None;
    }
    let available = system.available_memory();
    // What files occupy of a container's memory is given up when a process wants it.
    let container = system
        .cgroup_limits()
        .map(|limits| limits.total_memory.saturating_sub(limits.rss));
    Some(container.map_or(available, |room| room.min(available)))
}

fn usable(available_bytes: u64) -> u64 {
    let (part, whole) = USED_PART;
    available_bytes / whole * part
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    fn needs() -> Needs {
        Needs {
            fixed_bytes: 2 * GB,
            piece_bytes: GB,
        }
    }

    fn room(available_bytes: u64, cores: usize) -> Room {
        Room {
            available_bytes: Some(available_bytes),
            cores: Some(cores),
        }
    }

    #[test]
    fn the_cache_of_a_long_piece_of_musicgen_small() {
        // Two rows, 1,499 steps, 24 layers of 1,024: keys and values in four bytes each.
        for value_bytes in [4, 2, 1] {
            let bytes = cache_bytes(value_bytes, 2, 1499, 1024, 24);
            assert_eq!(bytes, 2 * 1499 * 1024 * 24 * 2 * value_bytes);
        }
        assert_eq!(cache_bytes(4, usize::MAX, 2, 2, 2), u64::MAX);
    }

    #[test]
    fn cores_or_memory_whichever_is_less() {
        assert_eq!(most_at_once(needs(), room(100 * GB, 2)), Ok(8));
        assert_eq!(most_at_once(needs(), room(10 * GB, 2)), Ok(6));
        assert_eq!(most_at_once(needs(), room(1000 * GB, 64)), Ok(32));
        let unknown = |cores| Room {
            available_bytes: None,
            cores: Some(cores),
        };
        assert_eq!(most_at_once(needs(), unknown(2)), Ok(8));
        assert_eq!(most_at_once(needs(), unknown(0)), Ok(1));
        let nothing = Needs {
            fixed_bytes: 0,
            piece_bytes: 0,
        };
        assert_eq!(most_at_once(nothing, room(GB, 1)), Ok(4));
    }

    #[test]
    fn on_a_device_its_memory_decides_and_no_core() {
        let device = |gigabytes| Room {
            available_bytes: Some(gigabytes * GB),
            cores: None,
        };
        assert_eq!(most_at_once(needs(), device(24)), Ok(17));
        assert_eq!(most_at_once(needs(), device(80)), Ok(32));
    }

    #[test]
    fn a_piece_that_does_not_fit_is_told_with_numbers() {
        let error = most_at_once(needs(), room(3 * GB, 2)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "one piece of this length needs about 3000 MB of memory, and 2400 MB of the 3000 MB that are free can be \
             used; make shorter pieces, free memory, or try it all the same with --batch 1"
        );
        assert_eq!(most_at_once(needs(), room(3750 * GB / 1000, 2)), Ok(1));
        assert!(most_at_once(needs(), room(0, 2)).is_err());
    }

    #[test]
    fn batches_are_few_even_and_whole() {
        let sizes_of = |pieces, at_once| made_by(pieces, at_once, usize::MAX).0;
        assert_eq!(sizes_of(100, 8), [[8; 9].as_slice(), &[7; 4]].concat());
        assert_eq!(sizes_of(9, 8), [5, 4]);
        assert_eq!(sizes_of(8, 8), [8]);
        assert_eq!(sizes_of(3, 1), [1, 1, 1]);
        assert_eq!(sizes_of(0, 8), [0; 0]);
        for pieces in 1..60 {
            for at_once in 1..20 {
                let sizes = sizes_of(pieces, at_once);
                assert_eq!(sizes.iter().sum::<usize>(), pieces);
                assert_eq!(sizes.len(), pieces.div_ceil(at_once));
                assert!(sizes[0] <= at_once && sizes[0] - sizes[sizes.len() - 1] <= 1);
            }
        }
    }

    #[derive(Debug, PartialEq)]
    enum Failure {
        Memory,
        Other,
    }

    /// The sizes of the batches that a decoder makes which takes `fitting` pieces at once, and how often it was told to
    /// take fewer; each piece is made once, in its order.
    fn made_by(pieces: usize, at_once: usize, fitting: usize) -> (Vec<usize>, Vec<Halved>) {
        let mut batches = Batches::new(pieces, at_once);
        let (mut sizes, mut halved, mut made) = (Vec::new(), Vec::new(), Vec::new());
        let decoder = |batch: Range<usize>| match batch.len() <= fitting {
            true => Ok(batch.collect::<Vec<_>>()),
            false => Err(Failure::Memory),
        };
        let wants_memory = |failure: &Failure| *failure == Failure::Memory;
        while let Some((batch, of_batch)) = batches
            .next(decoder, wants_memory, |h| halved.push(h))
            .unwrap()
        {
            sizes.push(batch.len());
            made.extend(of_batch);
        }
        assert_eq!(made, (0..pieces).collect::<Vec<_>>());
        (sizes, halved)
    }

    #[test]
    fn a_batch_that_does_not_fit_is_halved_until_it_does() {
        let (sizes, halved) = made_by(40, 16, 5);
        // 40 in batches of at most 16 are 14, 13 and 13.
        let steps = [(14, 7), (7, 3)].map(|(from, to)| Halved { from, to });
        assert_eq!(halved, steps);
        assert!(sizes.iter().all(|&size| size <= 3));
        assert_eq!(sizes.len(), 14);
        assert_eq!(made_by(8, 8, 1).0, [1; 8]);
    }

    #[test]
    fn a_piece_alone_that_does_not_fit_and_other_failures_are_errors() {
        let mut tried = Vec::new();
        let mut all = |failure: fn() -> Failure| {
            tried.clear();
            let make = |batch: Range<usize>| -> Result<(), Failure> {
                tried.push(batch.len());
                Err(failure())
            };
            let failed = Batches::new(4, 4).next(make, |f| *f == Failure::Memory, |_| ());
            (failed.unwrap_err(), tried.clone())
        };
        let memory = all(|| Failure::Memory);
        assert_eq!(memory, (Failure::Memory, vec![4, 2, 1]));
        assert_eq!(all(|| Failure::Other), (Failure::Other, vec![4]));
    }

    #[test]
    fn this_machine_has_memory() {
        let available = available_bytes();
        assert!(
            available.is_none_or(|bytes| bytes > 1_000_000),
            "{available:?}"
        );
    }
}
