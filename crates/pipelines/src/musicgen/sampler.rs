//! The next code of each codebook from its logits.
//!
//! In the order of transformers' `generate`: guidance, temperature, top-k, top-p, softmax, one draw
//! (`transformers/generation/logits_process.py` of 5.23).
//!
//! A draw is fixed for ever by the logits and the stream: one `u64` of the stream a codebook and step, its upper 53 bits
//! as a fraction of the sum of the weights, which is taken in `f64` in the order of the codes. The only function in it
//! that processors and C libraries compute differently is `exp`, so that comes from the `libm` crate, which is plain
//! arithmetic and the same everywhere. What may differ between machines are the logits themselves, in their last bits:
//! a draw that lies that close to a border between two codes can then fall to the other one.

use foreign::Safe;
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use serde::Serialize;

/// How the next code is chosen from the logits after guidance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The largest logit; among equal ones the lowest code.
    Greedy,
    /// A draw; the fields are checked by [`Choice::sample`].
    Sample {
        /// Logits are divided by it; finite and above 0.
        temperature: f32,
        /// Only so many of the largest logits, and those equal to the last of them; 0 for all.
        top_k: usize,
        /// Only the likeliest codes that together reach this probability; 1 for all.
        top_p: f32,
    },
}

/// Why codes cannot be drawn like that.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    #[error(
        "the temperature is {0}, and it must be a finite number above 0; for the likeliest code at every step use \
         --greedy"
    )]
    Temperature(f32),
    #[error("top-p is {0}, and it must be above 0 and at most 1 (1 keeps every code)")]
    TopP(f32),
    #[error(
        "top-k is {top_k} codes, and a codebook has {vocab}; name at most {vocab}, or 0 for all of them"
    )]
    TopK { top_k: usize, vocab: usize },
}

impl Safe for ChoiceError {}

impl Choice {
    /// A checked [`Choice::Sample`].
    ///
    /// # Errors
    /// When the temperature is not a finite number above 0, or `top_p` is not in (0, 1].
    pub fn sample(temperature: f32, top_k: usize, top_p: f32) -> Result<Self, ChoiceError> {
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(ChoiceError::Temperature(temperature));
        }
        if !(top_p > 0.0 && top_p <= 1.0) {
            return Err(ChoiceError::TopP(top_p));
        }
        Ok(Self::Sample {
            temperature,
            top_k,
            top_p,
        })
    }

    /// That codebooks of `vocab` codes have as many as `top_k` asks for.
    ///
    /// # Errors
    /// When they have fewer.
    pub fn check_vocab(&self, vocab: usize) -> Result<(), ChoiceError> {
        match *self {
            Self::Sample { top_k, .. } if top_k > vocab => Err(ChoiceError::TopK { top_k, vocab }),
            _ => Ok(()),
        }
    }
}

/// Classifier-free guidance on raw logits, `unconditional + guidance * (conditional - unconditional)`, into `out`
/// (transformers: `ClassifierFreeGuidanceLogitsProcessor`). All three have one length.
pub fn guide(conditional: &[f32], unconditional: &[f32], guidance: f32, out: &mut Vec<f32>) {
    out.clear();
    let pairs = conditional.iter().zip(unconditional);
    out.extend(pairs.map(|(c, u)| u + (c - u) * guidance));
}

/// A logit is infinite or no number: the checkpoint is damaged, or its arithmetic overflowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a logit is not finite")]
pub struct NotFinite;

/// Chooses codes; keeps its buffers from one to the next.
#[derive(Debug)]
pub struct Sampler {
    choice: Choice,
    /// Logits as integers of the same order.
    keys: Vec<u32>,
    /// Codes that may be drawn with their weights, in the order of the codes.
    kept: Vec<(usize, f64)>,
    /// Positions in `kept` by rising logit.
    rising: Vec<(u32, usize)>,
}

impl Sampler {
    pub fn new(choice: Choice) -> Self {
        Self {
            choice,
            keys: Vec::new(),
            kept: Vec::new(),
            rising: Vec::new(),
        }
    }

