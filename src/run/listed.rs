//! `pieces.jsonl`: the pieces of a large run, one a line, where a manifest of them all would take longer to read than what is
//! wanted of it.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::lines::{self, Lines};
use crate::spec::Piece;

/// The file's name in a run folder.
pub(super) const PIECES: &str = "pieces.jsonl";

/// The file as the manifest has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PiecesFile {
    pub sha256: String,
}

/// A line: the piece as the settings of a smaller run have it, and the hash of its file, if the run made it.
#[derive(Serialize)]
struct Written<'p> {
    #[serde(flatten)]
    piece: &'p Piece,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'p str>,
}

/// The same, read.
#[derive(Deserialize)]
pub(super) struct Listed {
    #[serde(flatten)]
    pub piece: Piece,
    pub sha256: Option<String>,
}

/// Write the pieces of the run in `folder` with the hashes that `made` knows.
pub(super) fn write<'p>(
    folder: &Path,
    pieces: &'p [Piece],
    made: impl Fn(&'p Piece) -> Option<&'p str>,
) -> Result<PiecesFile> {
    let path = folder.join(PIECES);
    let entries = pieces.iter().map(|piece| Written {
        piece,
        sha256: made(piece),
    });
    let sha256 = lines::write(&path, entries).and_then(|()| files::sha256_file(&path));
    let sha256 = sha256.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(PiecesFile { sha256 })
}

/// Hand every piece of the run in `folder` to `each`.
///
/// # Errors
/// When the file is not the one that the manifest speaks of.
pub(super) fn read(folder: &Path, file: &PiecesFile, mut each: impl FnMut(Listed)) -> Result<()> {
    let path = folder.join(PIECES);
    let cannot = || {
        format!(
            "cannot read {}; run that experiment again, or name another run folder",
            path.display()
        )
    };
    let own = files::in_its_folder(&path).with_context(cannot)?;
    if files::sha256_file(&own).with_context(cannot)? != file.sha256 {
        return Err(anyhow!("it is not the file that the run wrote")).with_context(cannot);
    }
    let read = Lines::read(&path, |listed| {
        each(listed);
        true
    });
    read.with_context(cannot)
}
