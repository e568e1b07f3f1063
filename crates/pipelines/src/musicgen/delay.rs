//! The delay pattern of MusicGen: codebook k speaks k steps later than the first.
//!
//! With 4 codebooks, 3 frames and `p` for the pad code, a row a codebook, what is fed at each step (transformers:
//! `MusicgenForCausalLM.build_delay_pattern_mask` and `apply_delay_pattern_mask`):
//!
//! ```text
//! step        0  1  2  3  4  5
//! codebook 0  p  a0 a1 a2 p  p
//! codebook 1  p  p  b0 b1 b2 p
//! codebook 2  p  p  p  c0 c1 c2
//! codebook 3  p  p  p  p  d0 d1     (d2 is chosen at step 5 and never fed)
//! ```
//!
//! The code chosen at step s is fed at step s + 1, and is that of frame s - k. Outside of the frames the pad is fed back,
//! whatever the model chose. transformers leaves the pattern out where it would make fewer frames than codebooks less one;
//! here it holds for every length.

use ndarray::Array2;

/// The codes of one piece while they are chosen.
#[derive(Debug, Clone)]
pub struct DelayedCodes {
    /// `[codebooks, frames]`, the delay undone; the pad where nothing is chosen yet.
    codes: Array2<i64>,
    /// `[codebooks]`: what is fed at the next step.
    fed: Vec<i64>,
    step: usize,
    pad: i64,
}

/// Steps that make `frames` frames of `codebooks` codebooks (transformers: `max_new_tokens`).
pub fn steps(frames: usize, codebooks: usize) -> usize {
    frames.saturating_add(codebooks.saturating_sub(1))
}

/// Frames that `steps` steps make; 0 when they are too few for one.
pub fn frames(steps: usize, codebooks: usize) -> usize {
    steps.saturating_add(1).saturating_sub(codebooks)
}

impl DelayedCodes {
    /// Before the first step. `pad` is the code after the last one of the vocabulary.
    pub fn new(codebooks: usize, frames: usize, pad: i64) -> Self {
        Self {
            codes: Array2::from_elem((codebooks, frames), pad),
            fed: vec![pad; codebooks],
            step: 0,
            pad,
        }
    }

    /// `[codebooks]`: what is fed at this step.
    pub fn fed(&self) -> &[i64] {
        &self.fed
    }

    /// Whether the code that `codebook` chooses at this step is one of the piece; otherwise it is not used.
    pub fn speaks(&self, codebook: usize) -> bool {
        codebook <= self.step && self.step < codebook + self.codes.ncols()
    }

    /// Take `[codebooks]` codes chosen at this step and go on to the next. Those of codebooks that do not speak count
    /// for nothing.
    pub fn push(&mut self, chosen: &[i64]) {
        for (codebook, code) in chosen.iter().enumerate().take(self.fed.len()) {
            let speaks = self.speaks(codebook);
            self.fed[codebook] = if speaks { *code } else { self.pad };
            if speaks {
                self.codes[[codebook, self.step - codebook]] = *code;
            }
        }
        self.step += 1;
    }

    /// `[codebooks, frames]`, i64: the codes of the piece once all steps are taken.
    pub fn into_codes(self) -> Array2<i64> {
        self.codes
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const P: i64 = 2048;

    /// What is fed at each step `[steps, codebooks]` when codebook k chooses 100 k + s at step s, and the piece.
    fn played(codebooks: usize, frames: usize) -> (Vec<Vec<i64>>, Array2<i64>) {
        let mut codes = DelayedCodes::new(codebooks, frames, P);
        let mut fed = Vec::new();
        for step in 0..steps(frames, codebooks) {
            fed.push(codes.fed().to_vec());
            let chosen: Vec<i64> = (0..codebooks).map(|k| (100 * k + step) as i64).collect();
            codes.push(&chosen);
        }
        (fed, codes.into_codes())
    }

    #[test]
    fn three_frames_of_four_codebooks() {
        let (fed, codes) = played(4, 3);
        let by_hand = [
            [P, P, P, P],
            [0, P, P, P],
            [1, 101, P, P],
            [2, 102, 202, P],
            [P, 103, 203, 303],
            [P, P, 204, 304],
        ];
        assert_eq!(fed, by_hand);
        let piece = array![[0, 1, 2], [101, 102, 103], [202, 203, 204], [303, 304, 305]];
        assert_eq!(codes, piece);
    }

    #[test]
    fn one_frame_and_one_codebook() {
        let (fed, codes) = played(4, 1);
        let by_hand = [[P, P, P, P], [0, P, P, P], [P, 101, P, P], [P, P, 202, P]];
        assert_eq!(fed, by_hand);
        assert_eq!(codes, array![[0], [101], [202], [303]]);
        let (fed, codes) = played(1, 3);
        assert_eq!(fed, [[P], [0], [1]]);
        assert_eq!(codes, array![[0, 1, 2]]);
    }

    /// The mask of transformers' `build_delay_pattern_mask`: pads in the upper triangle from `max_length` -
    /// codebooks + 1 on and in the lower triangle, its diagonal included.
    #[test]
    fn the_pads_are_those_of_transformers() {
        for (codebooks, frames) in [(4, 3), (4, 4), (4, 50), (2, 7), (8, 9)] {
            let (fed, _) = played(codebooks, frames);
            let max_length = fed.len() + 1;
            for (column, fed) in fed.iter().enumerate() {
                for (k, code) in fed.iter().enumerate() {
                    let end = column >= max_length - codebooks + 1 + k;
                    let start = column <= k;
                    assert_eq!(*code == P, end || start, "column {column}, codebook {k}");
                }
            }
        }
    }

    #[test]
    fn steps_and_frames_belong_together() {
        assert_eq!((steps(1496, 4), frames(1499, 4)), (1499, 1496));
        assert_eq!((steps(1, 4), frames(4, 4), frames(3, 4)), (4, 1, 0));
        assert_eq!((frames(0, 4), frames(5, 1)), (0, 5));
    }
}
