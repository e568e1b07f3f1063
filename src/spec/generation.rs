//! How an experiment makes its pieces: model, prompts, draws and the settings of the sampler.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use foreign::words;
use foreign::{Foreign, Words};
use serde::Serialize;
use strict_yaml::{Document, YamlError};

use super::pieces::check_file_id;
use super::template::Template;
use super::{Origin, Piece};
use crate::labels::Word;

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

/// Labels as somebody may list them.
pub fn example(word: &Word) -> &'static str {
    match word.is_default() {
        true => "[sweet, bitter, sour, salty]",
        false => "[one, another]",
    }
}

/// The template of one prompt a taste.
pub fn template(
    document: &Document,
    text: &str,
    tastes: &[String],
    word: &Word,
) -> Result<Template, YamlError> {
    let wrong = |message: Words| document.invalid("prompts.text", message);
    let template = Template::parse("prompts.text", text, word).map_err(wrong)?;
    if !template.uses_taste() || tastes.is_empty() {
        let needs = "'prompts.text' makes one prompt a taste: it needs {taste} in it and the list beside it, such as tastes:";
        return Err(wrong(words!("{} {}", word.said(needs), example(word))));
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
                "{} '{}' differs from another one by its case alone, and many file systems take their files for one",
                word.said("the taste"),
                Foreign::new(taste)
            );
            return Err(document.invalid(&format!("tastes.{i}"), message));
        }
    }
    Ok(template)
}

/// That `prompts` prompts with `draws` draws each are no more than [`MAX_PIECES`] pieces.
pub fn check_count(prompts: usize, draws: usize) -> Result<(), Words> {
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
pub fn from_tastes(template: &Template, tastes: &[String], draws: usize) -> Vec<Piece> {
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
pub fn piece(origin: Origin, draws: usize, prompt: &str, taste: Option<&String>) -> Piece {
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

/// Pieces beyond which they lie in folders of [`IN_FOLDER`]: file systems slow down with a folder of a million files, and so
/// does everyone who looks into it.
const MOST_IN_FOLDER: usize = 10_000;
const IN_FOLDER: usize = 1_000;

/// Give the pieces of a whole list their places in folders below the run's, where there are many: `audio/012/sweet_12345.wav`.
pub fn in_folders(pieces: &mut [Piece]) {
    if pieces.len() <= MOST_IN_FOLDER {
        return;
    }
    for (place, piece) in pieces.iter_mut().enumerate() {
        let folder = format!("{:03}", place / IN_FOLDER);
        if let (Some(audio), Some(file)) = (piece.path.parent(), piece.path.file_name()) {
            piece.path = audio.join(folder).join(file);
        }
    }
}

/// Whether `path` is one that [`piece`] or [`in_folders`] gives the piece `id`.
pub fn is_place(path: &Path, id: &str) -> bool {
    let mut names = path.iter().map(OsStr::to_str);
    let is_folder = |name: &str| name.len() >= 3 && name.bytes().all(|b| b.is_ascii_digit());
    let file = format!("{id}.wav");
    match (names.next(), names.next(), names.next(), names.next()) {
        (Some(Some("audio")), Some(Some(name)), None, _) => name == file,
        (Some(Some("audio")), Some(Some(folder)), Some(Some(name)), None) => {
            is_folder(folder) && name == file
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pieces_lie_in_folders_and_a_place_is_known_again() {
        let template = Template::parse("prompts.text", "{taste} music", &Word::default()).unwrap();
        let made = |draws: usize| {
            let mut pieces = from_tastes(&template, &["a".into(), "b".into()], draws);
            in_folders(&mut pieces);
            pieces
        };
        let few = made(5_000);
        assert_eq!(few[9_999].path, Path::new("audio/b_5000.wav"));
        let many = made(5_001);
        assert_eq!(many[0].path, Path::new("audio/000/a_01.wav"));
        assert_eq!(many[10_001].path, Path::new("audio/010/b_5001.wav"));
        for piece in [&few[0], &many[10_001]] {
            assert!(is_place(&piece.path, &piece.id));
        }
        for other in [
            "audio/../x.wav",
            "/audio/x.wav",
            "audio/000/y.wav",
            "audio/000/001/x.wav",
            "other/x.wav",
            "audio/..0/x.wav",
            "x.wav",
            "audio",
        ] {
            assert!(!is_place(Path::new(other), "x"), "{other}");
        }
    }

    #[test]
    fn more_pieces_than_a_run_can_have_are_refused_with_the_number() {
        assert_eq!(check_count(100, 10_000), Ok(()));
        let message = check_count(200_000, 10_000).unwrap_err().to_string();
        assert!(message.contains("2000000000 pieces"), "{message}");
        assert!(check_count(usize::MAX, 2).is_err());
    }
}
