//! Which CLAP model a checkpoint is, from names and shapes alone.

use foreign::words;
use foreign::{Foreign, Words};

use super::super::{Checkpoint, CheckpointError};
use super::architecture::{ClapArchitecture, Htsat, Naming, Roberta};
use super::config::{self, TextSettings};
use super::strangers::{has_prefix, looks_like};
use super::transformers;

/// laion_clap's RoBERTa: heads of 64 channels, as in roberta-base.
const HEAD_DIM: usize = 64;
/// HTSAT has four stages: 64 x 64 tokens down to 8 x 8.
const STAGES: usize = 4;
const SPEC_SIZE: usize = 256;
const PATCH: usize = 4;
const WINDOW: usize = 8;
const MEL_BINS: usize = 64;

/// Read the architecture off the tensors. The error says what the checkpoint looks like instead.
///
/// Tensors that the sizes are not read from may be missing; [`super::compare`] finds them.
pub fn recognise(checkpoint: &Checkpoint) -> Result<ClapArchitecture, CheckpointError> {
    let both =
        |audio: &str, text: &str| has_prefix(checkpoint, audio) && has_prefix(checkpoint, text);
    let naming = if both("audio_branch.patch_embed.", "text_branch.embeddings.") {
        Naming::Laion
    } else if both("audio_model.audio_encoder.", "text_model.embeddings.") {
        Naming::Transformers
    } else {
        return Err(CheckpointError::not_clap(
            checkpoint.path(),
            looks_like(checkpoint),
        ));
    };
    let reader = Reader { checkpoint, naming };
    let [joint_dim, _] = reader.shape("audio_projection.0.weight")?;
    Ok(ClapArchitecture {
        audio: reader.audio()?,
        text: reader.text()?,
        joint_dim,
        naming,
    })
}

struct Reader<'a> {
    checkpoint: &'a Checkpoint,
    naming: Naming,
}

