//! What a `tokenizer.json` may ask for: parts that are known, always the same tokens for a text, and bounded memory.
//!
//! The parts are those of `tokenizers` 0.23 (its `src/normalizers/mod.rs` and the like). What the library itself refuses is
//! left to it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use foreign::words;
use foreign::{Foreign, Words};
use serde_json::Value;

/// Parts in a sequence; T5's have 3.
const MOST_PARTS: usize = 16;
/// Bytes that a byte of text may become; for T5's own normalizers it is 33, and with its replacement of spaces 132.
const MOST_GROWTH: usize = 4096;
/// GPT-2's pattern takes 74 bytes.
const LONGEST_PATTERN: usize = 1000;
/// What the counts of repetitions in a pattern may come to when they stand in each other.
const MOST_REPETITIONS: usize = 10_000;
/// Pieces of a template, and ids of a special token in one.
const MOST_PIECES: usize = 64;
/// Added tokens; RoBERTa has 5, T5 about 100.
const MOST_ADDED: usize = 20_000;
/// Their bytes, all together.
const MOST_ADDED_BYTES: usize = 1 << 20;

/// Every part of the file; gives how many bytes a byte of text may become.
pub(super) fn check(parts: &Value) -> Result<usize, Words> {
    if !parts.is_object() {
        return Err("it is no JSON object".into());
    }
    model(&parts["model"])?;
    added(&parts["added_tokens"])?;
    processor(&parts["post_processor"])?;
    let growth =
        normalizer(&parts["normalizer"])?.saturating_mul(pre_tokenizer(&parts["pre_tokenizer"])?);
    if growth > MOST_GROWTH {
        return Err(words!(
            "its normalizers may make {} bytes of one, and at most {} are worked with",
            growth,
            MOST_GROWTH
        ));
    }
    Ok(growth)
}

/// The `type` of a part; `None` where there is no part.
fn kind(part: &Value) -> Result<Option<&str>, Words> {
    match part {
        Value::Null => Ok(None),
        // The library takes parts without a type for the first that fits, which nobody writes any more.
        part => match part["type"].as_str() {
            Some(kind) => Ok(Some(kind)),
            None => {
                Err("a part of it has no `type`; save it again with a current tokenizers".into())
            }
        },
    }
}

fn unknown(what: &'static str, kind: &str) -> Words {
    words!(
        "its {} has the type `{}`, which is not known here",
        what,
        Foreign::new(kind)
    )
}

/// The parts of a sequence, by the key that they stand under.
fn parts<'v>(sequence: &'v Value, key: &'static str) -> Result<&'v [Value], Words> {
    match sequence[key].as_array() {
        Some(parts) if parts.len() <= MOST_PARTS => Ok(parts),
        Some(parts) => Err(words!(
            "`{}` has {} parts, and at most {} are worked with",
            key,
            parts.len(),
            MOST_PARTS
        )),
        None => Err(words!("a sequence has no list `{}`", key)),
    }
}

/// The model's type is left out in files of the first years, as in RoBERTa's own.
fn model(model: &Value) -> Result<(), Words> {
    match &model["type"] {
        Value::Null if model["vocab"].is_null() => return Err("it has no `model`".into()),
        Value::Null => {}
        Value::String(kind)
            if ["BPE", "Unigram", "WordPiece", "WordLevel"].contains(&kind.as_str()) => {}
        other => return Err(unknown("model", &other.to_string())),
    }
    match &model["dropout"] {
        Value::Null => Ok(()),
        rate if rate.as_f64() == Some(0.0) => Ok(()),
        rate => Err(words!(
            "its model has `dropout: {}`, which draws other tokens each time; set it to null",
            Foreign::new(rate.to_string())
        )),
    }
}

fn added(tokens: &Value) -> Result<(), Words> {
    let tokens = tokens.as_array().map_or(&[][..], Vec::as_slice);
    let contents = tokens.iter().filter_map(|token| token["content"].as_str());
    let bytes: usize = contents.map(str::len).sum();
    match tokens.len() > MOST_ADDED || bytes > MOST_ADDED_BYTES {
        false => Ok(()),
        true => Err(words!(
            "it adds {} tokens of {} bytes; at most {} of {} are worked with",
            tokens.len(),
            bytes,
            MOST_ADDED,
            MOST_ADDED_BYTES
        )),
    }
}

/// How many bytes a byte becomes at most; a sequence multiplies.
fn normalizer(part: &Value) -> Result<usize, Words> {
    Ok(match kind(part)? {
        None => 1,
        Some("Sequence") => product(parts(part, "normalizers")?, normalizer)?,
        Some("Strip" | "StripAccents" | "NFC" | "Nmt") => 1,
        // Of two bytes at most three; the characters around CJK's get spaces.
        Some("Lowercase") => 2,
        Some("Bert" | "BertNormalizer") => 3,
        // U+FDFA, of three bytes, becomes 33; what is decomposed stays as it is when it is again.
        Some("NFD" | "NFKC" | "NFKD") => 11,
        // A byte becomes a character of at most two.
        Some("ByteLevel") => 2,
        Some("Prepend") => 1 + part["prepend"].as_str().map_or(0, str::len),
        Some("Replace") => {
            let content = part["content"].as_str().map_or(0, str::len);
            match pattern(&part["pattern"])? {
                Pattern::Text(bytes) => content.div_ceil(bytes).max(1),
                // It may be found at every byte, and at none.
                Pattern::Regex => content + 1,
            }
        }
        Some("Precompiled") => charsmap(&part["precompiled_charsmap"])?,
        Some(other) => return Err(unknown("normalizer", other)),
    })
}

