//! Which part of a long clip CLAP hears.
//!
//! CLAP reads 10 s. Of a longer clip an unfused model hears one crop of the waveform; a fused one hears the whole clip
//! shrunk to 10 s and a crop of the spectrogram from each third of the possible starts. laion_clap draws these at
//! random, so its scores of long clips change from run to run; here they are drawn by a policy, and recorded.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::log_mel::frames;
use super::spectrum::{CLAP_RATE_HZ, HOP};

/// Samples that CLAP reads at 48 kHz: 10 s.
pub const CLIP_SAMPLES: usize = 10 * CLAP_RATE_HZ as usize;
/// Mel frames of [`CLIP_SAMPLES`].
pub const CLIP_FRAMES: usize = CLIP_SAMPLES / HOP + 1;

/// How the crops of a long clip are chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CropPolicy {
    /// At random, as laion_clap, but from the caller's generator.
    #[default]
    Seeded,
    /// The first possible one (of each third).
    Start,
    /// The middle one (of each third).
    Center,
}

impl fmt::Display for CropPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seeded => "seeded",
            Self::Start => "start",
            Self::Center => "center",
        })
    }
}

impl FromStr for CropPolicy {
    type Err = UnknownCropPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownCropPolicy> {
        match text {
            "seeded" => Ok(Self::Seeded),
            "start" => Ok(Self::Start),
            "center" => Ok(Self::Center),
            other => Err(UnknownCropPolicy(other.into())),
        }
    }
}

/// A word that names no crop policy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{0}` is no crop policy; use seeded, start or center")]
pub struct UnknownCropPolicy(pub String);

/// The crops of one clip, empty where none is taken: the columns `front,middle,back,offset` of a CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crops {
    /// First mel frame of the crop from the first third (fused models).
    pub front: Option<usize>,
    /// First mel frame of the crop from the second third (fused models).
    pub middle: Option<usize>,
    /// First mel frame of the crop from the last third (fused models).
    pub back: Option<usize>,
    /// First sample of the crop, at 48 kHz (unfused models).
    pub offset: Option<usize>,
}

/// Crops that do not fit a clip.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CropError {
    /// A long clip without a crop that the model needs.
    #[error(
        "a clip of {samples} samples at 48 kHz is longer than 10 s and needs a crop `{crop}`; state it"
    )]
    Missing {
        /// The column: `front`, `middle`, `back` or `offset`.
        crop: &'static str,
        /// Samples of the clip at 48 kHz.
        samples: usize,
    },
    /// A crop that would reach beyond the end.
    #[error(
        "crop `{crop}` begins at {start}; in a clip of {samples} samples at 48 kHz it can begin at {last} at most, \
         or these are the crops of another clip"
    )]
    OutOfRange {
        /// The column: `front`, `middle`, `back` or `offset`.
        crop: &'static str,
        /// Where it begins: a mel frame, for `offset` a sample.
        start: usize,
        /// The last possible beginning.
        last: usize,
        /// Samples of the clip at 48 kHz.
        samples: usize,
    },
}

/// What a clip of some length needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Need {
    /// The whole clip is heard, filled up to 10 s.
    Nothing,
    /// One crop of the waveform, beginning at this sample at most.
    Offset { last: usize },
    /// Three crops of the spectrogram, beginning at this frame at most.
    Thirds { last: usize },
}

impl Need {
    /// `samples` at 48 kHz. A clip that is less than one hop too long has no more frames than 10 s have: a fused model
    /// then hears all of it.
    pub(super) fn of(samples: usize, fusion: bool) -> Self {
        let last_frame = frames(samples).saturating_sub(CLIP_FRAMES);
        match (samples.checked_sub(CLIP_SAMPLES), fusion) {
            (None | Some(0), _) => Self::Nothing,
            (Some(_), true) if last_frame == 0 => Self::Nothing,
            (Some(_), true) => Self::Thirds { last: last_frame },
            (Some(last), false) => Self::Offset { last },
        }
    }

    pub(super) fn draw(self, policy: CropPolicy, rng: &mut impl Rng) -> Crops {
        let mut pick = |range: Range<usize>| {
            let step = match policy {
                CropPolicy::Seeded => below(range.len(), rng),
                CropPolicy::Start => 0,
                CropPolicy::Center => range.len() / 2,
            };
            Some(range.start + step)
        };
        match self {
            Self::Nothing => Crops::default(),
            // `last / 2` and not the middle of the `last + 1` starts: as much is left out before as after.
            Self::Offset { last } if policy == CropPolicy::Center => Crops {
                offset: Some(last / 2),
                ..Crops::default()
            },
            Self::Offset { last } => Crops {
                offset: pick(0..last + 1),
                ..Crops::default()
            },
            Self::Thirds { last } => {
                let [front, middle, back] = thirds(last + 1);
                Crops {
                    front: pick(front),
                    middle: pick(middle),
                    back: pick(back),
                    offset: None,
                }
            }
        }
    }

    /// The crops out of `given` that are needed; the others are left out.
    pub(super) fn select(self, given: &Crops, samples: usize) -> Result<Crops, CropError> {
        let fits = |crop, start: Option<usize>, last| match start {
            None => Err(CropError::Missing { crop, samples }),
            Some(start) if start > last => Err(CropError::OutOfRange {
                crop,
                start,
                last,
                samples,
            }),
            found => Ok(found),
        };
        match self {
            Self::Nothing => Ok(Crops::default()),
            Self::Offset { last } => Ok(Crops {
                offset: fits("offset", given.offset, last)?,
                ..Crops::default()
            }),
            Self::Thirds { last } => Ok(Crops {
                front: fits("front", given.front, last)?,
                middle: fits("middle", given.middle, last)?,
                back: fits("back", given.back, last)?,
                offset: None,
            }),
        }
    }
}

