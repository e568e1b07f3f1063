//! `tokenizer.json` of strangers, in the format of Hugging Face's `tokenizers`, read by that library behind a guard.
//!
//! The library panics on much that is damaged, takes memory without a limit where the file asks for it, and can be told to
//! draw tokens at random. So a file is checked first (`check.rs`), handed over without the parts that are not used here, and
//! everything that the library does runs where a panic is an error.

mod check;
mod json;

use std::fmt::Display;
use std::path::Path;

use files::regular;
use foreign::guarded;
use foreign::words;
use foreign::{Foreign, Words};
use tokenizers::TruncationParams;

/// RoBERTa's and T5's take 2 MB, the largest in use some 30.
const LARGEST: u64 = 40 << 20;
/// A text, times what the normalizers make of it at most [bytes]: each takes some 20 bytes of memory.
const LARGEST_NORMALIZED: usize = 32 << 20;
/// What stands for the library's own word when it panicked.
const NO_SENSE: &str = "the tokenizers library cannot make sense of it";

/// A tokenizer that gives the same tokens for a text every time.
pub(super) struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// Bytes that a byte of text becomes at most.
    growth: usize,
}

impl Tokenizer {
    /// Read `tokenizer.json`. It cuts texts to `longest` tokens, those around them kept, or not at all; it never pads.
    ///
    /// # Errors
    /// In words, without the path.
    pub fn open(path: &Path, longest: Option<usize>) -> Result<Self, Words> {
        let text = regular::read_text(path, LARGEST).map_err(said)?;
        let parts = json::parse(&text)?;
        let growth = check::check(&parts)?;
        let used = json::without(&text, &["decoder", "padding", "truncation"])?;
        let truncation = longest.map(|max_length| TruncationParams {
            max_length,
            ..Default::default()
        });
        let read = || -> Result<tokenizers::Tokenizer, Words> {
            let mut inner: tokenizers::Tokenizer = used.parse().map_err(said)?;
            inner.with_truncation(truncation).map_err(said)?;
            inner.with_padding(None);
            Ok(inner)
        };
        let inner = guarded(read).unwrap_or_else(|| Err(NO_SENSE.into()))?;
        Ok(Self { inner, growth })
    }

    /// Token ids of a text, with those that go around it.
    ///
    /// # Errors
    /// In words, without the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Words> {
        if text.len().saturating_mul(self.growth) > LARGEST_NORMALIZED {
            return Err(words!(
                "it has {} bytes, of which this tokenizer may make {} times as many; make it shorter",
                text.len(),
                self.growth
            ));
        }
        let encode = || self.inner.encode(text, true).map_err(said);
        let encoding = guarded(encode).unwrap_or_else(|| Err(NO_SENSE.into()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The largest id in the vocabulary.
    pub fn largest_id(&self) -> u32 {
        let vocabulary = self.inner.get_vocab(true);
        vocabulary.into_values().max().unwrap_or(0)
    }
}

fn said(error: impl Display) -> Words {
    Foreign::said(error).into()
}

#[cfg(test)]
mod tests;
