//! The results of an experiment that embeds texts.

use analysis::histogram::cosine_histogram;
use analysis::nearest::nearest;
use anyhow::{Context, Result};
use ndarray::{Array2, ArrayView1};

use super::Settings;
use super::told;
use crate::results::conditions::{Condition, rows_of, stacked};
use crate::results::maps::maps;
use crate::results::write::{write_npy_file, write_or_remove};
use crate::results::{Computed, Results};
use crate::spec::Text;
use crate::tables::{self, HistogramRow, MapRow, NearestRow, Row, TextKind, TextRow};

/// Write the CSVs.
pub(super) fn write(run: &Computed<'_>, settings: &Settings) -> Result<Results> {
    let arm = run.arms.first().context("the experiment has no model")?;
    let texts = run.texts;
    let read: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
    let embeddings = run.embeddings.texts(arm.name, &read)?;
    let rows: Vec<TextRow> = texts
        .iter()
        .zip(embeddings)
        .map(|(text, embedding)| TextRow {
            text: text.text.clone(),
            embedding,
            kind: text.kind,
            id: text.id.clone(),
            count: text.count,
        })
        .collect();
    let all = stacked(&rows, |row| &row.embedding).context("embeddings differ in length")?;
    let (at, word) = (|file: &str| run.folder.join(file), &run.labels.word);
    tables::write(&at(TextRow::FILE), &rows, word)?;
    write_npy_file(&at(tables::EMBEDDINGS_NPY), &all)?;

    let mut neighbours = Vec::new();
    let queries: Vec<&str> = settings.queries.iter().map(String::as_str).collect();
    let of_queries = run.embeddings.texts(arm.name, &queries)?;
    for (query, of_query) in queries.into_iter().zip(&of_queries) {
        let of_query = ArrayView1::from(of_query.as_slice());
        for kind in [TextKind::Caption, TextKind::Descriptor] {
            let most = settings.nearest;
            neighbours.extend(near(texts, &all, kind, query, of_query, most));
        }
    }
    write_or_remove(&at(NearestRow::FILE), &neighbours, word)?;
    write_or_remove(&at(HistogramRow::FILE), &histogram(texts, &all), word)?;

    let captions = places(texts, TextKind::Caption);
    let condition = Condition {
        name: arm.name,
        arm: arm.name,
        set: None,
        ids: captions.iter().map(|&i| texts[i].id.as_str()).collect(),
        tastes: vec![""; captions.len()],
        prompts: captions.iter().map(|&i| texts[i].text.as_str()).collect(),
        audio: rows_of(all.view(), &captions),
        text: Array2::zeros((0, 0)),
    };
    let made = maps(&[condition], &[], &[], run.tsne, run.seed, word);
    made.tell();
    write_or_remove(&at(MapRow::FILE), &made.rows, word)?;
    Ok(Results {
        maps: made.records,
        told: told::nearest(&neighbours),
    })
}

/// Where the texts of one kind are.
fn places(texts: &[Text], kind: TextKind) -> Vec<usize> {
    let of_kind = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| text.kind == kind);
    of_kind.map(|(i, _)| i).collect()
}

/// How alike the captions are, two by two, and the descriptors, on one scale.
fn histogram(texts: &[Text], all: &Array2<f32>) -> Vec<HistogramRow> {
    const KINDS: [TextKind; 2] = [TextKind::Caption, TextKind::Descriptor];
    let sets = KINDS.map(|kind| rows_of(all.view(), &places(texts, kind)));
    let Some(found) = cosine_histogram(&sets.each_ref().map(|set| set.view())) else {
        return Vec::new();
    };
    let bins = |(kind, counts): (TextKind, &Vec<u64>)| -> Vec<HistogramRow> {
        let edges = found.edges.windows(2).zip(counts);
        edges
            .map(|(edges, count)| HistogramRow {
                set: kind.name().to_owned(),
                low: edges[0],
                high: edges[1],
                count: *count,
            })
            .collect()
    };
    KINDS
        .into_iter()
        .zip(&found.counts)
        .flat_map(bins)
        .collect()
}

fn near(
    texts: &[Text],
    all: &Array2<f32>,
    kind: TextKind,
    query: &str,
    embedding: ArrayView1<'_, f32>,
    most: usize,
) -> Vec<NearestRow> {
    let places = places(texts, kind);
    let of_kind = rows_of(all.view(), &places);
    let found = nearest(of_kind.view(), embedding, most).unwrap_or_default();
    (1..)
        .zip(found)
        .map(|(rank, (place, similarity))| {
            let text = &texts[places[place]];
            NearestRow {
                query: query.to_owned(),
                kind,
                rank,
                similarity,
                text: text.text.clone(),
                id: text.id.clone(),
            }
        })
        .collect()
}