/// `numpy.array_split(range(starts), 3)`, where laion_clap makes an empty part `[0]`.
fn thirds(starts: usize) -> [Range<usize>; 3] {
    let mut from = 0;
    [0, 1, 2].map(|part| {
        let length = starts / 3 + usize::from(part < starts % 3);
        let range = from..from + length;
        from += length;
        if range.is_empty() { 0..1 } else { range }
    })
}

/// A number under `bound`, from one u64 of the generator.
///
/// Written out because `rand` does not promise the same numbers from version to version. Uneven by less than
/// `bound` / 2^64.
fn below(bound: usize, rng: &mut impl Rng) -> usize {
    ((u128::from(rng.next_u64()) * bound as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn crops(front: usize, middle: usize, back: usize) -> Crops {
        Crops {
            front: Some(front),
            middle: Some(middle),
            back: Some(back),
            offset: None,
        }
    }

    fn draw(samples: usize, fusion: bool, policy: CropPolicy, seed: u64) -> Crops {
        Need::of(samples, fusion).draw(policy, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn thirds_are_numpys() {
        assert_eq!(thirds(2001), [0..667, 667..1334, 1334..2001]);
        assert_eq!(thirds(5), [0..2, 2..4, 4..5]);
        assert_eq!(thirds(2), [0..1, 1..2, 0..1]);
    }

    #[test]
    fn clips_up_to_ten_seconds_need_no_crop() {
        for fusion in [false, true] {
            for samples in [1, 480, CLIP_SAMPLES] {
                assert_eq!(Need::of(samples, fusion), Need::Nothing);
            }
        }
        // Up to a hop longer: no frame more.
        assert_eq!(Need::of(CLIP_SAMPLES + 479, true), Need::Nothing);
        assert_eq!(Need::of(CLIP_SAMPLES + 480, true), Need::Thirds { last: 1 });
        assert_eq!(Need::of(CLIP_SAMPLES + 1, false), Need::Offset { last: 1 });
    }

    #[test]
    fn fixed_policies_take_the_first_and_the_middle() {
        assert_eq!(
            draw(1_440_000, true, CropPolicy::Start, 0),
            crops(0, 667, 1334)
        );
        assert_eq!(
            draw(1_440_000, true, CropPolicy::Center, 0),
            crops(333, 1000, 1667)
        );
        assert_eq!(draw(480_600, true, CropPolicy::Center, 0), crops(0, 1, 0));
        assert_eq!(draw(1_440_000, false, CropPolicy::Start, 0).offset, Some(0));
        assert_eq!(
            draw(1_440_000, false, CropPolicy::Center, 0).offset,
            Some(480_000)
        );
        assert_eq!(draw(480_001, false, CropPolicy::Center, 0).offset, Some(0));
    }

    #[test]
    fn seeded_crops_are_repeatable_spread_and_inside() {
        let one = draw(1_440_000, true, CropPolicy::Seeded, 7);
        assert_eq!(one, draw(1_440_000, true, CropPolicy::Seeded, 7));
        // Pinned: a change here changes the scores of everybody's long clips.
        assert_eq!(one, crops(105, 779, 1803));
        let mut offsets = std::collections::BTreeSet::new();
        for seed in 0..200 {
            for fusion in [false, true] {
                let crops = draw(480_480, fusion, CropPolicy::Seeded, seed);
                assert_eq!(Need::of(480_480, fusion).select(&crops, 480_480), Ok(crops));
                offsets.extend(crops.offset);
            }
        }
        assert!(offsets.len() > 120, "{}", offsets.len());
    }

    #[test]
    fn crops_that_do_not_fit_are_named_and_those_not_needed_are_left_out() {
        let need = Need::of(1_440_000, true);
        let mut given = crops(0, 2000, 5);
        given.offset = Some(usize::MAX);
        assert_eq!(need.select(&given, 1_440_000), Ok(crops(0, 2000, 5)));
        given.middle = Some(2001);
        let error = need.select(&given, 1_440_000).unwrap_err();
        assert!(
            error.to_string().contains("crop `middle` begins at 2001"),
            "{error}"
        );
        given.front = None;
        let error = need.select(&given, 1_440_000).unwrap_err();
        assert!(
            error.to_string().contains("needs a crop `front`"),
            "{error}"
        );
        let unfused = Need::of(1_440_000, false);
        assert!(matches!(
            unfused.select(&crops(0, 1, 2), 1_440_000),
            Err(CropError::Missing { crop: "offset", .. })
        ));
        assert_eq!(Need::Nothing.select(&given, 480), Ok(Crops::default()));
    }

    #[test]
    fn policies_have_one_spelling() {
        for policy in [CropPolicy::Seeded, CropPolicy::Start, CropPolicy::Center] {
            assert_eq!(policy.to_string().parse(), Ok(policy));
            assert_eq!(
                serde_json::to_string(&policy).unwrap(),
                format!("\"{policy}\"")
            );
        }
        assert!(
            "middle"
                .parse::<CropPolicy>()
                .unwrap_err()
                .to_string()
                .contains("seeded, start or center")
        );
    }
}
