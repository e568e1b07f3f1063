//! The pieces of an experiment: the audio files of a folder, or the rows of a list.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap_audio::EXTENSIONS;
use foreign::words;
use foreign::{Foreign, Words, hint};
use strict_yaml::Document;

use super::checks::reserved;
use super::natural::natural;
use super::table::{Names, Table};
use super::template::Template;
use super::{Piece, SpecError};
use crate::labels::{Labels, Word};
use crate::statistics::grouping::{ALL, MOST_TASTES};

/// A list of a million pieces has room.
const MAX_LIST_BYTES: u64 = 256 << 20;

const MAX_ID_CHARS: usize = 200;

/// The columns of a list of pieces whose labels are called so; the first two it must have.
pub(super) fn columns(word: &Word) -> [&str; 4] {
    ["path", "prompt", "id", word.one()]
}

/// Every audio file that lies in the folder itself (not in folders below it), in natural order. Hidden files are left
/// out: some systems put a `._` file beside each real one.
///
/// `key` is where the experiment names the folder, as in `audio.files`.
pub fn from_folder(
    document: &Document,
    key: &str,
    folder: &Path,
    template: &Template,
    labels: &Labels,
) -> Result<Vec<Piece>, SpecError> {
    if !folder.is_dir() {
        let message = words!(
            "there is no folder {}; say where the pieces are: --set {}=DIR",
            folder.display(),
            Foreign::new(key)
        );
        return Err(document.invalid(key, message).into());
    }
    let paths = files_of(folder)?;
    if paths.is_empty() {
        let message = words!(
            "{} has no .wav, .flac, .ogg or .mp3 file; folders below it are not searched",
            folder.display()
        );
        return Err(document.invalid(key, message).into());
    }
    check_ids(&paths, |id, path| in_a_list(id, path, template, labels))?;
    let mut pieces = Vec::with_capacity(paths.len());
    for (id, path) in paths {
        let taste = match labels.order.is_empty() {
            true => None,
            false => Some(taste_of(&id, labels).map_err(|message| file_error(&path, message))?),
        };
        let prompt = template.fill(&id, taste.as_deref());
        pieces.push(Piece {
            id,
            path,
            prompt,
            taste,
            origin: None,
            set: None,
            own_prompt: None,
        });
    }
    Ok(pieces)
}

/// Id and path of the audio file `path`, or of each one in the folder `path`, in natural order.
pub fn audio_files(path: &Path) -> Result<Vec<(String, PathBuf)>, SpecError> {
    if path.is_file() {
        return Ok(vec![(stem(path)?, path.to_owned())]);
    }
    if !path.is_dir() {
        return Err(file_error(path, "there is no such file or folder"));
    }
    let files = files_of(path)?;
    if files.is_empty() {
        return Err(file_error(
            path,
            "it has no .wav, .flac, .ogg or .mp3 file; folders below it are not searched",
        ));
    }
    Ok(files)
}

/// How files of one stem are taken without renaming them: a list that gives each an id, with the line of this file.
fn in_a_list(id: &str, path: &Path, template: &Template, labels: &Labels) -> Words {
    let label = match labels.order.is_empty() {
        true => None,
        false => taste_of(id, labels).ok(),
    };
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    let cell = |text: String| match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    };
    let prompt = template.fill(id, label.as_deref());
    let cells = [path.display().to_string(), prompt, format!("{id}_{ending}")];
    let cells = cells.into_iter().chain(label.clone()).map(cell);
    let row = cells.collect::<Vec<_>>().join(",");
    let header = words!(
        "path,prompt,id{}",
        match label {
            Some(_) => words!(",{}", Foreign::new(labels.word.one())),
            None => Words::none(),
        }
    );
    words!(
        "; or leave their names and list all pieces in a CSV that begins with the line {} and has for this one {}: --set \
         'audio={{csv: pieces.csv}}'",
        header,
        Foreign::new(row)
    )
}

/// Ids are plain and no two files share one. `otherwise` says of an id and its file what to do instead of renaming.
pub fn check_ids(
    files: &[(String, PathBuf)],
    otherwise: impl Fn(&str, &Path) -> Words,
) -> Result<(), SpecError> {
    let mut first: HashMap<&str, &Path> = HashMap::new();
    for (id, path) in files {
        check_id(id).map_err(|message| file_error(path, message))?;
        if let Some(other) = first.insert(id, path) {
            let message = words!(
                "its id '{}' is also that of {}; rename one of them{}",
                Foreign::new(id),
                other.display(),
                otherwise(id, path)
            );
            return Err(file_error(path, message));
        }
    }
    Ok(())
}

/// Stem and path of each audio file, in natural order.
fn files_of(folder: &Path) -> Result<Vec<(String, PathBuf)>, SpecError> {
    let failed = |source| SpecError::List {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_audio = path
            .extension()
            .and_then(OsStr::to_str)
            .is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)));
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if is_audio && !hidden && path.is_file() {
            let id = stem(&path)?;
            files.push((id, path));
        }
    }
    files.sort_by(|(a, _), (b, _)| natural(a, b));
    Ok(files)
}

fn stem(path: &Path) -> Result<String, SpecError> {
    match path.file_stem().and_then(OsStr::to_str) {
        Some(stem) => Ok(stem.to_owned()),
        None => Err(file_error(path, "its name is not UTF-8; rename it")),
    }
}

