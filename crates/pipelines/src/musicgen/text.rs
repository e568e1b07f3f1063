//! Prompts to what the decoder attends to: T5's states, and the cross-attention's keys and values of them.

use std::path::{Path, PathBuf};

use checkpoint::musicgen::MusicgenConfig;
use foreign::words;
use foreign::{Foreign, Words};
use ndarray::{Array2, Array4, Ix4};
use onnx_export::musicgen::names;
use onnx_export::{Exported, MAX_PROMPT_TOKENS};
use ort_runtime::{Input, Runtime, Session};

use super::GenerateError;
use crate::tokenizer::Tokenizer;

/// T5's `</s>`, which ends every prompt and is all there is of an empty one.
const END: u32 = 1;

/// T5's tokenizer, held against the checkpoint.
pub(super) struct Prompts {
    tokenizer: Tokenizer,
}

impl Prompts {
    pub fn open(path: &Path, vocab: usize) -> Result<Self, GenerateError> {
        let open = |detail: Words| GenerateError::Tokenizer {
            path: path.to_owned(),
            detail,
        };
        let tokenizer = Tokenizer::open(path, None).map_err(open)?;
        let empty = tokenizer.encode("").map_err(open)?;
        if empty != [END] {
            return Err(open(words!(
                "it turns an empty text into the tokens {}, T5's into [{}] (</s>)",
                Foreign::new(format!("{empty:?}")),
                END
            )));
        }
        let largest = tokenizer.largest_id();
        if largest as usize >= vocab {
            return Err(GenerateError::Vocabulary {
                path: PathBuf::from(path),
                id: largest,
                vocab,
            });
        }
        Ok(Self { tokenizer })
    }

    /// Token ids of each prompt, whose place is the index of its piece.
    pub fn encode_all<'p>(
        &self,
        prompts: impl IntoIterator<Item = &'p str>,
    ) -> Result<Vec<Vec<i64>>, GenerateError> {
        let prompts = prompts.into_iter().enumerate();
        prompts
            .map(|(job, prompt)| self.encode(job, prompt))
            .collect()
    }

    /// Token ids of the prompt of piece `job`, `</s>` included, at most [`MAX_PROMPT_TOKENS`].
    fn encode(&self, job: usize, prompt: &str) -> Result<Vec<i64>, GenerateError> {
        let encoded = self.tokenizer.encode(prompt);
        let ids = encoded.map_err(|detail| GenerateError::Encode { job, detail })?;
        if ids.len() > MAX_PROMPT_TOKENS {
            return Err(GenerateError::LongPrompt {
                job,
                tokens: ids.len(),
            });
        }
        Ok(ids.into_iter().map(i64::from).collect())
    }
}

/// What the decoder attends to of one prompt.
pub(super) struct Attended {
    /// By layer, keys and values `[1, heads, tokens, head_dim]`.
    pub layers: Vec<[Array4<f32>; 2]>,
    pub tokens: usize,
}

/// T5's encoder and the cross-attention's projections, loaded.
pub(super) struct TextEncoder {
    pub encoder: Session,
    pub cross: Session,
    layers: usize,
}

impl TextEncoder {
    pub fn load(
        runtime: &Runtime,
        export: &Exported,
        config: &MusicgenConfig,
        threads: usize,
    ) -> Result<Self, GenerateError> {
        Ok(Self {
            encoder: runtime.session(&export.graph(names::TEXT)?, threads)?,
            cross: runtime.session(&export.graph(names::CROSS)?, threads)?,
            layers: config.decoder.layers,
        })
    }

    /// One prompt at a time and without padding, so that no other prompt has a part in what comes out.
    pub fn attend(&mut self, tokens: &[i64]) -> Result<Attended, GenerateError> {
        let ids = Array2::from_shape_fn((1, tokens.len()), |(_, i)| tokens[i]);
        let ids = Input::Int64(ids.view().into_dyn());
        let [states] = self
            .encoder
            .run(&[("input_ids", ids)], ["last_hidden_state"])?;
        let states = Input::Float(states.view());
        let wanted: Vec<String> = (0..self.layers).flat_map(names::cross).collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let outputs = self
            .cross
            .run_all(&[("last_hidden_state", states)], &wanted)?;
        let mut layers = Vec::with_capacity(self.layers);
        let mut outputs = outputs.into_iter().map(|output| {
            output
                .into_dimensionality::<Ix4>()
                .map_err(|e| self.cross.output_error(e.to_string()))
        });
        while let (Some(key), Some(value)) = (outputs.next(), outputs.next()) {
            layers.push([key?, value?]);
        }
        Ok(Attended {
            layers,
            tokens: tokens.len(),
        })
    }
}
