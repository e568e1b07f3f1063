//! Work in batches that become smaller when memory runs out.

use std::ops::Range;

use process::progress::note;

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

impl Halved {
    /// Tell that there are fewer of `what` at once.
    pub fn note(self, what: &str) {
        let Self { from, to } = self;
        note(format!(
            "not enough memory for {from} {what} at once: going on with {to}"
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
