//! From samples at 48 kHz to what CLAP's audio tower reads, as `get_audio_features` of laion_clap makes it.

use std::borrow::Cow;

use ndarray::{Array3, Axis, s};
use rand::Rng;

use super::crops::{CLIP_FRAMES, CLIP_SAMPLES, CropError, CropPolicy, Crops, Need};
use super::log_mel::LogMel;
use super::mel_scale::MelScale;
use super::shrink::{FusionShrink, shrink};
use super::spectrum::MEL_BINS;

/// The front end of one kind of CLAP model. Planned once; share it between threads by reference.
#[derive(Clone)]
pub struct ClapFrontEnd {
    fusion: bool,
    shrink: FusionShrink,
    log_mel: LogMel,
}

/// What the audio tower reads of one clip.
#[derive(Debug, Clone, PartialEq)]
pub struct ClapFeatures {
    /// Decibels, `[channels, frames 1001, mel bins 64]`. One channel for an unfused model. Four for a fused one: the
    /// whole clip shrunk, then the crops front, middle and back; four times the same for a clip that needs no crop.
    pub log_mel: Array3<f32>,
    /// Whether crops were taken. A fused model blends its channels where this is true, and reads the first alone where
    /// it is false.
    pub longer: bool,
}

/// Samples or crops that no features can be made of.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// Nothing to repeat.
    #[error("the clip has no samples")]
    Empty,
    /// A sample that is no number.
    #[error("sample {index} of the clip is {value}; every sample must be a finite number")]
    NotFinite {
        /// Position in the clip at 48 kHz, from 0.
        index: usize,
        /// NaN or an infinity.
        value: f32,
    },
    /// Crops of another clip, or of another kind of model.
    #[error(transparent)]
    Crop(#[from] CropError),
}

impl ClapFrontEnd {
    /// Plan the front end: Slaney's mel scale without `fusion`, the HTK one with it. `shrink` matters to fused models
    /// only.
    pub fn new(fusion: bool, shrink: FusionShrink) -> Self {
        let scale = if fusion {
            MelScale::Htk
        } else {
            MelScale::Slaney
        };
        Self {
            fusion,
            shrink,
            log_mel: LogMel::new(scale),
        }
    }

    /// Which crops a clip of `samples` at 48 kHz needs; none for one that is heard whole.
    ///
    /// Only [`CropPolicy::Seeded`] draws from `rng`, one u64 for each crop: front, middle, back, or offset.
    pub fn draw(&self, samples: usize, policy: CropPolicy, rng: &mut impl Rng) -> Crops {
        Need::of(samples, self.fusion).draw(policy, rng)
    }

    /// Those of `crops` that a clip of `samples` at 48 kHz needs: what to record as taken.
    ///
    /// # Errors
    /// The first crop that is missing or out of range. Those that the clip does not need are not looked at, so that one
    /// table can serve fused and unfused models.
    pub fn taken(&self, samples: usize, crops: &Crops) -> Result<Crops, CropError> {
        Need::of(samples, self.fusion).select(crops, samples)
    }

    /// The features of a clip, `samples` `[samples]` at 48 kHz.
    ///
    /// A clip of less than 10 s is repeated as often as it fits whole, then filled with zeros (`repeatpad`). Of a
    /// longer one an unfused model hears 10 s from `offset`; a fused one the stack of [`ClapFeatures::log_mel`], where
    /// the crops are cut from the spectrogram of the whole.
    ///
    /// # Errors
    /// No samples, a sample that is not finite, crops that do not fit.
    pub fn features(&self, samples: &[f32], crops: &Crops) -> Result<ClapFeatures, FeatureError> {
        if samples.is_empty() {
            return Err(FeatureError::Empty);
        }
        if let Some(index) = samples.iter().position(|x| !x.is_finite()) {
            let value = samples[index];
            return Err(FeatureError::NotFinite { index, value });
        }
        let crops = self.taken(samples.len(), crops)?;
        Ok(match crops {
            Crops {
                offset: Some(at), ..
            } => ClapFeatures {
                log_mel: self.one(&samples[at..at + CLIP_SAMPLES]),
                longer: true,
            },
            Crops {
                front: Some(front),
                middle: Some(middle),
                back: Some(back),
                ..
            } => ClapFeatures {
                log_mel: self.stack(samples, [front, middle, back]),
                longer: true,
            },
            _ => {
                let mel = self.one(&fill(samples));
                let channels = if self.fusion { 4 } else { 1 };
                ClapFeatures {
                    log_mel: repeat_channel(&mel, channels),
                    longer: false,
                }
            }
        })
    }

