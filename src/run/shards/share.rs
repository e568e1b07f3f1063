//! Which items of a run belong to a share: fixed by the whole list, never by what is finished.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::shard::Shard;

/// Seconds that an item takes, as far as it takes to cut the work evenly: on two cores a decoder makes about a second of
/// audio a second, a clip is heard in some 0.2 s, and a text of 300 letters read in 0.05 s. Only their ratios count.
const MADE: f64 = 1.0;
const DECODED: f64 = 0.005;
const HEARD: f64 = 0.2;
const LETTER: f64 = 0.05 / 300.0;

/// The items of one process: all of them, or those of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::run) enum Share {
    All,
    Of {
        /// By the places of the pieces.
        pieces: Vec<bool>,
        /// By arm, and then by the stretches of its texts.
        stretches: Vec<Vec<bool>>,
    },
}

/// What there is to do.
pub(in crate::run) struct Work<'w> {
    /// Seconds of each piece.
    pub seconds: &'w [f64],
    /// Whether the pieces are made.
    pub made: bool,
    pub arms: usize,
    /// Letters of each text that every arm reads.
    pub letters: &'w [usize],
    /// Texts of a stretch.
    pub stretch: usize,
}

impl Share {
    /// That of `shard`: the items go, the largest first, to the share that has least to do.
    pub fn of(shard: Shard, work: &Work<'_>) -> Self {
        let arms = work.arms as f64;
        let of_second = DECODED + if work.made { MADE } else { 0.0 };
        let pieces = work.seconds.iter().map(|s| s * of_second + HEARD * arms);
        // A stretch is of the shortest texts that are left.
        let mut letters = work.letters.to_vec();
        letters.sort_unstable();
        let stretches = letters.chunks(work.stretch.max(1));
        let stretches: Vec<f64> = stretches
            .map(|stretch| stretch.iter().sum::<usize>() as f64 * LETTER)
            .collect();
        let of_arms = (0..work.arms).flat_map(|_| stretches.iter().copied());
        let costs: Vec<f64> = pieces.chain(of_arms).collect();
        let mut own = dealt(&costs, shard).into_iter();
        let pieces = own.by_ref().take(work.seconds.len()).collect();
        let mut of_arm = || own.by_ref().take(stretches.len()).collect();
        Self::Of {
            pieces,
            stretches: (0..work.arms).map(|_| of_arm()).collect(),
        }
    }

    pub fn has_piece(&self, place: usize) -> bool {
        match self {
            Self::All => true,
            Self::Of { pieces, .. } => pieces.get(place).copied().unwrap_or(false),
        }
    }

    pub fn has_stretch(&self, arm: usize, stretch: usize) -> bool {
        let of_arm = |stretches: &[Vec<bool>]| stretches.get(arm)?.get(stretch).copied();
        match self {
            Self::All => true,
            Self::Of { stretches, .. } => of_arm(stretches).unwrap_or(false),
        }
    }

    /// Whether an arm reads anything.
    pub fn has_texts(&self, arm: usize) -> bool {
        match self {
            Self::All => true,
            Self::Of { stretches, .. } => stretches.get(arm).is_some_and(|own| own.contains(&true)),
        }
    }

    /// Pieces, and lines that a journal has of pieces made, clips and texts.
    pub fn size(&self, work: &Work<'_>) -> (usize, usize) {
        let pieces = (0..work.seconds.len())
            .filter(|i| self.has_piece(*i))
            .count();
        let texts = |arm: usize| {
            let of_stretch = |i: usize| {
                work.letters
                    .len()
                    .saturating_sub(i * work.stretch)
                    .min(work.stretch)
            };
            let stretches = 0..work.letters.len().div_ceil(work.stretch.max(1));
            let own = stretches.filter(|i| self.has_stretch(arm, *i));
            own.map(of_stretch).sum::<usize>()
        };
        let each = work.arms + usize::from(work.made);
        let texts: usize = (0..work.arms).map(texts).sum();
        (pieces, pieces * each + texts)
    }
}

/// Whether each item goes to `shard`: the costliest first, each to the share with the smallest sum so far, and of two equal
/// ones to the first.
fn dealt(costs: &[f64], shard: Shard) -> Vec<bool> {
    // Costs are compared as whole numbers, so that no rounding of sums decides.
    let costs: Vec<u64> = costs
        .iter()
        .map(|cost| (cost * 1e6).round() as u64)
        .collect();
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|&item| (Reverse(costs[item]), item));
    let mut shares: BinaryHeap<Reverse<(u64, usize)>> =
        (1..=shard.of()).map(|index| Reverse((0, index))).collect();
    let mut own = vec![false; costs.len()];
    for item in order {
        let Some(Reverse((sum, index))) = shares.pop() else {
            continue;
        };
        own[item] = index == shard.index();
        shares.push(Reverse((sum.saturating_add(costs[item]), index)));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(of: usize, work: &Work<'_>) -> Vec<Share> {
        let shard = |index| Shard::new(index, of).unwrap();
        (1..=of)
            .map(|index| Share::of(shard(index), work))
            .collect()
    }

    /// Pieces and stretches of texts, over all arms.
    fn items(share: &Share, work: &Work<'_>) -> (usize, usize) {
        let pieces = (0..work.seconds.len()).filter(|i| share.has_piece(*i));
        let stretches = work.letters.len().div_ceil(work.stretch);
        let of_arm = |arm| {
            (0..stretches)
                .filter(move |i| share.has_stretch(arm, *i))
                .count()
        };
        (pieces.count(), (0..work.arms).map(of_arm).sum())
    }

    #[test]
    fn every_item_is_in_one_share_and_the_shares_are_even() {
        let seconds: Vec<f64> = (0..100).map(|i| 1.0 + f64::from(i % 30)).collect();
        let letters = [300; 1000];
        let work = Work {
            seconds: &seconds,
            made: true,
            arms: 3,
            letters: &letters,
            stretch: 256,
        };
        let shares = all(16, &work);
        for place in 0..100 {
            let having = shares.iter().filter(|share| share.has_piece(place));
            assert_eq!(having.count(), 1);
        }
        for (arm, stretch) in (0..3).flat_map(|arm| (0..4).map(move |s| (arm, s))) {
            let having = shares.iter().filter(|s| s.has_stretch(arm, stretch));
            assert_eq!(having.count(), 1);
        }
        let sums: Vec<f64> = shares
            .iter()
            .map(|share| {
                let own = seconds.iter().enumerate();
                let made: f64 = own
                    .filter(|(i, _)| share.has_piece(*i))
                    .map(|(_, s)| s)
                    .sum();
                made + items(share, &work).1 as f64 * 12.8
            })
            .collect();
        let (least, most) = sums
            .iter()
            .fold((f64::MAX, 0.0_f64), |(l, m), s| (l.min(*s), m.max(*s)));
        assert!(most - least < 35.0 && least > 90.0, "{sums:?}");
        assert!(!shares[0].has_piece(100) && !shares[0].has_stretch(3, 0));
        assert_eq!(shares, all(16, &work));
    }

    #[test]
    fn more_shares_than_items_leave_some_without() {
        let work = Work {
            seconds: &[10.0, 10.0],
            made: false,
            arms: 1,
            letters: &[5],
            stretch: 256,
        };
        let items: Vec<_> = all(5, &work).iter().map(|s| items(s, &work)).collect();
        assert_eq!(items, [(1, 0), (1, 0), (0, 1), (0, 0), (0, 0)]);
    }
}
