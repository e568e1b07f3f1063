//! What cannot be drawn is named: the file, and the line, column, piece, arm or taste in it.

use std::fs;
use std::path::Path;

use super::made_up::{MadeUp, texts, write};
use crate::figures::redraw;
use crate::labels::{Labels, Word};
use crate::tables::scores::row;
use crate::tables::{self, MapRow, Row, ScoreRow, StatsRow};

fn error(folder: &Path) -> String {
    redraw(folder).unwrap_err().to_string()
}

fn folder_of(rows: &[ScoreRow]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tables::write(&folder.path().join(ScoreRow::FILE), rows, &Word::default()).unwrap();
    folder
}

fn made_up() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    MadeUp::new(4, 2, 24).write(folder.path());
    folder
}

#[test]
fn scores_that_cannot_be_drawn() {
    let told = error(Path::new("no-such-run"));
    assert!(told.contains("scores.csv"), "{told}");
    let told = error(folder_of(&[]).path());
    assert!(told.contains("scores.csv: it holds no scores"), "{told}");
    let tastes: Vec<_> = (0..30)
        .map(|i| row(&i.to_string(), "a", &format!("t{i}"), 0.1))
        .collect();
    let told = error(folder_of(&tastes).path());
    assert!(told.contains("it has 30 tastes"), "{told}");
    let twice = [row("1", "a", "sweet", 0.1), row("1", "a", "sweet", 0.2)];
    let told = error(folder_of(&twice).path());
    let expected = "piece 1 has two scores";
    assert!(
        told.contains("scores.csv") && told.contains(expected),
        "{told}"
    );
}

#[test]
fn stats_of_other_scores() {
    let folder = made_up();
    let scores = MadeUp::new(4, 2, 24).scores();
    let stale = crate::statistics::stats(&scores[..20], 0, &Labels::default()).unwrap();
    write::<StatsRow>(folder.path(), &stale);
    let told = error(folder.path());
    let expected = "stats.csv does not belong";
    assert!(told.contains(expected) && told.contains("n = 6"), "{told}");
    assert!(!folder.path().join("figures").exists());
}

#[test]
fn a_manifest_that_cannot_be_read() {
    let folder = made_up();
    let manifest = folder.path().join("manifest.json");
    fs::write(&manifest, "{\"seed\": \"x\"}").unwrap();
    let told = error(folder.path());
    assert!(told.contains("manifest.json"), "{told}");
    fs::write(&manifest, "{\"format\": 99}").unwrap();
    let told = error(folder.path());
    assert!(told.contains("a newer harness wrote it"), "{told}");
}

/// Every CSV of a run, one after the other: without a column, and with a number that is none.
#[test]
fn a_missing_column_and_a_nan_are_named() {
    let check = |folder: &Path, file: &str, column: &str| {
        let path = folder.join(file);
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.replacen(column, "other", 1)).unwrap();
        let told = error(folder);
        let expected = format!("{file}: it has no column `{column}`");
        assert!(told.contains(&expected), "{told}");

        let mut csv = csv::Reader::from_reader(whole.as_bytes());
        let header = csv.headers().unwrap().clone();
        let place = header.iter().position(|name| name == column).unwrap();
        let mut broken = csv::Writer::from_writer(Vec::new());
        broken.write_record(&header).unwrap();
        for (i, record) in csv.records().enumerate() {
            let record = record.unwrap();
            let cells = record.iter().enumerate();
            let cells = cells.map(|(j, cell)| if i == 1 && j == place { "NaN" } else { cell });
            broken.write_record(cells).unwrap();
        }
        fs::write(&path, broken.into_inner().unwrap()).unwrap();
        let told = error(folder);
        let line = format!("{file}, line 3: ");
        let expected = "NaN is not a finite number";
        assert!(told.contains(&line) && told.contains(expected), "{told}");
        fs::write(&path, whole).unwrap();
        redraw(folder).unwrap();
    };
    let folder = made_up();
    let stats =
        crate::statistics::stats(&MadeUp::new(4, 2, 24).scores(), 0, &Labels::default()).unwrap();
    write::<StatsRow>(folder.path(), &stats);
    for (file, column) in [
        ("scores.csv", "clap_score"),
        ("stats.csv", "mean"),
        ("maps.csv", "tsne_2"),
        ("similarity.csv", "similarity"),
        ("clusters.csv", "value"),
    ] {
        check(folder.path(), file, column);
    }
    let folder = tempfile::tempdir().unwrap();
    texts(20, true, folder.path());
    for (file, column) in [
        ("histogram.csv", "low"),
        ("nearest.csv", "similarity"),
        ("maps.csv", "tsne_1"),
    ] {
        check(folder.path(), file, column);
    }
}

#[test]
fn files_of_another_run_are_refused() {
    let check = |file: &str, from: &str, to: &str, expected: &str| {
        let folder = made_up();
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let told = error(folder.path());
        let belongs = format!("{file} does not belong to the scores beside it: {expected}");
        assert!(told.contains(&belongs), "{told}");
        assert!(!folder.path().join("figures").exists());
    };
    let on = "fusion on";
    check(
        "maps.csv",
        "fusion on,1,bitter",
        "fusion on,99,bitter",
        &format!("it has the piece 99 under {on}, which has no score"),
    );
    check(
        "maps.csv",
        "fusion on,1,bitter",
        "fusion on,1,sour",
        "the piece 1 has the taste 'sour' there and 'bitter' among the scores",
    );
    check(
        "maps.csv",
        "fusion on,2,sour",
        "fusion on,1,sour",
        "it has 1 twice on the map fusion on",
    );
    check(
        "similarity.csv",
        "fusion on,audio,bitter,sour",
        "fusion on,audio,bitter,bitter",
        "it has bitter and bitter twice under fusion on",
    );
    check(
        "similarity.csv",
        "fusion on,audio,bitter",
        "fusion on,audio,umami",
        "it has the taste umami, which no piece has",
    );
    check(
        "clusters.csv",
        "audio,silhouette,fusion on",
        "audio,silhouette,other",
        "it has the arm other, which has no scores",
    );
}

#[test]
fn bins_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    texts(20, true, folder.path());
    let path = folder.path().join("histogram.csv");
    let text = fs::read_to_string(&path).unwrap();
    let row = text.lines().nth(1).unwrap();
    fs::write(&path, format!("{text}{row}\n")).unwrap();
    let told = error(folder.path());
    assert!(told.contains("the bins of caption overlap"), "{told}");
    fs::write(&path, format!("{text}caption,0.5,0.5,3\n")).unwrap();
    let told = error(folder.path());
    assert!(told.contains("it has a bin from 0.5 to 0.5"), "{told}");
    fs::write(&path, &text).unwrap();
    let maps: Vec<MapRow> = Vec::new();
    write(folder.path(), &maps);
    assert_eq!(
        redraw(folder.path()).unwrap().len(),
        4,
        "an empty CSV has no figure"
    );
}