/// `sweet_01` is sweet: what stands before the last `_`.
fn taste_of(id: &str, labels: &Labels) -> Result<String, Words> {
    let Labels {
        word,
        order: tastes,
    } = labels;
    let taste = id.rsplit_once('_').map_or(id, |(taste, _)| taste);
    if tastes.iter().any(|known| known == taste) {
        return Ok(taste.to_owned());
    }
    let known: Vec<&str> = tastes.iter().map(String::as_str).collect();
    Err(words!(
        "{} '{}'{}; call it {}_NUMBER, such as {}_01",
        word.said("the taste in its name is"),
        Foreign::new(taste),
        hint(taste, &known),
        Foreign::new(word.one().to_uppercase()),
        Foreign::new(known.first().unwrap_or(&"sweet"))
    ))
}

/// The rows of a list, a CSV or JSON Lines, with the columns `path,prompt` and, if wanted, `id` and `taste`, in the order of the
/// file. Relative paths are taken from its folder. Also the tastes: those given, or else those of the list as they come.
///
/// `names` are what those columns are called in the file, where that is something else; then others may stand beside them.
pub fn from_list(
    path: &Path,
    names: &Names,
    labels: &Labels,
) -> Result<(Vec<Piece>, Vec<String>), SpecError> {
    let Labels {
        word,
        order: tastes,
    } = labels;
    let columns = columns(word);
    let table = Table::read_list(path, MAX_LIST_BYTES, &columns[..2], &columns, names)?;
    if names.is_empty() {
        table.only(&columns)?;
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    let mut first: HashMap<String, u64> = HashMap::new();
    let mut uses = HashMap::new();
    let mut pieces = Vec::new();
    for row in table.rows() {
        let (file, prompt, taste) = (row.get("path"), row.get("prompt"), row.get(word.one()));
        if file.is_empty() {
            return Err(row.error("the path is empty"));
        }
        if prompt.is_empty() {
            return Err(row.error("the prompt is empty"));
        }
        let path = place(folder, file);
        if !path.is_file() {
            return Err(row.error(words!("there is no file {}", path.display())));
        }
        let id = match row.get("id") {
            "" => numbered(stem(&path)?, &path, &mut uses),
            id => id.to_owned(),
        };
        check_id(&id).map_err(|message| row.error(message))?;
        if let Some(line) = first.insert(id.clone(), row.line()) {
            return Err(row.error(words!(
                "the id '{}' is also that of line {}; give each piece its own",
                Foreign::new(&id),
                line
            )));
        }
        if !taste.is_empty() && !tastes.is_empty() && !tastes.iter().any(|known| known == taste) {
            let known: Vec<&str> = tastes.iter().map(String::as_str).collect();
            return Err(row.error(words!(
                "{} '{}'{}",
                word.said("unknown taste"),
                Foreign::new(taste),
                hint(taste, &known)
            )));
        }
        if taste == ALL {
            return Err(row.error(reserved(word)));
        }
        if !taste.is_empty() && !found.iter().any(|known| known == taste) {
            found.push(taste.to_owned());
        }
        let taste = Some(taste.to_owned()).filter(|taste| !taste.is_empty());
        pieces.push(Piece {
            id,
            path,
            prompt: prompt.to_owned(),
            taste,
            origin: None,
            set: None,
            own_prompt: None,
        });
    }
    if pieces.is_empty() {
        return Err(file_error(path, "it has a header and no rows"));
    }
    if found.len() > MOST_TASTES {
        let message = words!(
            "it has {} {}; the figures have room for {}",
            found.len(),
            word.said("tastes"),
            MOST_TASTES
        );
        return Err(file_error(path, message));
    }
    Ok((
        pieces,
        if tastes.is_empty() {
            found
        } else {
            tastes.clone()
        },
    ))
}

/// The file that a CSV in `folder` names: from there, from the user's home after `~/`, and with `\` for `/` where it was written
/// on Windows.
fn place(folder: &Path, file: &str) -> PathBuf {
    let from_home = |rest: &str| Some(std::env::home_dir()?.join(rest));
    let of = |file: &str| match file.strip_prefix("~/").and_then(from_home) {
        Some(path) => path,
        None => folder.join(file),
    };
    let path = of(file);
    if file.contains('\\') && !path.is_file() {
        return of(&file.replace('\\', "/"));
    }
    path
}

/// The id of a row without one: the file's stem, and with a number behind it where the same file stands in several rows, as it
/// does with several prompts: `song`, `song_2`, `song_3`. `uses` counts them.
fn numbered(stem: String, path: &Path, uses: &mut HashMap<PathBuf, usize>) -> String {
    let use_of = uses.entry(path.to_owned()).or_default();
    *use_of += 1;
    match *use_of {
        1 => stem,
        n => format!("{stem}_{n}"),
    }
}

/// An id goes into tables and may name a file.
fn check_id(id: &str) -> Result<(), Words> {
    let bad = |c: char| c.is_control() || matches!(c, '/' | '\\');
    if id.is_empty()
        || id.starts_with('.')
        || id.chars().count() > MAX_ID_CHARS
        || id.chars().any(bad)
    {
        return Err(words!(
            "the id '{}' must be 1 to {} characters without '/', '\\' and control characters, no '.' first",
            Foreign::new(id),
            MAX_ID_CHARS
        ));
    }
    Ok(())
}

/// As [`check_id`], for an id that names a file to be written: with what comes behind it, the name must fit a file
/// system's 255 bytes.
pub fn check_file_id(id: &str) -> Result<(), Words> {
    match check_id(id) {
        Ok(()) if id.len() <= MAX_ID_CHARS => Ok(()),
        _ => Err(words!(
            "the id '{}' must be 1 to {} bytes without '/', '\\' and control characters, no '.' first",
            Foreign::new(id),
            MAX_ID_CHARS
        )),
    }
}

fn file_error(path: &Path, message: impl Into<Words>) -> SpecError {
    SpecError::File {
        path: path.to_owned(),
        message: message.into(),
    }
}
