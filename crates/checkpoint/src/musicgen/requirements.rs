//! Every tensor that generation needs, and nothing else.

use super::super::Checkpoint;
use super::{CodecConfig, DecoderConfig, MusicgenConfig, TextConfig};

/// One tensor of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    /// As transformers names it; the weight of a weight-normalised convolution is `....conv.weight`.
    pub name: String,
    pub shape: Vec<usize>,
    pub source: Source,
}

/// Where the tensor is in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Plain(String),
    /// `gain * direction / ||direction||`, the norm over all axes but the first (Salimans and Kingma, arXiv 1602.07868).
    WeightNorm {
        gain: String,
        direction: String,
    },
}

impl Requirement {
    /// Names and shapes in the file.
    pub fn in_file(self) -> Vec<(String, Vec<usize>)> {
        match self.source {
            Source::Plain(name) => vec![(name, self.shape)],
            Source::WeightNorm { gain, direction } => {
                let mut norms = vec![1; self.shape.len()];
                norms[0] = self.shape[0];
                vec![(gain, norms), (direction, self.shape)]
            }
        }
    }
}

/// What the model of `config` needs, under the names that `checkpoint` spells them with.
pub(super) fn requirements(config: &MusicgenConfig, checkpoint: &Checkpoint) -> Vec<Requirement> {
    let mut list = List {
        checkpoint,
        found: Vec::new(),
    };
    list.text(&config.text);
    if config.text.hidden != config.decoder.hidden {
        let (from, to) = (config.text.hidden, config.decoder.hidden);
        list.plain("enc_to_dec_proj.weight", &[to, from]);
        list.plain("enc_to_dec_proj.bias", &[to]);
    }
    list.decoder(&config.decoder);
    list.codec(&config.codec);
    list.found
}

/// What transformers saves beside them: the codec's encoder, statistics of the codebooks' training, constant tables, and
/// T5's embedding under its second name.
pub(super) fn is_known_unused(name: &str) -> bool {
    let statistics = [".cluster_size", ".embed_avg", ".inited"];
    name.starts_with("audio_encoder.encoder.")
        || name.starts_with("audio_encoder.quantizer.")
            && statistics.iter().any(|ending| name.ends_with(ending))
        || name == "decoder.model.decoder.embed_positions.weights"
        || WORDS.contains(&name)
}

/// T5's word embeddings: stored once, under either name, or under both.
const WORDS: [&str; 2] = [
    "text_encoder.shared.weight",
    "text_encoder.encoder.embed_tokens.weight",
];

struct List<'c> {
    checkpoint: &'c Checkpoint,
    found: Vec<Requirement>,
}

