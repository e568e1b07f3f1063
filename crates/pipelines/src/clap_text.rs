//! Texts through CLAP's text tower.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use foreign::words;
use foreign::{Foreign, Words};
use ndarray::{Array2, ArrayView1};
use onnx_export::{Exported, TEXT};
use ort_runtime::{Input, Runtime, Session};
use process::interrupt::Interrupted;

use super::EmbedError;
use super::batches::Batches;
use super::tokenizer::Tokenizer;

/// laion_clap cuts texts to this many tokens, `</s>` kept last.
pub const MAX_TOKENS: usize = 77;
/// RoBERTa's `<s>` and `</s>`, which stand around every text: the pooler reads the first.
const AROUND: [u32; 2] = [0, 2];
/// Tokens, padding included, that go through the graph at once: enough rows for its matrix products, and few enough
/// that a batch's activations stay small.
const BATCH_TOKENS: usize = 1024;

/// Why a text could not be turned into tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    #[error("cannot read the tokenizer {}: {detail}; it should be RoBERTa's tokenizer.json", path.display())]
    Open { path: PathBuf, detail: Words },
    #[error("cannot turn the text {text:?} into tokens: {detail}")]
    Encode { text: Foreign, detail: Words },
    #[error(
        "the tokenizer {} does not belong to this checkpoint: it gives token {id}, and the checkpoint has {vocab} \
         rows of word embeddings",
        path.display()
    )]
    Vocabulary {
        path: PathBuf,
        id: u32,
        vocab: usize,
    },
}

/// The text tower of one checkpoint, loaded.
pub struct TextTower {
    session: Session,
    tokenizer: Tokenizer,
    tokenizer_path: PathBuf,
    vocab: usize,
    pad_id: i64,
    joint_dim: usize,
}

impl TextTower {
    pub fn load(
        runtime: &Runtime,
        export: &Exported,
        tokenizer: &Path,
    ) -> Result<Self, EmbedError> {
        let clap = export.clap()?;
        Ok(Self {
            tokenizer: open_tokenizer(tokenizer)?,
            session: runtime.session(&export.graph(TEXT)?, runtime.options().threads)?,
            tokenizer_path: tokenizer.to_owned(),
            vocab: clap.vocab,
            pad_id: clap.pad_id as i64,
            joint_dim: clap.joint_dim,
        })
    }

    /// Graph nodes by the provider that they ran on; empty before the first text.
    pub fn placement(&self) -> BTreeMap<String, usize> {
        self.session.placement().clone()
    }

    /// Embeddings `[texts, joint]` of length 1, in the order of `texts`; `done` hears how many are ready.
    ///
    /// Texts of like length go through together, padded to the longest of their batch and masked; where memory runs out, half
    /// as many from then on.
    ///
    /// # Errors
    /// Those of the graph and the tokenizer, and what `done` returns: an interruption.
    pub fn embed<T: AsRef<str>>(
        &mut self,
        texts: &[T],
        mut done: impl FnMut(usize) -> Result<(), Interrupted>,
    ) -> Result<Array2<f32>, EmbedError> {
        let tokens = texts
            .iter()
            .map(|text| self.encode(text.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| tokens[i].len());
        let mut out = Array2::zeros((texts.len(), self.joint_dim));
        let mut ready = 0;
        let mut at_once = usize::MAX;
        for batch in batches(&order, &tokens) {
            let mut runs = Batches::new(batch.len(), at_once);
            loop {
                let next = runs.next(
                    |texts| self.run(&batch[texts], &tokens),
                    EmbedError::is_out_of_memory,
                    |halved| {
                        at_once = halved.to;
                        halved.note("texts");
                    },
                )?;
                let Some((run, embeddings)) = next else {
                    break;
                };
                for (row, &text) in embeddings.rows().into_iter().zip(&batch[run]) {
                    check_finite(row, || format!("the text {:?}", texts[text].as_ref()))?;
                    out.row_mut(text).assign(&row);
                }
            }
            ready += batch.len();
            done(ready)?;
        }
        Ok(out)
    }

    /// One run of the graph on some of the texts with these `tokens`: `[batch, joint]`.
    fn run(&mut self, batch: &[usize], tokens: &[Vec<u32>]) -> Result<Array2<f32>, EmbedError> {
        let (ids, mask) = pad(batch, tokens, self.pad_id);
        Ok(self.session.embed(&[
            ("input_ids", Input::Int64(ids.view().into_dyn())),
            ("attention_mask", Input::Int64(mask.view().into_dyn())),
        ])?)
    }

    /// Token ids of `text`, `<s>` and `</s>` included, at most [`MAX_TOKENS`].
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoded = self.tokenizer.encode(text);
        let ids = encoded.map_err(|detail| TokenizerError::Encode {
            text: Foreign::new(text),
            detail,
        })?;
        match ids.iter().find(|&&id| id as usize >= self.vocab) {
            Some(&id) => Err(TokenizerError::Vocabulary {
                path: self.tokenizer_path.clone(),
                id,
                vocab: self.vocab,
            }),
            None => Ok(ids),
        }
    }
}

