//! How many pieces are made at once: from memory and cores, never changing what is made.

use ort_runtime::devices;
use ort_runtime::providers::{Memory, Provider};
use sysinfo::System;

/// A step reads every weight once, however many pieces it makes: a piece more is nearly free until its arithmetic takes
/// as long as the reading. MusicGen-small in fp32 is there at about four pieces a core.
const PIECES_A_CORE: usize = 4;
/// From here on another piece gains little, and an interruption would cost more.
const MOST_PIECES: usize = 32;
/// The same on a device, which reads its weights in a fraction of a millisecond: with fewer rows it waits for memory.
const MOST_PIECES_ON_A_DEVICE: usize = 128;
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
        None => MOST_PIECES_ON_A_DEVICE,
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
        assert_eq!(most_at_once(needs(), device(80)), Ok(62));
        assert_eq!(most_at_once(needs(), device(1000)), Ok(128));
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
    fn this_machine_has_memory() {
        let available = available_bytes();
        assert!(
            available.is_none_or(|bytes| bytes > 1_000_000),
            "{available:?}"
        );
    }
}
