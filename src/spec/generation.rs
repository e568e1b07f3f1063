//! How an experiment makes its pieces: model, prompts, draws and the settings of the sampler.

use std::path::PathBuf;

use foreign::words;
use foreign::{Foreign, Words};
use serde::Serialize;
use strict_yaml::{Document, YamlError};

use super::pieces::check_file_id;
use super::raw::{RawGenerate, RawPrompts};
use super::template::Template;
use super::{Origin, Piece, Shrink};

/// Draws of one prompt beyond which a number was mistyped.
const MAX_DRAWS: u64 = 10_000;
/// Years of computing; what is kept of each piece must fit into memory.
const MAX_PIECES: usize = 1_000_000;

/// How pieces are made; what a checkpoint limits (frames, vocabulary) is checked once it is here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Generation {
    /// A card's name, or the path of one.
    pub model: String,
    pub prompts: Prompts,
    /// What is made of each description, when pieces are not made from the description itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<String>,
    /// Pieces from each prompt; at least 1.
    pub draws: usize,
    /// Above 0.
    pub duration_s: f64,
    /// Guidance scale, at least 1; 1 is without guidance.
    pub guidance: f64,
    /// Above 0.
    pub temperature: f64,
    /// 0 is all codes; 1 is the likeliest one, without any chance.
    pub top_k: usize,
    /// Above 0; 1 is all codes.
    pub top_p: f64,
}

/// Where prompts come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Prompts {
    /// One prompt a taste.
    Text(String),
    /// A descriptions file of this machine.
    Path(PathBuf),
    /// One that is fetched.
    Url(Download),
}

/// A file somewhere on the web, known by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Download {
    pub url: String,
    /// Of its content, 64 lower-case hex digits.
    pub sha256: String,
}

pub(super) fn resolve(document: &Document, raw: &RawGenerate) -> Result<Generation, YamlError> {
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
    let prompts = prompts(document, &raw.prompts)?;
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

impl Generation {
    /// Cut down what nobody has set on the command line; gives what was, in words.
    pub(super) fn shrink(&mut self, document: &Document, to: &Shrink) -> Vec<String> {
        let mut told = Vec::new();
        if self.draws > to.draws && !document.is_set("draws") {
            told.push(format!(
                "{} draws a prompt instead of {}",
                to.draws, self.draws
            ));
            self.draws = to.draws;
        }
        if self.duration_s > to.duration_s && !document.is_set("duration_s") {
            let (short, long) = (to.duration_s, self.duration_s);
            told.push(format!("pieces of {short} s instead of {long} s"));
            self.duration_s = to.duration_s;
        }
        if matches!(self.prompts, Prompts::Url(_)) && !document.is_set("prompts.url") {
            told.push("a few bundled descriptions".to_owned());
            self.prompts = Prompts::Path(to.descriptions.clone());
        }
        told
    }
}

/// `path` wins over `url`, and what `--set` names over what the file names.
fn prompts(document: &Document, raw: &RawPrompts) -> Result<Prompts, YamlError> {
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
            "'prompts' needs 'text' (one prompt a taste), 'path' (a descriptions file) or 'url' with 'sha256'",
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

/// The template of one prompt a taste.
pub(super) fn template(
    document: &Document,
    text: &str,
    tastes: &[String],
) -> Result<Template, YamlError> {
    let wrong = |message: Words| document.invalid("prompts.text", message);
    let template = Template::parse("prompts.text", text).map_err(wrong)?;
    if !template.uses_taste() || tastes.is_empty() {
        return Err(wrong(
            "'prompts.text' makes one prompt a taste: it needs {taste} in it and the list beside it, such as tastes: \
             [sweet, bitter, sour, salty]"
                .into(),
        ));
    }
    for (i, taste) in tastes.iter().enumerate() {
        check_file_id(taste)
            .map_err(|message| document.invalid(&format!("tastes.{i}"), message))?;
        let folded = taste.to_lowercase();
        if tastes[..i]
            .iter()
            .any(|other| other.to_lowercase() == folded)
        {
            let message = words!(
                "the taste '{}' differs from another one by its case alone, and many file systems take their files for one",
                Foreign::new(taste)
            );
            return Err(document.invalid(&format!("tastes.{i}"), message));
        }
    }
    Ok(template)
}

/// That `prompts` prompts with `draws` draws each are no more than [`MAX_PIECES`] pieces.
pub(super) fn check_count(prompts: usize, draws: usize) -> Result<(), Words> {
    match prompts.saturating_mul(draws) {
        pieces if pieces > MAX_PIECES => Err(words!(
            "{} prompts with {} draws each are {} pieces; a run has at most {}, so set fewer \
             draws, or keep fewer prompts",
            prompts,
            draws,
            pieces,
            MAX_PIECES
        )),
        _ => Ok(()),
    }
}

/// One prompt a taste, in their order.
pub(super) fn from_tastes(template: &Template, tastes: &[String], draws: usize) -> Vec<Piece> {
    let mut made = Vec::with_capacity(tastes.len() * draws);
    for taste in tastes {
        let prompt = template.fill(taste, Some(taste));
        let origin = |draw| Origin {
            prompt_id: taste.clone(),
            draw,
            instrument: None,
            tastes: Vec::new(),
        };
        made.extend((1..=draws).map(|draw| piece(origin(draw), draws, &prompt, Some(taste))));
    }
    made
}

/// The piece of one draw: `sweet` when there is one, else `sweet_01`, with its place below the run folder.
pub(super) fn piece(origin: Origin, draws: usize, prompt: &str, taste: Option<&String>) -> Piece {
    let id = match draws {
        1 => origin.prompt_id.clone(),
        _ => format!("{}_{:02}", origin.prompt_id, origin.draw),
    };
    Piece {
        path: ["audio", &format!("{id}.wav")].iter().collect(),
        id,
        prompt: prompt.to_owned(),
        taste: taste.cloned(),
        origin: Some(origin),
        set: None,
        own_prompt: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_pieces_than_a_run_can_have_are_refused_with_the_number() {
        assert_eq!(check_count(100, 10_000), Ok(()));
        let message = check_count(200_000, 10_000).unwrap_err().to_string();
        assert!(message.contains("2000000000 pieces"), "{message}");
        assert!(check_count(usize::MAX, 2).is_err());
    }
}
