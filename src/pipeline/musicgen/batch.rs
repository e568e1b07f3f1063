//! How many pieces are made at once: from memory and cores, never changing what is made.

use sysinfo::System;

/// A step reads every weight once, however many pieces it makes: a piece more is nearly free until its arithmetic takes
/// as long as the reading. MusicGen-small in fp32 is there at about four pieces a core.
const PIECES_A_CORE: usize = 4;
/// From here on another piece gains little, and an interruption would cost more.
const MOST_PIECES: usize = 32;
/// Of the memory that is free, the part to use: others want some of it while the pieces are made.
const USED_PART: (u64, u64) = (4, 5);
/// The cache is in fp32.
const CACHE_VALUE_BYTES: u64 = 4;

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

/// Keys and values of the decoder's self-attention for `rows` rows (two a piece with guidance) and `steps` steps, in
/// `layers` layers of width `hidden`.
pub fn cache_bytes(rows: usize, steps: usize, hidden: usize, layers: usize) -> u64 {
    [rows, steps, hidden, layers]
        .into_iter()
        .fold(2 * CACHE_VALUE_BYTES, |bytes, n| {
            bytes.saturating_mul(n as u64)
        })
}

/// The most pieces to make at once with `available_bytes` of memory (`None`: unknown) and `cores`; at least 1.
///
/// # Errors
/// When one piece needs more memory than there is.
pub fn most_at_once(
    needs: Needs,
    available_bytes: Option<u64>,
    cores: usize,
) -> Result<usize, NoRoom> {
    let by_cores = cores.saturating_mul(PIECES_A_CORE).clamp(1, MOST_PIECES);
    let Some(available_bytes) = available_bytes else {
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

/// The sizes of the batches that make `pieces` with at most `at_once` in each: as few as can be, and as even, the larger
/// ones first. 100 pieces with at most 8 are 9 batches of 8 and 4 of 7.
pub fn sizes(pieces: usize, at_once: usize) -> impl Iterator<Item = usize> {
    let batches = pieces.div_ceil(at_once.max(1));
    (0..batches).map(move |batch| pieces / batches + usize::from(batch < pieces % batches))
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

    #[test]
    fn the_cache_of_a_long_piece_of_musicgen_small() {
        // Two rows, 1,499 steps, 24 layers of 1,024: keys and values in four bytes each.
        assert_eq!(cache_bytes(2, 1499, 1024, 24), 2 * 1499 * 1024 * 24 * 8);
        assert_eq!(cache_bytes(usize::MAX, 2, 2, 2), u64::MAX);
    }

    #[test]
    fn cores_or_memory_whichever_is_less() {
        assert_eq!(most_at_once(needs(), Some(100 * GB), 2), Ok(8));
        assert_eq!(most_at_once(needs(), Some(10 * GB), 2), Ok(6));
        assert_eq!(most_at_once(needs(), None, 2), Ok(8));
        assert_eq!(most_at_once(needs(), Some(1000 * GB), 64), Ok(32));
        assert_eq!(most_at_once(needs(), None, 0), Ok(1));
        let nothing = Needs {
            fixed_bytes: 0,
            piece_bytes: 0,
        };
        assert_eq!(most_at_once(nothing, Some(GB), 1), Ok(4));
    }

    #[test]
    fn a_piece_that_does_not_fit_is_told_with_numbers() {
        let error = most_at_once(needs(), Some(3 * GB), 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "one piece of this length needs about 3000 MB of memory, and 2400 MB of the 3000 MB that are free can be \
             used; make shorter pieces, free memory, or try it all the same with --batch 1"
        );
        assert_eq!(most_at_once(needs(), Some(3750 * GB / 1000), 2), Ok(1));
        assert!(most_at_once(needs(), Some(0), 2).is_err());
    }

    #[test]
    fn batches_are_few_even_and_whole() {
        let sizes_of = |pieces, at_once| sizes(pieces, at_once).collect::<Vec<_>>();
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

    #[test]
    fn this_machine_has_memory() {
        let available = available_bytes();
        assert!(
            available.is_none_or(|bytes| bytes > 1_000_000),
            "{available:?}"
        );
    }
}
