//! The settings of a sampler and where its prompts come from, checked.

use foreign::{Words, words};
use strict_yaml::{Document, YamlError};

use super::{Keys, RawPrompts};
use crate::labels::Word;
use crate::spec::{Download, Generation, Prompts, Shrink};

/// Draws of one prompt beyond which a number was mistyped.
const MAX_DRAWS: u64 = 10_000;

pub(super) fn resolve(
    document: &Document,
    raw: &Keys,
    word: &Word,
) -> Result<Generation, YamlError> {
    let wrong = |key: &str, message: Words| Err(document.invalid(key, message));
    if !(1..=MAX_DRAWS).contains(&raw.draws) {
        let message = words!(
            "'draws' is {}; it must be from 1 to {}",
            raw.draws,
            MAX_DRAWS
        );
        return wrong("draws", message);
    }
    if !(raw.duration_s.is_finite() && raw.duration_s > 0.0) {
        return wrong(
            "duration_s",
            "'duration_s' must be a number of seconds above 0".into(),
        );
    }
    // The sampler computes in 32 bits.
    let (guidance, temperature) = (raw.guidance as f32, raw.temperature as f32);
    if !(guidance.is_finite() && raw.guidance >= 1.0) {
        return wrong(
            "guidance",
            "'guidance' must be 1 or more; 1 is without guidance".into(),
        );
    }
    if !(temperature.is_finite() && temperature > 0.0) {
        return wrong(
            "temperature",
            "'temperature' must be above 0; for the likeliest code at every step (greedy) set top_k: 1".into(),
        );
    }
    if !(raw.top_p as f32 > 0.0 && raw.top_p <= 1.0) {
        return wrong(
            "top_p",
            "'top_p' must be above 0 and at most 1; 1 is all codes".into(),
        );
    }
    if raw.top_k == 1 && raw.draws > 1 {
        let message = words!(
            "with top_k: 1 nothing is drawn, and the {} draws of a prompt would be the same piece; set draws: 1 as well",
            raw.draws
        );
        return wrong("top_k", message);
    }
    let prompts = prompts(document, &raw.prompts, word)?;
    if matches!(prompts, Prompts::Text(_)) && raw.prompts.rewrite.is_some() {
        return wrong(
            "prompts.rewrite",
            "'prompts.rewrite' goes with a file of descriptions; 'text' is the prompt already"
                .into(),
        );
    }
    Ok(Generation {
        model: raw.model.clone(),
        prompts,
        rewrite: raw.prompts.rewrite.clone(),
        draws: raw.draws as usize,
        duration_s: raw.duration_s,
        guidance: raw.guidance,
        temperature: raw.temperature,
        top_k: usize::try_from(raw.top_k).unwrap_or(usize::MAX),
        top_p: raw.top_p,
    })
}

/// Cut down what nobody has set on the command line; gives what was, in words.
pub(super) fn shrink(made: &mut Generation, document: &Document, to: &Shrink) -> Vec<String> {
    let mut told = Vec::new();
    if made.draws > to.draws && !document.is_set("draws") {
        told.push(format!(
            "{} draws a prompt instead of {}",
            to.draws, made.draws
        ));
        made.draws = to.draws;
    }
    if made.duration_s > to.duration_s && !document.is_set("duration_s") {
        let (short, long) = (to.duration_s, made.duration_s);
        told.push(format!("pieces of {short} s instead of {long} s"));
        made.duration_s = to.duration_s;
    }
    if matches!(made.prompts, Prompts::Url(_)) && !document.is_set("prompts.url") {
        told.push("a few bundled descriptions".to_owned());
        made.prompts = Prompts::Path(to.descriptions.clone());
    }
    told
}

/// `path` wins over `url`, and what `--set` names over what the file names.
fn prompts(document: &Document, raw: &RawPrompts, word: &Word) -> Result<Prompts, YamlError> {
    let set = |key: &str| document.is_set(&format!("prompts.{key}"));
    let of_a_file = raw.path.is_some() || raw.url.is_some();
    match (&raw.text, &raw.path, &raw.url) {
        (Some(text), _, _) if set("text") || !of_a_file => Ok(Prompts::Text(text.clone())),
        (Some(_), _, _) if !(set("path") || set("url")) => Err(document.invalid(
            "prompts",
            "'prompts' has both 'text' and a file of descriptions; keep one",
        )),
        (_, Some(path), _) => Ok(Prompts::Path(path.into())),
        (_, None, Some(url)) => {
            let web = url.starts_with("https://") || url.starts_with("http://");
            if !web || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
                let message = "'prompts.url' must be an address that begins with https:// or http://";
                return Err(document.invalid("prompts.url", message));
            }
            Ok(Prompts::Url(Download {
                url: url.clone(),
                sha256: pin(document, raw)?,
            }))
        }
        (_, None, None) => Err(document.invalid(
            "prompts",
            word.said("'prompts' needs 'text' (one prompt a taste), 'path' (a descriptions file) or 'url' with 'sha256'"),
        )),
    }
}

fn pin(document: &Document, raw: &RawPrompts) -> Result<String, YamlError> {
    let Some(sha256) = &raw.sha256 else {
        let message = "'prompts.url' needs 'sha256' beside it: what lies at an address may change, and the hash says which file \
             is meant";
        return Err(document.invalid("prompts", message));
    };
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        let message = "'prompts.sha256' must be 64 hexadecimal digits";
        return Err(document.invalid("prompts.sha256", message));
    }
    Ok(sha256.to_ascii_lowercase())
}