impl Reader<'_> {
    fn refuse(&self, detail: impl Into<Words>) -> CheckpointError {
        CheckpointError::not_clap(self.checkpoint.path(), detail)
    }

    /// A canonical name as the file has it.
    fn spelled(&self, canonical: &str) -> String {
        match self.naming {
            Naming::Laion => canonical.to_owned(),
            Naming::Transformers => transformers::sources(canonical).swap_remove(0),
        }
    }

    /// The shape of a tensor that must have so many axes, none of them empty.
    fn shape<const N: usize>(&self, canonical: &str) -> Result<[usize; N], CheckpointError> {
        let name = self.spelled(canonical);
        let Some(info) = self.checkpoint.tensors().get(&name) else {
            return Err(self.refuse(words!(
                "`{}` is missing, which gives the model's size; fetch the file again",
                Foreign::new(&name)
            )));
        };
        match <[usize; N]>::try_from(info.shape.as_slice()) {
            Ok(shape) if !shape.contains(&0) => Ok(shape),
            _ => Err(self.refuse(words!(
                "`{}` has shape {:?}, where {} axes are needed that are not empty",
                Foreign::new(&name),
                info.shape,
                N
            ))),
        }
    }

    /// How many of `prefix.0.`, `prefix.1.`, ... are there.
    fn count(&self, canonical: &str) -> usize {
        let prefix = self.spelled(canonical);
        let present = |i: &usize| has_prefix(self.checkpoint, &format!("{prefix}.{i}."));
        (0..).take_while(present).count()
    }

    fn audio(&self) -> Result<Htsat, CheckpointError> {
        let [embed_dim, channels, patch, _] = self.shape("audio_branch.patch_embed.proj.weight")?;
        let [mel_bins] = self.shape("audio_branch.bn0.weight")?;
        let fusion = self.fusion()?;
        let stages = self.count("audio_branch.layers");
        let mut audio = Htsat {
            embed_dim,
            depths: Vec::new(),
            heads: Vec::new(),
            window: WINDOW,
            patch,
            mel_bins,
            spec_size: SPEC_SIZE,
            fusion,
        };
        if (channels, patch, mel_bins, stages) != (1, PATCH, MEL_BINS, STAGES) {
            return Err(self.refuse(words!(
                "its audio tower has {} stages, patches of {} x {} and {} mel bins; \
                 HTSAT has {}, 1 x {} and {} (fusion type channel_map is not implemented)",
                stages,
                channels,
                patch,
                mel_bins,
                STAGES,
                PATCH,
                MEL_BINS
            )));
        }
        for stage in 0..stages {
            let blocks = format!("audio_branch.layers.{stage}.blocks");
            audio.depths.push(self.count(&blocks));
            let table = format!("{blocks}.0.attn.relative_position_bias_table");
            let [offsets, heads] = self.shape(&table)?;
            let dim = embed_dim.checked_mul(1 << stage).unwrap_or(0);
            if offsets != (2 * WINDOW - 1).pow(2) || dim % heads != 0 {
                return Err(self.refuse(words!(
                    "stage {} of its audio tower has {} relative positions and {} heads; \
                     windows of {} x {} have {}, and {} channels must divide into heads",
                    stage,
                    offsets,
                    heads,
                    WINDOW,
                    WINDOW,
                    (2 * WINDOW - 1).pow(2),
                    dim
                )));
            }
            audio.heads.push(heads);
        }
        Ok(audio)
    }

    /// Whether the tower fuses; only laion_clap's `aff_2d` is implemented, which all public fused checkpoints are.
    fn fusion(&self) -> Result<bool, CheckpointError> {
        let has = |canonical: &str| has_prefix(self.checkpoint, &self.spelled(canonical));
        let fusion = has("audio_branch.patch_embed.fusion_model.");
        let other = if has("audio_branch.patch_embed.fusion_model.local_att2.") {
            Some("iaff_2d")
        } else if !fusion && has("audio_branch.patch_embed.mel_conv2d.") {
            Some("daf_2d")
        } else if has("audio_branch.mel_conv1d.") {
            Some("a fusion over the waveform's mel in one dimension")
        } else {
            None
        };
        if let Some(other) = other {
            return Err(self.refuse(words!(
                "its fusion is {}, only aff_2d is implemented; take a checkpoint with aff_2d or without fusion",
                other
            )));
        }
        let said = self.checkpoint.config().and_then(config::fusion);
        match self.naming == Naming::Transformers && said.is_some_and(|said| said != fusion) {
            true => Err(self.refuse(words!(
                "its config.json says enable_fusion: {}, its tensors say {}; \
                 use the config.json that came with these weights",
                !fusion,
                fusion
            ))),
            false => Ok(fusion),
        }
    }

    fn text(&self) -> Result<Roberta, CheckpointError> {
        let table = |name: &str| {
            self.shape::<2>(&format!("text_branch.embeddings.{name}_embeddings.weight"))
        };
        let [vocab, hidden] = table("word")?;
        let [positions, _] = table("position")?;
        let [token_types, _] = table("token_type")?;
        let layers = self.count("text_branch.encoder.layer");
        let [intermediate, _] =
            self.shape("text_branch.encoder.layer.0.intermediate.dense.weight")?;
        let settings = self.text_settings()?;
        let heads = settings.heads.unwrap_or(hidden / HEAD_DIM);
        if heads == 0 || hidden % heads != 0 {
            return Err(self.refuse(words!(
                "its text tower's {} channels do not divide into {} heads",
                hidden,
                heads
            )));
        }
        // Text needs one position beyond the padding's at least, and the pad token a row.
        if settings.pad_id >= vocab || settings.pad_id.saturating_add(2) > positions {
            return Err(self.refuse(words!(
                "its pad token {} is outside of {} tokens or {} positions",
                settings.pad_id,
                vocab,
                positions
            )));
        }
        Ok(Roberta {
            vocab,
            positions,
            token_types,
            hidden,
            layers,
            heads,
            intermediate,
            layer_norm_eps: settings.layer_norm_eps,
            pad_id: settings.pad_id,
        })
    }

    fn text_settings(&self) -> Result<TextSettings, CheckpointError> {
        match (self.naming, self.checkpoint.config()) {
            (Naming::Laion, _) => Ok(TextSettings {
                layer_norm_eps: 1e-5,
                ..TextSettings::default()
            }),
            (Naming::Transformers, Some(config)) => {
                config::text_settings(self.checkpoint.path(), config)
            }
            (Naming::Transformers, None) => Ok(TextSettings::default()),
        }
    }
}
