//! Texts from strangers: what they hold reaches a figure as text, and takes no more room than there is.

use std::fs;

use serde_json::json;

use super::made_up::{MadeUp, TASTES, texts};
use super::{assert_printable, svgs};
use crate::figures::canvas::without_font;
use crate::figures::font::css as font_css;
use crate::labels::Word;
use crate::tables::{self, NearestRow, Row};

pub fn strangers() -> Vec<String> {
    let mut strangers: Vec<String> = [
        "<script>alert(1)</script>",
        "\"double\" and 'single' & more",
        "a, b, and c",
        "two\nlines\r\nand\ttabs",
        "emoji 🍋🍬 sour",
        "مالح حلو",
        "חמוץ",
        "=SUM(A1:A9)",
        "]]> <!-- -->",
        "\u{202e}turned\u{0}\u{7f}",
        "   ",
    ]
    .map(str::to_owned)
    .to_vec();
    strangers.push("long ".repeat(400));
    strangers.push("W".repeat(2000));
    strangers.push(format!("{}W", "W".repeat(2000)));
    strangers
}

#[test]
fn tastes_and_arms_from_strangers() {
    let strangers = strangers();
    let mut made_up = MadeUp::new(4, 3, 60);
    made_up.arms = vec![&strangers[0], &strangers[11], &strangers[5]];
    made_up.tastes = strangers.iter().map(String::as_str).chain(TASTES).collect();
    made_up.tastes.truncate(20);
    for draws in [0, 3] {
        made_up.draws = draws;
        let folder = tempfile::tempdir().unwrap();
        made_up.write(folder.path());
        for (stem, svg) in svgs(folder.path()) {
            assert_printable(&stem, &svg);
            assert!(!svg.contains("<script>alert"), "{stem}");
        }
    }
}

#[test]
fn prompts_and_checkpoints_from_strangers() {
    let folder = tempfile::tempdir().unwrap();
    let strangers = strangers();
    let mut made_up = MadeUp::new(4, 2, strangers.len() * 2);
    made_up.draws = 2;
    made_up.write(folder.path());
    let path = folder.path().join("scores.csv");
    let mut rows = made_up.scores();
    for (i, row) in rows.iter_mut().enumerate() {
        let stranger = &strangers[(i / 2) % strangers.len()];
        row.prompt_id = Some(stranger.clone());
        row.prompt = stranger.clone();
    }
    tables::write(&path, &rows, &Word::default()).unwrap();
    let manifest = json!({"experiment": strangers[11], "arms": [
        {"name": "fusion on", "checkpoint": strangers[12]},
        {"name": "fusion off", "checkpoint": strangers[0]}]});
    fs::write(folder.path().join("manifest.json"), manifest.to_string()).unwrap();
    let figures = svgs(folder.path());
    assert!(figures.iter().any(|(stem, _)| stem == "by_prompt"));
    for (stem, svg) in &figures {
        assert_printable(stem, svg);
    }
}

#[test]
fn captions_from_strangers() {
    let folder = tempfile::tempdir().unwrap();
    texts(12, true, folder.path());
    let path = folder.path().join(NearestRow::FILE);
    let mut rows: Vec<NearestRow> = tables::read(&path, &Word::default()).unwrap();
    let strangers = strangers();
    for (i, row) in rows.iter_mut().enumerate() {
        row.text = strangers[i % strangers.len()].clone();
        row.query = strangers[i / 20 * 3].clone();
    }
    tables::write(&path, &rows, &Word::default()).unwrap();
    for (stem, svg) in svgs(folder.path()) {
        assert_printable(&stem, &svg);
    }
}

#[test]
fn the_font_can_be_left_out_for_a_page_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    MadeUp::new(4, 1, 12).write(folder.path());
    for (_, svg) in svgs(folder.path()) {
        assert!(svg.contains(font_css()));
        let without = without_font(&svg);
        assert!(!without.contains("<style>") && without.contains("<desc>"));
        assert!(without.len() + font_css().len() < svg.len());
    }
}