fn product(parts: &[Value], of: impl Fn(&Value) -> Result<usize, Words>) -> Result<usize, Words> {
    let mut product = 1usize;
    for part in parts {
        product = product.saturating_mul(of(part)?);
    }
    Ok(product)
}

fn pre_tokenizer(part: &Value) -> Result<usize, Words> {
    Ok(match kind(part)? {
        None => 1,
        Some("Sequence") => product(parts(part, "pretokenizers")?, pre_tokenizer)?,
        Some("ByteLevel") => 2,
        // A space becomes `▁`, which is none.
        Some("Metaspace") => 3,
        Some("Split") => {
            pattern(&part["pattern"])?;
            1
        }
        Some("FixedLength") if part["length"].as_u64() == Some(0) => {
            return Err("it splits texts into pieces of length 0".into());
        }
        Some(
            "FixedLength" | "BertPreTokenizer" | "CharDelimiterSplit" | "Delimiter" | "Digits"
            | "Punctuation" | "UnicodeScripts" | "Whitespace" | "WhitespaceSplit",
        ) => 1,
        Some(other) => return Err(unknown("pre-tokenizer", other)),
    })
}

enum Pattern {
    /// Of so many bytes, at least one.
    Text(usize),
    Regex,
}

fn pattern(pattern: &Value) -> Result<Pattern, Words> {
    let long = |bytes| {
        words!(
            "a pattern of it has {} bytes, and at most {} are worked with",
            bytes,
            LONGEST_PATTERN
        )
    };
    match (pattern["String"].as_str(), pattern["Regex"].as_str()) {
        (Some(""), _) | (_, Some("")) => Err("a pattern of it is empty".into()),
        (Some(text), None) if text.len() <= LONGEST_PATTERN => Ok(Pattern::Text(text.len())),
        (None, Some(regex)) if regex.len() <= LONGEST_PATTERN => {
            match repetitions(regex) > MOST_REPETITIONS {
                false => Ok(Pattern::Regex),
                true => Err(words!(
                    "its pattern `{}` repeats without measure",
                    Foreign::new(regex)
                )),
            }
        }
        (Some(text), _) | (_, Some(text)) => Err(long(text.len())),
        (None, None) => Err("a pattern of it is neither a String nor a Regex".into()),
    }
}

/// The product of all counts `{n}` and `{n,m}`: what a pattern is unrolled to at most, each below at least 1.
fn repetitions(regex: &str) -> usize {
    let counts = regex
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'));
    counts
        .filter(|(count, _)| {
            count
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, ',' | ' '))
        })
        .map(|(count, _)| {
            let numbers = count.split([',', ' ']).filter(|n| !n.is_empty());
            numbers
                .map(|n| n.parse().unwrap_or(usize::MAX))
                .max()
                .unwrap_or(1)
                .max(1)
        })
        .fold(1, usize::saturating_mul)
}

/// SentencePiece's table of replacements, in base64: the size of its trie in bytes, the trie, and the replacements, each
/// with a zero behind (`spm_precompiled`). Gives the longest replacement.
fn charsmap(coded: &Value) -> Result<usize, Words> {
    let wrong = |what: Words| words!("its precompiled_charsmap {}", what);
    let coded = coded.as_str().ok_or_else(|| wrong("is no text".into()))?;
    let bytes = BASE64_STANDARD
        .decode(coded)
        .map_err(|e| wrong(words!("is no base64: {}", Foreign::said(e))))?;
    let Some((size, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(wrong("is cut off".into()));
    };
    let size = u32::from_le_bytes(*size) as usize;
    let Some((_, replacements)) = rest.split_at_checked(size) else {
        return Err(words!(
            "its precompiled_charsmap claims {} bytes of trie and holds {}",
            size,
            rest.len()
        ));
    };
    let longest = replacements.split(|b| *b == 0).map(<[u8]>::len).max();
    Ok(longest.unwrap_or(0).max(1))
}

fn processor(part: &Value) -> Result<(), Words> {
    match kind(part)? {
        None | Some("RobertaProcessing" | "BertProcessing" | "ByteLevel") => Ok(()),
        Some("Sequence") => parts(part, "processors")?.iter().try_for_each(processor),
        Some("TemplateProcessing") => template(part),
        Some(other) => Err(unknown("post-processor", other)),
    }
}

/// Every special token of a template is one that the template describes.
fn template(part: &Value) -> Result<(), Words> {
    let special = part["special_tokens"].as_object();
    for token in special.into_iter().flat_map(|tokens| tokens.values()) {
        let count = |key: &str| token[key].as_array().map_or(0, Vec::len);
        if count("ids") > MOST_PIECES || count("ids") != count("tokens") {
            return Err("a special token of its template has not as many ids as tokens".into());
        }
    }
    for key in ["single", "pair"] {
        let pieces = part[key].as_array().map_or(&[][..], Vec::as_slice);
        if pieces.len() > MOST_PIECES {
            return Err(words!(
                "its template has {} pieces, and at most {} are worked with",
                pieces.len(),
                MOST_PIECES
            ));
        }
        for piece in pieces {
            let Some(name) = piece["SpecialToken"]["id"].as_str() else {
                continue;
            };
            if special.is_none_or(|tokens| !tokens.contains_key(name)) {
                return Err(words!(
                    "its template names the special token `{}`, which it does not describe",
                    Foreign::new(name)
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_multiply() {
        assert_eq!(repetitions(r"'s|'t| ?\p{L}+|\s+(?!\S)"), 1);
        assert_eq!(repetitions(" {2,}"), 2);
        assert_eq!(repetitions("(a{100}){3, 200}"), 20_000);
        assert_eq!(repetitions("a{99999999999999999999}{2}"), usize::MAX);
        assert_eq!(repetitions(r"\x{10FFFF}"), 1);
    }
}
