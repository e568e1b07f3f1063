//! The sizes of a CLAP model.

use std::fmt;

/// What LayerNorm and BatchNorm of the audio tower add to the variance, in both implementations.
pub const LAYER_NORM_EPS: f32 = 1e-5;

/// How a checkpoint spells its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// laion_clap: `audio_branch`, `text_branch`.
    Laion,
    /// transformers' `ClapModel`: `audio_model.audio_encoder`, `text_model`.
    Transformers,
}

/// A CLAP model: two towers and their projections into one space.
#[derive(Debug, Clone, PartialEq)]
pub struct ClapArchitecture {
    pub audio: Htsat,
    pub text: Roberta,
    /// Components of an embedding; 512 in the public checkpoints.
    pub joint_dim: usize,
    pub naming: Naming,
}

impl foreign::Safe for ClapArchitecture {}

impl fmt::Display for ClapArchitecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fusion = if self.audio.fusion { "on" } else { "off" };
        f.pad(&format!("{}, fusion {fusion}", self.audio.name()))
    }
}

/// The audio tower HTSAT: a Swin transformer on the log-mel spectrogram folded into a square image (arXiv 2202.00874).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Htsat {
    /// Channels after the patch embedding; they double from stage to stage.
    pub embed_dim: usize,
    /// Blocks in each of the four stages.
    pub depths: Vec<usize>,
    /// Attention heads in each stage.
    pub heads: Vec<usize>,
    /// Side of an attention window, in tokens.
    pub window: usize,
    /// Side and stride of a patch, in pixels of the image.
    pub patch: usize,
    /// Mel bins of the spectrogram, the channels of `bn0`.
    pub mel_bins: usize,
    /// Side of the image, in pixels.
    pub spec_size: usize,
    /// Whether clips over 10 s are fused from a shrunk spectrogram and three crops (`aff_2d`).
    pub fusion: bool,
}

/// Name, `embed_dim` and `depths` of laion_clap's three sizes; heads are 4, 8, 16, 32 in each.
const SIZES: &[(&str, usize, [usize; 4])] = &[
    ("htsat-tiny", 96, [2, 2, 6, 2]),
    ("htsat-base", 128, [2, 2, 12, 2]),
    ("htsat-large", 256, [2, 2, 12, 2]),
];
const HEADS: [usize; 4] = [4, 8, 16, 32];

impl Htsat {
    /// `htsat-tiny`, `htsat-base`, `htsat-large`, or `htsat-custom(...)` with the sizes.
    pub fn name(&self) -> String {
        let known = SIZES.iter().find(|(_, embed_dim, depths)| {
            *embed_dim == self.embed_dim && depths[..] == self.depths[..] && self.heads == HEADS
        });
        match known {
            Some((name, ..)) => (*name).to_owned(),
            None => format!(
                "htsat-custom({}; {}; {})",
                self.embed_dim,
                spaced(&self.depths),
                spaced(&self.heads)
            ),
        }
    }

    /// Channels of a stage, 0 to 3.
    pub fn dim(&self, stage: usize) -> usize {
        self.embed_dim << stage
    }

    /// Tokens along one side of a stage's grid.
    pub fn side(&self, stage: usize) -> usize {
        (self.spec_size / self.patch) >> stage
    }

    /// Tokens of a stage's grid.
    pub fn tokens(&self, stage: usize) -> usize {
        self.side(stage) * self.side(stage)
    }

    /// Tokens along one side of a stage's attention windows.
    pub fn window_at(&self, stage: usize) -> usize {
        self.window.min(self.side(stage))
    }

    /// How far a block's windows are shifted: half a window in odd blocks, unless one window is all there is.
    pub fn shift_at(&self, stage: usize, block: usize) -> usize {
        if block % 2 == 1 && self.side(stage) > self.window {
            self.window / 2
        } else {
            0
        }
    }

    /// Components of the audio tower's output, before the projection.
    pub fn width(&self) -> usize {
        self.dim(self.depths.len().saturating_sub(1))
    }

    /// The same tower in the size of that name.
    pub(super) fn resized(&self, name: &str) -> Option<Self> {
        if name == self.name() {
            return Some(self.clone());
        }
        let (_, embed_dim, depths) = SIZES.iter().find(|(known, ..)| *known == name)?;
        Some(Self {
            embed_dim: *embed_dim,
            depths: depths.to_vec(),
            heads: HEADS.to_vec(),
            ..self.clone()
        })
    }

    /// The names that a card may use.
    pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
        SIZES.iter().map(|(name, ..)| *name)
    }
}

/// The text tower RoBERTa (arXiv 1907.11692).
#[derive(Debug, Clone, PartialEq)]
pub struct Roberta {
    /// Rows of the token embedding.
    pub vocab: usize,
    /// Rows of the position embedding; the first `pad_id + 1` are not used by text.
    pub positions: usize,
    /// Rows of the token type embedding; only row 0 is used.
    pub token_types: usize,
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate: usize,
    /// 1e-5 in laion_clap's RoBERTa, 1e-12 in transformers' ClapTextConfig.
    pub layer_norm_eps: f32,
    pub pad_id: usize,
}

/// `2 2 6 2`
pub(super) fn spaced(numbers: &[usize]) -> String {
    let shown: Vec<_> = numbers.iter().map(usize::to_string).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_their_public_names() {
        let mut audio = Htsat {
            embed_dim: 8,
            depths: vec![2, 2, 6, 2],
            heads: HEADS.to_vec(),
            window: 8,
            patch: 4,
            mel_bins: 64,
            spec_size: 256,
            fusion: false,
        };
        assert_eq!(audio.name(), "htsat-custom(8; 2 2 6 2; 4 8 16 32)");
        audio = audio.resized("htsat-base").unwrap();
        assert_eq!((audio.name().as_str(), audio.width()), ("htsat-base", 1024));
        assert_eq!(audio.resized("htsat-huge"), None);
    }
}
