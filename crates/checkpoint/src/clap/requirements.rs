//! Every tensor that a CLAP model's inference needs, and nothing else.

use super::architecture::{ClapArchitecture, Htsat, Naming, Roberta};
use super::transformers;

/// One tensor of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// laion_clap's name without `module.`, such as `audio_branch.layers.0.blocks.1.attn.qkv.weight`.
    pub name: String,
    pub shape: Vec<usize>,
    /// Names in the file. Several are equal parts that are concatenated along axis 0: transformers has query, key and
    /// value apart.
    pub sources: Vec<String>,
}

impl Requirement {
    /// The shape of each source.
    pub(super) fn part_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if let Some(first) = shape.first_mut() {
            *first /= self.sources.len().max(1);
        }
        shape
    }
}

/// What the model needs, in the order of the forward pass.
pub fn requirements(architecture: &ClapArchitecture) -> Vec<Requirement> {
    let mut list = List {
        naming: architecture.naming,
        found: Vec::new(),
    };
    let (audio, text) = (&architecture.audio, &architecture.text);
    list.audio_tower(audio);
    list.projection("audio_projection", audio.width(), architecture.joint_dim);
    list.text_tower(text);
    list.projection("text_projection", text.hidden, architecture.joint_dim);
    list.found
}

struct List {
    naming: Naming,
    found: Vec<Requirement>,
}

impl List {
    fn push(&mut self, name: String, shape: &[usize]) {
        let sources = match self.naming {
            Naming::Laion => vec![name.clone()],
            Naming::Transformers => transformers::sources(&name),
        };
        self.found.push(Requirement {
            name,
            shape: shape.to_vec(),
            sources,
        });
    }

    /// A weight of some shape and the bias of its first axis.
    fn weight_and_bias(&mut self, prefix: &str, shape: &[usize]) {
        self.push(format!("{prefix}.weight"), shape);
        self.push(format!("{prefix}.bias"), &shape[..1]);
    }

    fn batch_norm(&mut self, prefix: &str, channels: usize) {
        self.weight_and_bias(prefix, &[channels]);
        self.push(format!("{prefix}.running_mean"), &[channels]);
        self.push(format!("{prefix}.running_var"), &[channels]);
    }

    /// Linear, ReLU, Linear.
    fn projection(&mut self, prefix: &str, width: usize, joint_dim: usize) {
        self.weight_and_bias(&format!("{prefix}.0"), &[joint_dim, width]);
        self.weight_and_bias(&format!("{prefix}.2"), &[joint_dim, joint_dim]);
    }

    fn audio_tower(&mut self, audio: &Htsat) {
        let (dim, patch) = (audio.embed_dim, audio.patch);
        self.batch_norm("audio_branch.bn0", audio.mel_bins);
        self.weight_and_bias("audio_branch.patch_embed.proj", &[dim, 1, patch, patch]);
        self.weight_and_bias("audio_branch.patch_embed.norm", &[dim]);
        if audio.fusion {
            self.fusion(dim, patch);
        }
        for stage in 0..audio.depths.len() {
            let dim = audio.dim(stage);
            for block in 0..audio.depths[stage] {
                let prefix = format!("audio_branch.layers.{stage}.blocks.{block}");
                self.swin_block(&prefix, dim, audio.heads[stage], audio.window);
            }
            if stage + 1 < audio.depths.len() {
                let prefix = format!("audio_branch.layers.{stage}.downsample");
                self.weight_and_bias(&format!("{prefix}.norm"), &[4 * dim]);
                self.push(format!("{prefix}.reduction.weight"), &[2 * dim, 4 * dim]);
            }
        }
        self.weight_and_bias("audio_branch.norm", &[audio.width()]);
    }

    /// Attentional feature fusion of the whole clip with its three crops (`aff_2d`, arXiv 2009.14082).
    fn fusion(&mut self, dim: usize, patch: usize) {
        let prefix = "audio_branch.patch_embed";
        self.weight_and_bias(&format!("{prefix}.mel_conv2d"), &[dim, 1, patch, 3 * patch]);
        let inner = dim / 4;
        // global_att begins with a mean over both axes, so that its numbers are one higher.
        for (branch, first) in [("local_att", 0), ("global_att", 1)] {
            let branch = format!("{prefix}.fusion_model.{branch}");
            self.weight_and_bias(&format!("{branch}.{first}"), &[inner, dim, 1, 1]);
            self.batch_norm(&format!("{branch}.{}", first + 1), inner);
            self.weight_and_bias(&format!("{branch}.{}", first + 3), &[dim, inner, 1, 1]);
            self.batch_norm(&format!("{branch}.{}", first + 4), dim);
        }
    }

    fn swin_block(&mut self, prefix: &str, dim: usize, heads: usize, window: usize) {
        let offsets = (2 * window - 1) * (2 * window - 1);
        self.weight_and_bias(&format!("{prefix}.norm1"), &[dim]);
        self.push(
            format!("{prefix}.attn.relative_position_bias_table"),
            &[offsets, heads],
        );
        self.weight_and_bias(&format!("{prefix}.attn.qkv"), &[3 * dim, dim]);
        self.weight_and_bias(&format!("{prefix}.attn.proj"), &[dim, dim]);
        self.weight_and_bias(&format!("{prefix}.norm2"), &[dim]);
        self.weight_and_bias(&format!("{prefix}.mlp.fc1"), &[4 * dim, dim]);
        self.weight_and_bias(&format!("{prefix}.mlp.fc2"), &[dim, 4 * dim]);
    }

    fn text_tower(&mut self, text: &Roberta) {
        let hidden = text.hidden;
        let prefix = "text_branch.embeddings";
        for (table, rows) in [
            ("word_embeddings", text.vocab),
            ("position_embeddings", text.positions),
            ("token_type_embeddings", text.token_types),
        ] {
            self.push(format!("{prefix}.{table}.weight"), &[rows, hidden]);
        }
        self.weight_and_bias(&format!("{prefix}.LayerNorm"), &[hidden]);
        for layer in 0..text.layers {
            let prefix = format!("text_branch.encoder.layer.{layer}");
            for part in ["self.query", "self.key", "self.value", "output.dense"] {
                self.weight_and_bias(&format!("{prefix}.attention.{part}"), &[hidden, hidden]);
            }
            self.weight_and_bias(&format!("{prefix}.attention.output.LayerNorm"), &[hidden]);
            let wide = text.intermediate;
            self.weight_and_bias(&format!("{prefix}.intermediate.dense"), &[wide, hidden]);
            self.weight_and_bias(&format!("{prefix}.output.dense"), &[hidden, wide]);
            self.weight_and_bias(&format!("{prefix}.output.LayerNorm"), &[hidden]);
        }
        self.weight_and_bias("text_branch.pooler.dense", &[hidden, hidden]);
    }
}
