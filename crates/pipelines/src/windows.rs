//! A whole clip as one embedding, from those of its windows.
//!
//! One crop of 10 s of a longer piece says as much about the crop as about the piece: shifted by a second, its embedding is
//! another one. A mean over windows hardly moves.

use std::fmt;
use std::str::FromStr;

use clap_audio::CLAP_RATE_HZ;
use serde::{Deserialize, Serialize};

/// How windows of 10 s are laid over a clip, and what becomes of their embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// From the beginning of one window to that of the next [s]; [`Self::HOPS_S`] are sensible.
    #[serde(default = "Windows::usual_hop")]
    pub hop_s: f64,
    #[serde(default)]
    pub pool: Pool,
}

/// What the embedding of a clip is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pool {
    /// The mean of the windows' embeddings, brought to length 1.
    #[default]
    Mean,
    /// The largest value of each dimension, brought to length 1.
    Max,
    /// The mean too, but every window is scored by itself, and the score of the clip is the mean of those.
    None,
}

impl Windows {
    /// With a larger hop some of the clip would not be heard.
    pub const HOPS_S: std::ops::RangeInclusive<f64> = 0.1..=10.0;

    fn usual_hop() -> f64 {
        5.0
    }

    /// Samples at 48 kHz.
    pub fn hop(&self) -> usize {
        (self.hop_s * f64::from(CLAP_RATE_HZ)).round() as usize
    }

    /// Where each window of a clip begins [s], and its embedding, `[joint]`.
    pub fn each<'w>(
        &self,
        clip: &'w Windowed,
        joint: usize,
    ) -> impl Iterator<Item = (f64, &'w [f32])> {
        let (hop, last) = (self.hop(), clip.last);
        let windows = clip.embeddings.chunks_exact(joint.max(1));
        let count = windows.len();
        windows.enumerate().map(move |(i, window)| {
            let sample = if i + 1 == count { last } else { i * hop };
            (sample as f64 / f64::from(CLAP_RATE_HZ), window)
        })
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            hop_s: Self::usual_hop(),
            pool: Pool::default(),
        }
    }
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::Max => "max",
            Self::None => "none",
        })
    }
}

impl FromStr for Pool {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [Self::Mean, Self::Max, Self::None];
        let found = known.into_iter().find(|pool| pool.to_string() == text);
        found.ok_or_else(|| "use mean, max or none".to_owned())
    }
}

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "windows every {} s, pool {}", self.hop_s, self.pool)
    }
}

/// The windows of a clip.
#[derive(Debug, Clone, PartialEq)]
pub struct Windowed {
    /// First sample of the last window, at 48 kHz.
    pub last: usize,
    /// `[windows, joint]`, flat; each of length 1.
    pub embeddings: Vec<f32>,
}

impl Pool {
    /// The embedding of a clip, `[joint]`, from those of its windows, `[windows, joint]` and flat. Of one window it is that
    /// window's.
    pub fn of(self, windows: &[f32], joint: usize) -> Vec<f32> {
        if windows.len() <= joint {
            return windows.to_vec();
        }
        let mut pooled = vec![
            if self == Self::Max {
                f64::NEG_INFINITY
            } else {
                0.0
            };
            joint
        ];
        for window in windows.chunks_exact(joint) {
            for (all, &x) in pooled.iter_mut().zip(window) {
                *all = match self {
                    Self::Mean | Self::None => *all + f64::from(x),
                    Self::Max => all.max(f64::from(x)),
                };
            }
        }
        let length = pooled.iter().map(|x| x * x).sum::<f64>().sqrt();
        // Windows that cancel out have no direction; none of real embeddings do.
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        pooled.into_iter().map(|x| (x * scale) as f32).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embeddings_are_pooled_to_length_one() {
        let windows = [1.0, 0.0, 0.6, 0.8];
        let mean = Pool::Mean.of(&windows, 2);
        assert!((mean[0] - 1.6 / 3.2f32.sqrt()).abs() < 1e-6, "{mean:?}");
        assert_eq!(Pool::None.of(&windows, 2), mean);
        let max = Pool::Max.of(&windows, 2);
        assert!(
            (max[0] - 1.0 / 1.64f32.sqrt()).abs() < 1e-6 && max[1] > 0.6,
            "{max:?}"
        );
        assert_eq!(Pool::Max.of(&[0.6, 0.8], 2), [0.6, 0.8]);
        assert_eq!(Pool::Mean.of(&[1.0, -1.0], 1), [0.0]);
    }

    #[test]
    fn the_last_window_begins_where_it_ends_with_the_clip() {
        let windows = Windows::default();
        let clip = Windowed {
            last: 360_000,
            embeddings: vec![0.0; 6],
        };
        let starts: Vec<f64> = windows.each(&clip, 2).map(|(start_s, _)| start_s).collect();
        assert_eq!(starts, [0.0, 5.0, 7.5]);
        assert_eq!(windows.to_string(), "windows every 5 s, pool mean");
    }
}