impl List<'_> {
    fn has(&self, name: &str) -> bool {
        self.checkpoint.tensors().contains_key(name)
    }

    fn push(&mut self, name: impl Into<String>, shape: &[usize], source: Source) {
        self.found.push(Requirement {
            name: name.into(),
            shape: shape.to_vec(),
            source,
        });
    }

    fn plain(&mut self, name: impl Into<String>, shape: &[usize]) {
        let name = name.into();
        self.push(name.clone(), shape, Source::Plain(name));
    }

    /// A convolution in one of the two spellings of weight norm: `weight_g` and `weight_v` as torch wrote them until
    /// 2023, or the parametrisation of newer versions.
    fn convolution(&mut self, name: &str, weight: [usize; 3], bias: usize) {
        let newer = [
            format!("{name}.parametrizations.weight.original0"),
            format!("{name}.parametrizations.weight.original1"),
        ];
        let [gain, direction] = match self.has(&newer[0]) || self.has(&newer[1]) {
            true => newer,
            false => [format!("{name}.weight_g"), format!("{name}.weight_v")],
        };
        self.push(
            format!("{name}.weight"),
            &weight,
            Source::WeightNorm { gain, direction },
        );
        self.plain(format!("{name}.bias"), &[bias]);
    }

    fn text(&mut self, text: &TextConfig) {
        let words = match self.has(WORDS[0]) || !self.has(WORDS[1]) {
            true => WORDS[0],
            false => WORDS[1],
        };
        let source = Source::Plain(words.to_owned());
        self.push(WORDS[0], &[text.vocab, text.hidden], source);
        let inner = text.heads * text.head_dim;
        for layer in 0..text.layers {
            let block = format!("text_encoder.encoder.block.{layer}");
            let attention = format!("{block}.layer.0.SelfAttention");
            for part in ["q", "k", "v"] {
                self.plain(format!("{attention}.{part}.weight"), &[inner, text.hidden]);
            }
            self.plain(format!("{attention}.o.weight"), &[text.hidden, inner]);
            if layer == 0 {
                let name = format!("{attention}.relative_attention_bias.weight");
                self.plain(name, &[text.buckets, text.heads]);
            }
            self.plain(format!("{block}.layer.0.layer_norm.weight"), &[text.hidden]);
            let feed_forward = format!("{block}.layer.1.DenseReluDense");
            self.plain(
                format!("{feed_forward}.wi.weight"),
                &[text.feed_forward, text.hidden],
            );
            self.plain(
                format!("{feed_forward}.wo.weight"),
                &[text.hidden, text.feed_forward],
            );
            self.plain(format!("{block}.layer.1.layer_norm.weight"), &[text.hidden]);
        }
        self.plain(
            "text_encoder.encoder.final_layer_norm.weight",
            &[text.hidden],
        );
    }

    fn decoder(&mut self, decoder: &DecoderConfig) {
        let (hidden, inner) = (decoder.hidden, decoder.feed_forward);
        let model = "decoder.model.decoder";
        for codebook in 0..decoder.codebooks {
            // One more row than codes: the pad token's.
            let rows = decoder.vocab + 1;
            self.plain(
                format!("{model}.embed_tokens.{codebook}.weight"),
                &[rows, hidden],
            );
            let head = format!("decoder.lm_heads.{codebook}.weight");
            self.plain(head, &[decoder.vocab, hidden]);
        }
        for layer in 0..decoder.layers {
            let layer = format!("{model}.layers.{layer}");
            for attention in ["self_attn", "encoder_attn"] {
                for part in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                    self.plain(
                        format!("{layer}.{attention}.{part}.weight"),
                        &[hidden, hidden],
                    );
                }
                self.norm(&format!("{layer}.{attention}_layer_norm"), hidden);
            }
            self.plain(format!("{layer}.fc1.weight"), &[inner, hidden]);
            self.plain(format!("{layer}.fc2.weight"), &[hidden, inner]);
            self.norm(&format!("{layer}.final_layer_norm"), hidden);
        }
        self.norm(&format!("{model}.layer_norm"), hidden);
    }

    fn norm(&mut self, name: &str, hidden: usize) {
        self.plain(format!("{name}.weight"), &[hidden]);
        self.plain(format!("{name}.bias"), &[hidden]);
    }

    fn codec(&mut self, codec: &CodecConfig) {
        for i in 0..codec.codebooks {
            let name = format!("audio_encoder.quantizer.layers.{i}.codebook.embed");
            self.plain(name, &[codec.codebook_size, codec.hidden]);
        }
        let layers = "audio_encoder.decoder.layers";
        let mut channels = codec.widest();
        let first = [channels, codec.hidden, codec.kernel_size];
        self.convolution(&format!("{layers}.0.conv"), first, channels);
        for layer in 0..codec.lstm_layers {
            for part in ["ih", "hh"] {
                let lstm = format!("{layers}.1.lstm");
                self.plain(
                    format!("{lstm}.weight_{part}_l{layer}"),
                    &[4 * channels, channels],
                );
                self.plain(format!("{lstm}.bias_{part}_l{layer}"), &[4 * channels]);
            }
        }
        let mut index = 2;
        for &ratio in &codec.ratios {
            // ELU, then the transposed convolution, whose first axis is the input's channels.
            let name = format!("{layers}.{}.conv", index + 1);
            self.convolution(&name, [channels, channels / 2, 2 * ratio], channels / 2);
            channels /= 2;
            index += 2;
            for _ in 0..codec.residual_layers {
                let inner = channels / codec.compress;
                let block = format!("{layers}.{index}.block");
                let wide = [inner, channels, codec.residual_kernel_size];
                self.convolution(&format!("{block}.1.conv"), wide, inner);
                self.convolution(&format!("{block}.3.conv"), [channels, inner, 1], channels);
                index += 1;
            }
        }
        let name = format!("{layers}.{}.conv", index + 1);
        self.convolution(&name, [1, channels, codec.last_kernel_size], 1);
    }
}