fn open_tokenizer(path: &Path) -> Result<Tokenizer, TokenizerError> {
    let open = |detail: Words| TokenizerError::Open {
        path: path.to_owned(),
        detail,
    };
    let tokenizer = Tokenizer::open(path, Some(MAX_TOKENS)).map_err(open)?;
    let empty = tokenizer.encode("").map_err(open)?;
    if empty != AROUND {
        let (empty, around) = (format!("{empty:?}"), format!("{AROUND:?}"));
        return Err(open(words!(
            "it turns an empty text into the tokens {}, RoBERTa's into {} (<s> and </s>)",
            Foreign::new(empty),
            Foreign::new(around)
        )));
    }
    Ok(tokenizer)
}

/// Cut `order`, which is sorted by length, into batches of at most [`BATCH_TOKENS`] tokens with their padding.
fn batches<'a>(order: &'a [usize], tokens: &'a [Vec<u32>]) -> impl Iterator<Item = &'a [usize]> {
    let mut rest = order;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let mut longest = tokens[first].len().max(1);
        let mut size = 1;
        while let Some(&next) = rest.get(size) {
            let length = longest.max(tokens[next].len());
            if length * (size + 1) > BATCH_TOKENS {
                break;
            }
            longest = length;
            size += 1;
        }
        let (batch, after) = rest.split_at(size);
        rest = after;
        Some(batch)
    })
}

/// Ids and mask `[batch, tokens]` of the texts in `batch`.
fn pad(batch: &[usize], tokens: &[Vec<u32>], pad_id: i64) -> (Array2<i64>, Array2<i64>) {
    let longest = batch.iter().map(|&i| tokens[i].len()).max().unwrap_or(0);
    let mut ids = Array2::from_elem((batch.len(), longest), pad_id);
    let mut mask = Array2::zeros((batch.len(), longest));
    for (row, &text) in batch.iter().enumerate() {
        for (column, &id) in tokens[text].iter().enumerate() {
            ids[[row, column]] = i64::from(id);
            mask[[row, column]] = 1;
        }
    }
    (ids, mask)
}

pub(super) fn check_finite(
    embedding: ArrayView1<f32>,
    what: impl Fn() -> String,
) -> Result<(), EmbedError> {
    if embedding.iter().all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(EmbedError::NotFinite {
            what: Foreign::new(what()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_all_texts_and_keep_to_the_budget() {
        let tokens: Vec<Vec<u32>> = (0..300).map(|i| vec![5; 1 + i % MAX_TOKENS]).collect();
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        order.sort_by_key(|&i| tokens[i].len());
        let cut: Vec<&[usize]> = batches(&order, &tokens).collect();
        assert_eq!(cut.concat(), order);
        for batch in &cut {
            let longest = batch.iter().map(|&i| tokens[i].len()).max().unwrap();
            assert!(longest * batch.len() <= BATCH_TOKENS);
        }
        assert!(cut.len() < 20, "{} batches", cut.len());
    }

    #[test]
    fn padding_is_masked() {
        let tokens = vec![vec![0, 7, 2], vec![0, 2]];
        let (ids, mask) = pad(&[1, 0], &tokens, 1);
        assert_eq!(ids, ndarray::array![[0, 2, 1], [0, 7, 2]]);
        assert_eq!(mask, ndarray::array![[1, 1, 0], [1, 1, 1]]);
    }
}