    /// The code chosen from the logits `[vocab]` of one codebook. [`Choice::Greedy`] draws nothing from `rng`,
    /// [`Choice::Sample`] exactly one `u64`.
    ///
    /// # Errors
    /// When a logit is not finite, or there is none.
    pub fn choose(&mut self, logits: &[f32], rng: &mut ChaCha20Rng) -> Result<i64, NotFinite> {
        // Without a branch a number, as processors like it.
        let finite = logits.iter().fold(true, |all, x| all & x.is_finite());
        let mut best = 0;
        for (code, logit) in logits.iter().enumerate() {
            if *logit > logits[best] {
                best = code;
            }
        }
        if !finite || logits.is_empty() {
            return Err(NotFinite);
        }
        let code = match self.choice {
            Choice::Greedy => best,
            Choice::Sample {
                temperature,
                top_k,
                top_p,
            } => {
                let least = self.least(logits, top_k);
                self.weigh(logits, logits[best], least, temperature);
                if top_p < 1.0 {
                    self.keep_nucleus(logits, top_p);
                }
                self.draw(rng).unwrap_or(best)
            }
        };
        Ok(code as i64)
    }

    /// Skip the draw of a codebook whose code is not used, so that every draw has its fixed place in the stream.
    pub fn skip(&self, rng: &mut ChaCha20Rng) {
        if let Choice::Sample { .. } = self.choice {
            rng.next_u64();
        }
    }

    /// The smallest of the `top_k` largest logits (transformers: `TopKLogitsWarper`).
    fn least(&mut self, logits: &[f32], top_k: usize) -> f32 {
        if top_k == 0 || top_k >= logits.len() {
            return f32::NEG_INFINITY;
        }
        self.keys.clear();
        self.keys.extend(logits.iter().map(|logit| key(*logit)));
        let at = logits.len() - top_k;
        let (_, nth, _) = self.keys.select_nth_unstable(at);
        value(*nth)
    }

    /// Keep the logits from `least` on, each with its part of the softmax, not yet divided by their sum.
    fn weigh(&mut self, logits: &[f32], largest: f32, least: f32, temperature: f32) {
        let (largest, temperature) = (f64::from(largest), f64::from(temperature));
        self.kept.clear();
        for (code, logit) in logits.iter().enumerate() {
            if *logit >= least {
                let weight = libm::exp((f64::from(*logit) - largest) / temperature);
                self.kept.push((code, weight));
            }
        }
    }

    /// Take away the unlikeliest codes that together have at most 1 - `top_p`; the likeliest always stays. Of equal
    /// logits the lower code goes first, as torch sorts them (transformers: `TopPLogitsWarper`).
    fn keep_nucleus(&mut self, logits: &[f32], top_p: f32) {
        self.rising.clear();
        let kept = self.kept.iter().enumerate();
        // Adding 0 makes -0 and 0 equal.
        let keyed = kept.map(|(at, (code, _))| (key(logits[*code] + 0.0), at));
        self.rising.extend(keyed);
        self.rising.sort_unstable();
        let total: f64 = self.rising.iter().map(|(_, at)| self.kept[*at].1).sum();
        let spare = (1.0 - f64::from(top_p)) * total;
        let mut below = 0.0;
        for (_, at) in self.rising.iter().take(self.rising.len() - 1) {
            below += self.kept[*at].1;
            if below > spare {
                break;
            }
            self.kept[*at].1 = 0.0;
        }
    }

    /// The first code up to which the weights add up to more than a uniform part of their sum.
    fn draw(&self, rng: &mut ChaCha20Rng) -> Option<usize> {
        let uniform = uniform(rng);
        let total: f64 = self.kept.iter().map(|(_, weight)| weight).sum();
        let target = uniform * total;
        let mut sum = 0.0;
        self.kept.iter().find_map(|(code, weight)| {
            sum += weight;
            (sum > target).then_some(*code)
        })
    }
}

/// The next draw: in [0, 1), of the upper 53 bits of one `u64`.
pub(super) fn uniform(rng: &mut ChaCha20Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (-53f64).exp2()
}

/// An integer that is ordered as the finite float is.
fn key(x: f32) -> u32 {
    let bits = x.to_bits();
    // Positive: above all negative ones. Negative: the larger the bits, the smaller the number.
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

/// The float of a [`key`].
fn value(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 {
        key & !(1 << 31)
    } else {
        !key
    })
}

#[cfg(test)]
mod tests;
