//! The files that have a row for every piece under every arm, written row by row.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Computed;
use super::rows::{Embedded, distinct};
use super::write::remove_if_there;
use crate::tables::{
    EMBEDDINGS_NPY, EmbeddingRow, NpyWriter, PromptRow, Row, RowWriter, ScoreRow,
    TEXT_EMBEDDINGS_NPY, WindowRow,
};

/// Prompts whose embeddings are in memory at once.
const AT_ONCE: usize = 8192;

/// Scores and embeddings on their way to the disk.
pub struct Files {
    scores: RowWriter<ScoreRow>,
    embeddings: Option<RowWriter<EmbeddingRow>>,
    audio: Option<Array>,
    text: Option<Array>,
    windows: Option<RowWriter<WindowRow>>,
}

impl Files {
    /// Begin the files of a run.
    ///
    /// A `large` one has no CSV of embeddings, and in its array of texts each prompt once, with `prompts.csv` beside it. Models
    /// of different widths, as in a demo, have no array in common: their embeddings are in the CSV, however many there are.
    pub fn create(run: &Computed<'_>, large: bool) -> Result<Self> {
        let at = |file: &str| run.folder.join(file);
        let word = &run.labels.word;
        let width = width(run)?;
        let rows = run.arms.len() * run.pieces.len();
        let array = |file: &str| match width {
            Some(width) => Array::create(&at(file), rows, width).map(Some),
            None => remove_if_there(&at(file)).map(|()| None),
        };
        let embeddings = match (large, width) {
            (true, Some(_)) => remove_if_there(&at(EmbeddingRow::FILE)).map(|()| None)?,
            _ => Some(RowWriter::create(&at(EmbeddingRow::FILE), word)?),
        };
        let text = match (large, width) {
            (true, Some(width)) => {
                write_prompts(run, width)?;
                None
            }
            _ => {
                remove_if_there(&at(PromptRow::FILE))?;
                array(TEXT_EMBEDDINGS_NPY)?
            }
        };
        let windows = match run.windows {
            Some(_) => Some(RowWriter::create(&at(WindowRow::FILE), word)?),
            None => remove_if_there(&at(WindowRow::FILE)).map(|()| None)?,
        };
        Ok(Self {
            windows,
            scores: RowWriter::create(&at(ScoreRow::FILE), word)?,
            embeddings,
            audio: array(EMBEDDINGS_NPY)?,
            text,
        })
    }

    /// Whether there is a CSV of embeddings.
    pub fn has_embeddings(&self) -> bool {
        self.embeddings.is_some()
    }

    /// `embedding` is the row of that CSV, which is wanted where there is one.
    pub fn add(&mut self, row: &Embedded<'_>, embedding: Option<&EmbeddingRow>) -> Result<()> {
        self.scores.add(&row.score)?;
        if let Some((embeddings, row)) = self.embeddings.as_mut().zip(embedding) {
            embeddings.add(row)?;
        }
        if let Some(audio) = &mut self.audio {
            audio.add(&row.audio)?;
        }
        if let Some(text) = &mut self.text {
            text.add(&row.text)?;
        }
        if let Some(windows) = &mut self.windows {
            row.window_rows().try_for_each(|row| windows.add(&row))?;
        }
        Ok(())
    }

    /// Give them their names.
    pub fn finish(self) -> Result<()> {
        self.scores.finish()?;
        if let Some(embeddings) = self.embeddings {
            embeddings.finish()?;
        }
        if let Some(windows) = self.windows {
            windows.finish()?;
        }
        [self.audio, self.text]
            .into_iter()
            .flatten()
            .try_for_each(Array::finish)
    }
}

/// The dimensions of the embeddings; `None` when those of the arms differ.
fn width(run: &Computed<'_>) -> Result<Option<usize>> {
    let Some(piece) = run.pieces.first() else {
        return Ok(None);
    };
    let widths = run.arms.iter().map(|arm| {
        let clips = run.embeddings.clips(arm.name, &[&piece.key()])?;
        Ok(clips.first().map(|(embedding, _)| embedding.len()))
    });
    let widths: Vec<Option<usize>> = widths.collect::<Result<_>>()?;
    let first = widths.first().copied().flatten();
    Ok(first.filter(|_| widths.iter().all(|width| *width == first)))
}

/// Each prompt once under each arm, with its embedding.
fn write_prompts(run: &Computed<'_>, width: usize) -> Result<()> {
    let prompts = distinct(run.pieces);
    let mut rows = RowWriter::create(&run.folder.join(PromptRow::FILE), &run.labels.word)?;
    let path = run.folder.join(TEXT_EMBEDDINGS_NPY);
    let mut array = Array::create(&path, prompts.len() * run.arms.len(), width)?;
    for arm in &run.arms {
        for some in prompts.chunks(AT_ONCE) {
            let embeddings = run.embeddings.texts(arm.name, some)?;
            for (prompt, embedding) in some.iter().zip(&embeddings) {
                rows.add(&PromptRow {
                    arm: arm.name.to_owned(),
                    prompt: (*prompt).to_owned(),
                })?;
                array.add(embedding)?;
            }
        }
    }
    rows.finish()?;
    array.finish()
}

/// An array with the words for when it cannot be written.
struct Array {
    path: PathBuf,
    writer: NpyWriter,
}

impl Array {
    fn create(path: &Path, rows: usize, columns: usize) -> Result<Self> {
        let writer = NpyWriter::create(path, rows, columns);
        Ok(Self {
            path: path.to_owned(),
            writer: writer.with_context(|| cannot_write(path))?,
        })
    }

    fn add(&mut self, row: &[f32]) -> Result<()> {
        self.writer
            .add(row)
            .with_context(|| cannot_write(&self.path))
    }

    fn finish(self) -> Result<()> {
        self.writer
            .finish()
            .with_context(|| cannot_write(&self.path))
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