    /// `[1, frames, mel bins]`
    fn one(&self, samples: &[f32]) -> Array3<f32> {
        self.log_mel.spectrogram(samples).insert_axis(Axis(0))
    }

    /// `[4, frames, mel bins]` of a long clip.
    fn stack(&self, samples: &[f32], starts: [usize; 3]) -> Array3<f32> {
        let whole = self.log_mel.spectrogram(samples);
        let mut out = Array3::zeros((4, CLIP_FRAMES, MEL_BINS));
        out.index_axis_mut(Axis(0), 0)
            .assign(&shrink(whole.view(), CLIP_FRAMES, self.shrink));
        for (i, start) in starts.into_iter().enumerate() {
            out.index_axis_mut(Axis(0), i + 1)
                .assign(&whole.slice(s![start..start + CLIP_FRAMES, ..]));
        }
        out
    }
}

/// laion_clap's `repeatpad`: whole repeats, then zeros. A clip of 10 s or more stays as it is.
fn fill(samples: &[f32]) -> Cow<'_, [f32]> {
    if samples.len() >= CLIP_SAMPLES {
        return Cow::Borrowed(samples);
    }
    let mut filled = samples.repeat(CLIP_SAMPLES / samples.len());
    filled.resize(CLIP_SAMPLES, 0.0);
    Cow::Owned(filled)
}

fn repeat_channel(mel: &Array3<f32>, channels: usize) -> Array3<f32> {
    let (_, frames, bins) = mel.dim();
    mel.broadcast((channels, frames, bins))
        .map_or_else(|| mel.clone(), |view| view.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Crops = Crops {
        front: None,
        middle: None,
        back: None,
        offset: None,
    };

    #[test]
    fn short_clips_are_repeated_whole_and_filled_with_zeros() {
        assert_eq!(fill(&[0.5]).len(), CLIP_SAMPLES);
        assert!(fill(&[0.5]).iter().all(|&x| x == 0.5));
        let seven = vec![1.0; 7 * 48_000];
        assert_eq!(
            fill(&seven).iter().filter(|&&x| x == 1.0).count(),
            seven.len()
        );
        let ten = vec![1.0; CLIP_SAMPLES];
        assert!(matches!(fill(&ten), Cow::Borrowed(_)));
    }

    #[test]
    fn shapes_and_the_flag_follow_the_length() {
        let fused = ClapFrontEnd::new(true, FusionShrink::Plain);
        let unfused = ClapFrontEnd::new(false, FusionShrink::Plain);
        for samples in [1, 480, CLIP_SAMPLES, CLIP_SAMPLES + 200] {
            let got = fused.features(&vec![0.1; samples], &NONE).unwrap();
            assert_eq!(
                (got.log_mel.dim(), got.longer),
                ((4, 1001, 64), false),
                "{samples}"
            );
            assert_eq!(
                got.log_mel.index_axis(Axis(0), 0),
                got.log_mel.index_axis(Axis(0), 3)
            );
        }
        let got = unfused.features(&[0.1; 480], &NONE).unwrap();
        assert_eq!((got.log_mel.dim(), got.longer), ((1, 1001, 64), false));
        let long = vec![0.1; CLIP_SAMPLES + 600];
        let crops = Crops {
            offset: Some(600),
            ..NONE
        };
        let got = unfused.features(&long, &crops).unwrap();
        assert_eq!((got.log_mel.dim(), got.longer), ((1, 1001, 64), true));
        assert!(matches!(
            fused.features(&long, &crops),
            Err(FeatureError::Crop(_))
        ));
    }

    #[test]
    fn samples_that_make_no_features_are_refused() {
        let front_end = ClapFrontEnd::new(false, FusionShrink::Plain);
        assert_eq!(front_end.features(&[], &NONE), Err(FeatureError::Empty));
        let error = front_end
            .features(&[0.0, f32::INFINITY], &NONE)
            .unwrap_err();
        assert!(
            error.to_string().starts_with("sample 1 of the clip is inf"),
            "{error}"
        );
        // The largest floats have a finite power in f64.
        let loud = front_end.features(&[f32::MAX, f32::MIN], &NONE).unwrap();
        assert!(loud.log_mel.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn one_front_end_serves_many_threads() {
        fn shareable<T: Send + Sync>() {}
        shareable::<ClapFrontEnd>();
    }
}
